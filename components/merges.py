"""Files in which a merge of git's has left both sides."""

from pathlib import Path


def conflict(path: Path) -> str | None:
    """Where a text file holds the mark of a merge conflict, and that this is one; None if it holds none."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    for number, line in enumerate(lines, start=1):
        if line.startswith("<<<<<<< "):
            return f"{path}:{number}: a merge has left both sides here ({line[:60]})"
    return None
