"""Names of files as text that a terminal, a table and a message can hold."""

import os
import re

# Bytes that are no UTF-8, control characters, what ends a line (U+2028, U+2029), and Bidi_Control of UAX #9.
_UNSAFE = "\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\udc80-\udcff"
_ESCAPED = re.compile(rf"(?P<slashes>\\*)(?P<unsafe>[{_UNSAFE}])|(?P<alike>\\+)(?=x[0-9a-f]{{2}})")


def printable(path: str | os.PathLike[str]) -> str:
    r"""Returns a path as text that terminals and tables can hold, and as which no other path reads.

    What is no UTF-8, or would act on a terminal, reads as its bytes: `\xff` each. Backslashes before that are
    doubled, and so are those of a name that would read alike: a name's own `\xff` is `\\xff`.
    """
    return _ESCAPED.sub(_escape, os.fsencode(path).decode("utf-8", "surrogateescape"))


def _escape(match: re.Match[str]) -> str:
    if match["alike"]:
        return 2 * match["alike"]
    unsafe = match["unsafe"].encode("utf-8", "surrogateescape")
    return 2 * match["slashes"] + "".join(f"\\x{byte:02x}" for byte in unsafe)


def some(names: list[str], limit: int = 5) -> str:
    """Names the first few: "a, b, c and 4 more"; what cannot be printed is escaped.

    Whoever wrote a list of names could otherwise write to the terminal that shows a note.
    """
    rest = len(names) - limit
    return ", ".join(map(_printable, names[:limit])) + (f" and {rest} more" if rest > 0 else "")


def _printable(name: str) -> str:
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in name)
