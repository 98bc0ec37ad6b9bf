"""Names of files as text that a terminal, a table and a message can hold."""


def some(names: list[str], limit: int = 5) -> str:
    """Name the first few: "a, b, c and 4 more"; what cannot be printed is escaped.

    Whoever wrote a list of names could otherwise write to the terminal that shows a note.
    """
    rest = len(names) - limit
    return ", ".join(map(_printable, names[:limit])) + (f" and {rest} more" if rest > 0 else "")


def _printable(name: str) -> str:
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in name)
