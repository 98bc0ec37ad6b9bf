"""Files in which a merge of git's has left both sides."""

import re
from pathlib import Path
from typing import NamedTuple

_MARK = re.compile(r"^(<{7}|>{7})( .*)?$", re.MULTILINE)


class Mark(NamedTuple):
    """A line that git has written between the sides of a merge."""

    number: int
    line: str


def find_mark(content: str) -> Mark | None:
    """Returns the first mark of a merge conflict in a text."""
    match = _MARK.search(content)
    return Mark(content.count("\n", 0, match.start()) + 1, match[0][:60]) if match else None


def conflict(path: Path) -> str | None:
    """Where a text file holds the mark of a merge conflict, and that this is one; None if it holds none."""
    try:
        mark = find_mark(path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
    return f"{path}:{mark.number}: a merge has left both sides here ({mark.line})" if mark else None
