"""When two names are one name: how people, recordings, paths, datasets and methods are compared. Pure.

People write one name in several ways: composed or decomposed (NFC on Windows and Linux, NFD from a Mac's
file system), in another letter case, with a space more, one that does not break, or one that nobody sees.
Compared as bytes these are strangers, and one person stands in training and in test.
"""

import unicodedata

_VARIATION_SELECTORS = range(0xFE00, 0xFE10)


def normalised(name: str) -> str:
    """Returns the key of a name: names with the same key are one name.

    Unicode's caseless matching of identifiers (NFKC_Casefold, https://www.unicode.org/reports/tr31/): made
    of composed letters, of one width and one case (ß as ss, ς as σ), without what is not seen. Beyond it the
    four Turkish i's are one letter, and white space is trimmed and collapsed in each part between slashes.
    Too much is merged rather than too little: a needless tie costs a little balance, a missing one is a leak.
    """
    if not name.isascii():
        name = "/".join(map(_folded, name.split("/")))
    return "/".join(" ".join(part.split()) for part in name.casefold().split("/"))


def _folded(part: str) -> str:
    """Returns one part of a path; letters such as ／ and ℅ are no slash that would make two of it."""
    folded = unicodedata.normalize("NFKD", "".join(filter(_is_seen, part))).casefold()
    folded = unicodedata.normalize("NFKC", folded.replace("i\u0307", "i").replace("ı", "i"))
    return folded.replace("/", "\N{FRACTION SLASH}")


def _is_seen(letter: str) -> bool:
    return unicodedata.category(letter) != "Cf" and ord(letter) not in _VARIATION_SELECTORS
