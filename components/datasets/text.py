"""Text files as people save them: their encoding, and marks that a merge has left in them."""

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE
from pathlib import Path
from typing import NamedTuple

from components.errors import DataError
from components.merges import find_mark

UTF_8 = "UTF-8"

# The marks of UTF-32 begin like those of UTF-16, so they come first.
_BYTE_ORDER_MARKS = {
    BOM_UTF8: UTF_8,
    BOM_UTF32_LE: "UTF-32",
    BOM_UTF32_BE: "UTF-32",
    BOM_UTF16_LE: "UTF-16",
    BOM_UTF16_BE: "UTF-16",
}


class Text(NamedTuple):
    """What a file holds, and the encoding that it was read in."""

    content: str
    encoding: str


def read_text(file: Path) -> Text:
    """Reads a file in UTF-8, or in UTF-16 or UTF-32 as its first bytes tell.

    Other encodings are not guessed: a wrong guess makes another name of a name.

    Raises:
        DataError: it cannot be read, is in another encoding, or a merge has left its marks there.
    """
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror}); download it again") from error
    encoding = _encoding(raw)
    try:
        content = raw.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise DataError(_undecodable(file, raw, error)) from error
    _check_merged(content, file)
    return Text(content, encoding.removesuffix("-LE").removesuffix("-BE"))


def _encoding(raw: bytes) -> str:
    """Tells the encoding by the byte order mark, else by the empty halves of ASCII letters in UTF-16."""
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if raw.startswith(mark):
            return encoding
    head = raw[:64]
    if 4 * head[1::2].count(0) > len(head):
        return "UTF-16-LE"
    return "UTF-16-BE" if 4 * head[::2].count(0) > len(head) else UTF_8


def _undecodable(file: Path, raw: bytes, error: UnicodeDecodeError) -> str:
    if not error.encoding.casefold().startswith("utf-8"):
        return f"{file}: not text in {error.encoding.upper()} ({error.reason}); save it as UTF-8"
    number = raw.count(b"\n", 0, error.start) + 1
    line = raw.splitlines()[number - 1] if number <= len(raw.splitlines()) else b""
    return (
        f"{file}:{number}: not text in UTF-8; read as Windows-1252 the line is "
        f"{line.decode('cp1252', 'replace')[:80]!r}; save the file as UTF-8 (in Excel: CSV UTF-8), "
        "or download it again"
    )


def _check_merged(content: str, file: Path) -> None:
    if mark := find_mark(content):
        raise DataError(
            f"{file}:{mark.number}: {mark.line!r} is a mark of a merge conflict; keep the lines of one side, "
            "and remove the marks"
        )
