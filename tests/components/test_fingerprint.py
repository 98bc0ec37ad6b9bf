import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from components import fingerprint as room
from components.faces.identity import CUTTING
from components.fingerprint import NOT_FOLLOWED, ON_REQUEST, closure, fingerprint, imported
from components.ingest.examined import examining_digest
from components.video.limits import Limits

ROOT = Path(__file__).parents[2]
TOY = {
    "a.py": "from components.b import thing\nif TYPE_CHECKING:\n    import components.types\n",
    "b.py": "thing = 1\ndef late():\n    import components.c.d\n",
    "c/__init__.py": '"""Nothing else."""\n',
    "c/d.py": 'RUN = ["-m", "components.e"]\n',
    "c/part.j2": "{{ template }}",
    "c/more/page.css": "p {}",
    "c/README.md": "about",
    "c/py.typed": "",
    "c/inner/__init__.py": "",
    "c/inner/theirs.txt": "",
    "e.py": "from components import errors, params\nfrom components.params.x import y\n",
    "errors.py": "",
    "params/__init__.py": "z = 1\n",
    "params/x.py": "from components.params import z\nfrom components import b, errors\ny = 1\n",
    "types.py": "x = 1\n",
    "other.py": "import components.a\n",
}


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = tmp_path / "components"
    for name, text in TOY.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(room, "PACKAGE", package)
    return package


FROM_A = {"a.py", "b.py", "c/d.py", "c/part.j2", "c/more/page.css", "e.py"}


@pytest.mark.usefixtures("toy")
def test_all_that_a_module_imports_counts_and_no_more() -> None:
    assert set(fingerprint("components.a")) == FROM_A
    assert set(fingerprint("components.e", alone=["components.a"])) == {"e.py", "a.py"}
    assert set(fingerprint("components.params.x")) == {
        "params/x.py", "params/__init__.py", "b.py", "c/d.py", "c/part.j2", "c/more/page.css", "e.py",
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(TOY.keys() - {"c/__init__.py"}))
def test_a_change_shows_where_the_file_counts(toy: Path, name: str) -> None:
    before = fingerprint("components.a")
    with (toy / name).open("a", encoding="utf-8") as file:
        file.write("\n# changed\n")
    assert (fingerprint("components.a") != before) is (name in FROM_A)


def test_a_new_import_is_seen(toy: Path) -> None:
    (toy / "b.py").write_text("import components.types\n", encoding="utf-8")
    assert "types.py" in fingerprint("components.a")


@pytest.mark.parametrize(
    ("chosen", "files"),
    [
        ("components.c.{name}", {"c/d.py", "c/part.j2", "c/more/page.css", "e.py"}),
        ("components.b.{name}", set()),  # no package
        ("components.{name}.d", set()),
        ("components.c{name}", set()),
    ],
)
def test_a_module_that_is_chosen_by_its_name_may_be_any_of_a_package(
    toy: Path, chosen: str, files: set[str]
) -> None:
    (toy / "other.py").write_text(f'def chosen(name):\n    return load(f"{chosen}")\n', encoding="utf-8")
    assert set(fingerprint("components.other")) == {"other.py"} | files


@pytest.mark.parametrize(
    ("module", "told"),
    [("components.params.gone", "components.params.gone: there is no such module"), ("os", "os: ")],
)
def test_a_module_that_is_not_there_is_an_error(module: str, told: str) -> None:
    for arguments in ({"alone": [module]}, {}):
        with pytest.raises(LookupError, match=told):
            fingerprint(*([] if arguments else [module]), **arguments)


def test_a_relative_import_is_an_error(toy: Path) -> None:
    (toy / "b.py").write_text("from . import types\n", encoding="utf-8")
    with pytest.raises(LookupError, match="line 1: a relative import"):
        fingerprint("components.a")


def test_what_is_not_followed_is_there_and_imported() -> None:
    for module, apart in ON_REQUEST.items():
        file = next(
            iter(closure(module) & {room.PACKAGE / f"{module.split('.', 1)[1].replace('.', '/')}.py"})
        )
        assert apart <= imported(file, file.stat().st_mtime_ns)
    for module in NOT_FOLLOWED:
        fingerprint(module)


def test_what_python_imports_is_in_the_closure() -> None:
    """Against the interpreter itself: a module may be imported in a way that the walk does not know."""
    files = "(getattr(module, '__file__', 0) for module in sys.modules.values())"
    code = f"import components.video.examine, sys; print(*{files})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True, check=True)
    loaded = {file for file in map(Path, done.stdout.split()) if file.is_relative_to(room.PACKAGE)}
    apart = {file for file in loaded if file.name in ("__init__.py", "errors.py")}
    assert loaded - apart
    assert loaded - apart <= closure("components.video.examine")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the package, without weights, to change."""
    ignored = shutil.ignore_patterns("__pycache__", "*.safetensors")
    return Path(
        shutil.copytree(ROOT / "components", tmp_path_factory.mktemp("copy") / "components", ignore=ignored)
    )


DIGESTS: dict[str, Callable[[], object]] = {
    "cut": lambda: fingerprint(*CUTTING),
    "examined": lambda: examining_digest(Limits()),
    "ingest": lambda: fingerprint("components.stages.ingest"),
    "training": lambda: fingerprint("components.stages.train"),
    "mtcnn": lambda: fingerprint("components.export.mtcnn"),
}


@pytest.mark.parametrize(
    ("file", "changed"),
    [
        ("faces/smooth.py", {"cut"}),
        ("detectors/mtcnn.py", {"cut"}),
        ("video/frames.py", {"cut", "examined", "ingest"}),
        ("faces/crop.py", {"cut", "training"}),
        ("faces/store.py", {"training"}),
        ("faces/worker.py", {"examined", "ingest"}),
        ("faces/pool.py", {"ingest"}),
        ("faces/look.py", set()),
        ("stages/faces.py", set()),
        ("splits/assignment.py", {"ingest"}),
        ("datasets/layouts/dfdc.py", {"ingest"}),
        ("ingest/statistics/figures.py", set()),
        ("models/simple_cnn.py", {"training"}),
        ("models/weights/README.md", set()),
        ("training/sam.py", {"training"}),
        ("pooling.py", {"training"}),
        ("export/mtcnn.py", {"mtcnn"}),
        ("export/onnx.py", set()),
        ("providers.py", {"cut"}),
        ("params/training.py", set()),
        ("errors.py", set()),
    ],
)
def test_what_a_change_of_code_makes_anew(
    copy: Path, monkeypatch: pytest.MonkeyPatch, file: str, changed: set[str]
) -> None:
    monkeypatch.setattr(room, "PACKAGE", copy)
    before = {name: digest() for name, digest in DIGESTS.items()}
    text = (copy / file).read_text(encoding="utf-8")
    (copy / file).write_text(f"{text}\n# changed\n", encoding="utf-8")
    after = {name: digest() for name, digest in DIGESTS.items()}
    (copy / file).write_text(text, encoding="utf-8")
    assert {name for name in DIGESTS if before[name] != after[name]} == changed
