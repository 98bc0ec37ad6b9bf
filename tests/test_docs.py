"""Documents, docstrings and comments name files that are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("components", "flows", "serving", "sample", "benchmarks", "tools")
TEXTS = sorted(
    file.relative_to(ROOT).as_posix()
    for file in (
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(file for package in PACKAGES for kind in ("*.py", "*.md") for file in (ROOT / package).rglob(kind)),
    )
)
PLACES = "|".join((*PACKAGES, "docs", "tests"))
PATH = re.compile(rf"(?<![\w/.*-])(?:{PLACES})/(?:[\w-]+/)*[\w-]+(?:\.\w+)*(?![\w*{{])")
MODULE = re.compile(r"`((?:components|flows|serving|sample)(?:\.\w+)+)")
NEW = re.compile(r"^```python\n# (\S+)$", re.MULTILINE)
"""Files that the reader of a how-to makes."""
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


def missing(text: str, folder: Path | None = None) -> list[str]:
    """What a text names and is not there; links are followed from the folder of a document."""
    links = LINK.findall(text) if folder else ()
    new = {name for path in NEW.findall(text) for name in (path, path.removesuffix(".py").replace("/", "."))}
    return [
        *(path for path in PATH.findall(text) if not (path in new or (ROOT / path).exists())),
        *(module for module in MODULE.findall(text) if not (module in new or is_module(module))),
        *(link for link in links if folder and not (folder / link).exists()),
    ]


def missing_in(file: Path) -> list[str]:
    return missing(file.read_text(encoding="utf-8"), file.parent if file.suffix == ".md" else None)


def is_module(name: str) -> bool:
    """Whether it is a module, a package, or what the file of one defines."""
    place = ROOT.joinpath(*name.split("."))
    if place.is_dir() or place.with_suffix(".py").is_file():
        return True
    files = (place.parent.with_suffix(".py"), place.parent / "__init__.py")
    made = re.compile(rf"^(?:def |class |    |from .* import .*)?{place.name}\b", re.MULTILINE)
    return any(made.search(file.read_text(encoding="utf-8")) for file in files if file.is_file())


def test_every_file_that_a_text_names_is_there() -> None:
    assert len(TEXTS) > 300
    found = {name: missing_in(ROOT / name) for name in TEXTS}
    assert {name: names for name, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("see components/faces/video.py and components/faces/crop.py", ["components/faces/video.py"]),
        ("(`components/synthesis`)", ["components/synthesis"]),
        ("`components.faces.video`, `components.faces.crop`", ["components.faces.video"]),
        ("`components.detectors.registry.open_detector`, `components.stages`", []),
        ("`components.faces.crop.no_such_name`", ["components.faces.crop.no_such_name"]),
        ("[a](docs/faces.md#where), [b](gone.md), https://example.org/docs/none", ["gone.md"]),
        ("```python\n# components/a.py\n```\ncomponents/a.py, `components.a`", []),
        ("tests/*.py, sample/{name}.py, ~/components/none", []),
    ],
)  # fmt: skip
def test_a_file_that_is_not_there_is_noticed(text: str, gone: list[str]) -> None:
    assert missing(text, ROOT) == gone


def test_the_list_of_the_architecture_has_every_package_and_module() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    (house,) = re.findall(r"^## The house\n\n```\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE)
    blocks = dict(re.findall(r"^(\w+)/[^\n]*\n((?:  [^\n]*\n)+)", house, flags=re.MULTILINE))
    for package in ("components", "flows", "serving"):
        lines = re.findall(r"^ +((?:\w+(?:\.py|/)\s+)+)", blocks[package], flags=re.MULTILINE)
        modules = [path.name for path in (ROOT / package).glob("*.py") if path.name != "__init__.py"]
        packages = [f"{path.parent.name}/" for path in (ROOT / package).glob("*/__init__.py")]
        assert sorted(" ".join(lines).split()) == sorted(modules + packages)
