"""Who is in a video, where somebody says so: what the manifest's column `identities` can prove."""

from collections.abc import Iterable

UNNAMED = "unnamed:"
"""Marks an identity that stands for a file nobody named a person for; the file's stem follows."""


def is_named(identities: Iterable[str]) -> bool:
    """Tells whether the column `identities` of a video names a person, or only stands for its file."""
    return any(identity.strip() and not identity.startswith(UNNAMED) for identity in identities)


def disjointness(unnamed: int, videos: int) -> str:
    """Says by what the splits are disjoint: by person only where people are named."""
    if not unnamed:
        return "No person stands in two splits."
    return f"{unnamed} of {videos} videos name nobody: for them splits are disjoint by file and content only."
