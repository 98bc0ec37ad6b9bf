"""`python tools/code_deps.py`: write into dvc.yaml what code each stage depends on.

That is the closure of imports of what `python -m components STAGE` calls, as single files, or as a folder
where all of its code counts. Lines of `dvc.yaml` that name code are replaced; all others stay as they are.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from components import __main__ as stages
from components.fingerprint import PACKAGE, closure

ROOT = PACKAGE.parent
GRAPH = ROOT / "dvc.yaml"
STAGE = re.compile(r"cmd: python -m components (\w+)")
CODE = re.compile(r"( *)- components(/|$)")


def entries(stage: str) -> list[str]:
    """The modules that a stage's function in `components.__main__` imports."""
    tree = ast.parse(Path(stages.__file__).read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == stage]
    return [
        node.module
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.ImportFrom) and node.module
    ]


def code_of(stage: str) -> list[str]:
    """The files and folders of code on which a stage depends, relative to the project."""
    return [place.relative_to(ROOT).as_posix() for place in _places(PACKAGE, closure(*entries(stage)))]


def _places(folder: Path, files: frozenset[Path]) -> Iterator[Path]:
    """The fewest files and folders that hold these files and no other code."""
    for path in sorted(folder.iterdir()):
        inside = {file for file in files if file.is_relative_to(path)}
        whole = {file for file in path.rglob("*.py") if file.name != "__init__.py"}
        if inside and (path.is_file() or whole <= inside):
            yield path
        elif inside:
            yield from _places(path, files)


def written(text: str) -> str:
    """The text of a `dvc.yaml` with the code of its stages as it is now."""
    lines: list[str] = []
    stage, waiting = "", False
    for line in text.splitlines(keepends=True):
        if found := STAGE.search(line):
            stage = found[1]
        if line.strip() == "deps:":
            waiting = True
        if CODE.match(line):
            continue
        if waiting and not line.lstrip().startswith(("- ", "deps:", "#")):
            indent = " " * (len(line) - len(line.lstrip()) + 2)
            lines += [f"{indent}- {place}\n" for place in code_of(stage)]
            waiting = False
        lines.append(line)
    return "".join(lines)


if __name__ == "__main__":
    GRAPH.write_text(written(GRAPH.read_text(encoding="utf-8")), encoding="utf-8")
