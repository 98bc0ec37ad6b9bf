"""Typed documents as JSON files."""

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from components.errors import StageError
from components.files import write_text
from components.values import Frozen

Document = TypeVar("Document", bound=Frozen)


def as_json(document: Frozen) -> str:
    """A document as the text of its file: indented JSON."""
    return document.model_dump_json(indent=2) + "\n"


def write_document(document: Frozen, path: Path) -> None:
    """Write a document in one step."""
    write_text(as_json(document), path)


def read_document(kind: type[Document], path: Path) -> Document:
    """Read what `write_document` wrote.

    Raises:
        StageError: the file is not there or is not of this kind.
    """
    try:
        return kind.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StageError(f"{path}: not there yet; run the stage that makes it (dvc repro)") from error
    except ValidationError as error:
        key = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise StageError(f"{path}: {key}: {error.errors()[0]['msg']}; delete it and run dvc repro") from error
