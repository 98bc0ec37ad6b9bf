"""Names of all datasets, each brought to the way in which it was first written. Pure but for its memory."""

from collections.abc import Iterator
from dataclasses import replace

from components.datasets.identities import UNNAMED
from components.datasets.layouts.base import Entry
from components.datasets.naming import normalised

_SHOWN = 3
"""So many names are spelt out in a note, each in so many ways."""


class Spellings:
    """The ways in which names of one kind are written; what `normalised` makes equal is one name."""

    def __init__(self) -> None:
        self._ways: dict[str, dict[str, None]] = {}

    def first(self, name: str) -> str:
        """The name as it was first written; what is asked for counts as one more way of writing it."""
        ways = self._ways.setdefault(normalised(name), {})
        ways.setdefault(name)
        return next(iter(ways))

    def ways(self) -> list[tuple[str, ...]]:
        """Lists for each name all ways in which it was written so far, the first one first."""
        return [tuple(ways) for ways in self._ways.values()]

    def notes(self, kind: str) -> Iterator[str]:
        """One line on what was merged, if anything was: "identity: 'José' is written in 3 ways (…)"."""
        merged = [ways for ways in self.ways() if len(ways) > 1]
        if merged:
            more = f", and {len(merged) - _SHOWN} more" if len(merged) > _SHOWN else ""
            yield f"{kind}: {', '.join(map(_described, merged[:_SHOWN]))}{more}; each is taken for one"


def _described(ways: tuple[str, ...]) -> str:
    # Escaped, since composed and decomposed letters print alike.
    shown = ", ".join((*map(ascii, ways[:_SHOWN]), *(("…",) if len(ways) > _SHOWN else ())))
    return f"{ways[0]!r} is written in {len(ways)} ways ({shown})"


class Names:
    """People, recordings and methods, across datasets."""

    def __init__(self) -> None:
        self._identities, self._files = Spellings(), Spellings()
        self._sources, self._methods = Spellings(), Spellings()

    def unified(self, entry: Entry) -> Entry:
        """The entry with every name as it was first written; nobody and nothing stands there twice."""
        return replace(
            entry,
            method=self._methods.first(entry.method),
            identities=_each(self._identities, entry.identities),
            sources=_each(self._sources, entry.sources),
        )

    def stand_in(self, file: str) -> str:
        """Returns what stands for the person in a file that names nobody."""
        return UNNAMED + self._files.first(file)

    def ways_of_people(self) -> Iterator[tuple[str, ...]]:
        """Yields all ways in which each identity was written, those that stand for files among them."""
        yield from self._identities.ways()
        yield from (tuple(UNNAMED + way for way in ways) for ways in self._files.ways())

    def notes(self) -> Iterator[str]:
        """Yields a line for each kind of name of which some were written in several ways."""
        kinds = {"identity": self._identities, "file": self._files}
        kinds |= {"source": self._sources, "method": self._methods}
        for kind, spellings in kinds.items():
            yield from spellings.notes(kind)


def _each(spellings: Spellings, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(spellings.first, names)))
