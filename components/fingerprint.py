"""The code that decides a result: a module and all that it imports, directly or through others.

A result that is kept under such a fingerprint is never taken for one of other code, and nobody has to list
modules: what imports what is read from the source, which is not run for it.
"""

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGE = Path(__file__).parent

NOT_FOLLOWED = (
    "components.params",  # followed by its values: the resolved settings
    "components.tracking",  # where a run is logged shows in no result
    "components.errors",
    "components.fingerprint",  # it names modules and runs none
    "components.privacy",
    "components.project",
)
"""Packages and modules at which a walk ends, unless it begins there: they decide no result."""

ON_REQUEST = {
    "components.faces.pool": frozenset({"components.detectors.registry", "components.faces.look"}),
    "components.faces.worker": frozenset(
        {"components.detectors.registry", "components.faces.extract", "components.faces.look"}
    ),
}
"""What a worker does only on request: followed from the modules that make the request, not from these."""


def fingerprint(*modules: str, alone: Iterable[str] = ()) -> dict[str, str]:
    """Returns the SHA-256 of each file that decides what some modules do, by its path within the package.

    Args:
        modules: whose imports are followed, e.g. `components.faces.extract`.
        alone: modules that count without their imports.

    Raises:
        LookupError: there is no such module.
    """
    files = closure(*modules) | {_file(module) for module in alone}
    return {file.relative_to(PACKAGE).as_posix(): sha256(file) for file in sorted(files)}


def digest(content: object, length: int = 12) -> str:
    """Returns so many hex digits of the SHA-256 of what JSON can hold."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:length]


def sha256(file: Path) -> str:
    """Returns the SHA-256 of a file's content, in hex digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def versions(distributions: Iterable[str]) -> dict[str, str]:
    """Returns those of the distributions that are installed."""
    installed = {}
    for name in distributions:
        try:
            installed[name] = version(name)
        except PackageNotFoundError:
            continue
    return installed


def closure(*modules: str) -> frozenset[Path]:
    """Returns the files of some modules, of all that they import, and what other files lie beside those.

    Raises:
        LookupError: there is no such module.
    """
    files = dict[str, Path]()
    todo = list(modules)
    while todo:
        module = todo.pop()
        if module not in files:
            files[module] = _file(module)
            todo += sorted(followed(module))
    deciding = {file for file in files.values() if not _is_empty(file, file.stat().st_mtime_ns)}
    return frozenset(deciding.union(*(_data(folder) for folder in {file.parent for file in deciding})))


def followed(module: str) -> frozenset[str]:
    """Returns the modules that a walk goes on to from this one."""
    file = _file(module)
    imports = imported(file, file.stat().st_mtime_ns) - ON_REQUEST.get(module, frozenset())
    return frozenset(name for name in imports if _end_of_walk(name) in (None, _end_of_walk(module)))


@cache
def imported(file: Path, mtime_ns: int) -> frozenset[str]:
    """Returns the modules of the package that a file names.

    Those in functions count, too, and a module that is named by a string, as one to be run in a process is.
    Where the last part of its name is filled in, `f"components.models.{name}"`, all of that package count.
    What only a type checker imports does not.

    Args:
        file: of Python.
        mtime_ns: of the file, so that one that has changed is read again.
    """
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = {name for node in _run(tree) for name in _named(node)}
    return frozenset(name for name in names if _find(name))


def _run(tree: ast.AST) -> Iterator[ast.AST]:
    """Yields all nodes but those under `if TYPE_CHECKING`."""
    yield tree
    for child in ast.iter_child_nodes(tree):
        if not (isinstance(child, ast.If) and getattr(child.test, "id", "") == "TYPE_CHECKING"):
            yield from _run(child)


def _named(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(level=0, module=str(module), names=names):
            yield module
            yield from (f"{module}.{alias.name}" for alias in names)
        case ast.ImportFrom():
            raise LookupError(f"line {node.lineno}: a relative import, which is not followed")
        case ast.JoinedStr(values=[ast.Constant(value=str(start)), ast.FormattedValue()]):
            init = _find(f"{start}__init__")  # of a package, if it ends with a dot
            yield from (f"{start}{file.stem}" for file in (init.parent.glob("*.py") if init else ()))
        case ast.Constant(value=str(text)):
            yield text


@cache
def _is_empty(file: Path, mtime_ns: int) -> bool:
    """Returns whether a file holds nothing but its docstring, as the `__init__` of most packages."""
    body = ast.parse(file.read_text(encoding="utf-8")).body
    return all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in body)


def _data(folder: Path) -> Iterator[Path]:
    """Yields the templates, weights and such of a package, but not what is written about them."""
    for path in folder.iterdir():
        if path.is_dir() and path.name != "__pycache__" and not (path / "__init__.py").exists():
            yield from _data(path)
        elif path.is_file() and path.suffix not in (".py", ".md", ".typed"):
            yield path


def _end_of_walk(module: str) -> str | None:
    """Returns what of `NOT_FOLLOWED` a module is, or is part of."""
    return next((name for name in NOT_FOLLOWED if module == name or module.startswith(f"{name}.")), None)


def _file(module: str) -> Path:
    if file := _find(module):
        return file
    raise LookupError(f"{module}: there is no such module in {PACKAGE}")


def _find(module: str) -> Path | None:
    top, *names = module.split(".")
    if top != "components" or not all(name.isidentifier() for name in names):
        return None
    place = PACKAGE.joinpath(*names)
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()), None)
