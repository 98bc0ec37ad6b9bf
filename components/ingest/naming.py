"""When two names are one name: how people, recordings, paths, datasets and methods are compared. Pure.

People write one name in several ways: composed or decomposed (NFC on Windows and Linux, NFD from a Mac's
file system), in another letter case, with a space more, one that does not break, or one that nobody sees.
Compared as bytes these are strangers, and one person stands in training and in test.
"""

import unicodedata
from collections.abc import Iterator

_VARIATION_SELECTORS = range(0xFE00, 0xFE10)
_SHOWN = 3
"""So many names are spelt out in a note, each in so many ways."""


def normalised(name: str) -> str:
    """The key of a name: names with the same key are one name.

    Unicode's caseless matching of identifiers (NFKC_Casefold, https://www.unicode.org/reports/tr31/): made
    of composed letters, of one width and one case (ß as ss, ς as σ), without what is not seen. Beyond it the
    four Turkish i's are one letter, and white space is trimmed and collapsed in each part between slashes.
    Too much is merged rather than too little: a needless tie costs a little balance, a missing one is a leak.
    """
    if not name.isascii():
        folded = unicodedata.normalize("NFKD", "".join(filter(_is_seen, name))).casefold()
        name = unicodedata.normalize("NFKC", folded.replace("i\u0307", "i").replace("ı", "i"))
    return "/".join(" ".join(part.split()) for part in name.casefold().split("/"))


def _is_seen(letter: str) -> bool:
    return unicodedata.category(letter) != "Cf" and ord(letter) not in _VARIATION_SELECTORS


class Spellings:
    """The ways in which names of one kind are written, each name by its key."""

    def __init__(self) -> None:
        self._ways: dict[str, dict[str, None]] = {}

    def first(self, name: str) -> str:
        """The name as it was first written; what is asked for counts as one more way of writing it."""
        ways = self._ways.setdefault(normalised(name), {})
        ways.setdefault(name)
        return next(iter(ways))

    def ways(self, name: str) -> tuple[str, ...]:
        """All ways in which a name was written so far, in their order."""
        return tuple(self._ways.get(normalised(name), ()))

    def notes(self, kind: str) -> Iterator[str]:
        """One line on what was merged, if anything was: "identity: 'José' is written in 3 ways (…)"."""
        merged = [tuple(ways) for ways in self._ways.values() if len(ways) > 1]
        if merged:
            more = f", and {len(merged) - _SHOWN} more" if len(merged) > _SHOWN else ""
            yield f"{kind}: {', '.join(map(_described, merged[:_SHOWN]))}{more}; each is taken for one"


def _described(ways: tuple[str, ...]) -> str:
    # Escaped, since composed and decomposed letters print alike.
    shown = ", ".join((*map(ascii, ways[:_SHOWN]), *(("…",) if len(ways) > _SHOWN else ())))
    return f"{ways[0]!r} is written in {len(ways)} ways ({shown})"
