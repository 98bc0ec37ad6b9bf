"""Lists of splits as datasets publish them: a file per split, each name in one of them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from components.datasets.layouts.base import SPLITS, Prescribed, Split
from components.datasets.tree import Tree
from components.errors import DataError


@dataclass(frozen=True)
class OfficialLists:
    """What a dataset's own lists prescribe.

    Attributes:
        files: the list of each split, as far as they are there.
        splits: the split of every name in them; a name is whatever that dataset lists.
    """

    files: Mapping[Split, str]
    splits: Mapping[str, Split]


def prescribed(split: Split | None, named: Collection[Split | None]) -> Prescribed | None:
    """Returns what a dataset prescribes for a video, where it names only some of the splits.

    Args:
        split: that it names for the video; None where it names none.
        named: all that it names for any video.

    Returns:
        Validation and test as they are named. The rest is never tested on where there are test videos, and
        only trained on where it is named so and there are validation videos, too; what a dataset does not
        name at all is assigned out of the rest.
    """
    if split in {"val", "test"}:
        return split
    if "test" not in named:
        return None
    return "train" if split == "train" and "val" in named else "trainval"


def find_lists(tree: Tree, folders: Sequence[str], suffix: str) -> dict[Split, str]:
    """Returns the file of each split, `train.SUFFIX` and so on, in the first of the folders that has it."""
    prefixes = [f"{folder}/" if folder else "" for folder in folders]
    candidates = {split: [tree.find(f"{prefix}{split}.{suffix}") for prefix in prefixes] for split in SPLITS}
    return {split: file for split, paths in candidates.items() if (file := next(filter(None, paths), None))}


def assign_as_listed(
    tree: Tree, files: Mapping[Split, str], names: Mapping[Split, Collection[str]]
) -> OfficialLists:
    """Turns the names in each list into the split of each name.

    Raises:
        DataError: a name stands in two lists. Whichever we chose, the other list would be broken.
    """
    splits: dict[str, Split] = {}
    for split, listed in names.items():
        for name in listed:
            if splits.setdefault(name, split) != split:
                other = tree.root / files[splits[name]]
                raise DataError(
                    f"{tree.root / files[split]}: {name} stands in {other} too; take one of them out"
                )
    return OfficialLists(files, splits)


def absent(lists: OfficialLists, names: str, home: str) -> Iterator[str]:
    """A note where lists are missing; `names` is how they are called, `home` the address that has them."""
    missing = [split for split in SPLITS if split not in lists.files]
    if len(missing) == len(SPLITS):
        yield f"no lists of splits ({names}): the videos are assigned anew; the official lists are in {home}"
    elif missing:
        yield f"no list for {' and '.join(missing)} ({names}): its videos are assigned anew; get it at {home}"


def partial(listed: Mapping[str, Collection[str]], present: Mapping[str, Collection[str]]) -> Iterator[str]:
    """Yields a note on a partial copy: both map a folder to names, and only folders in `present` count."""
    gaps = {folder: len(set(listed.get(folder, ())) - set(names)) for folder, names in present.items()}
    lines = [f"{folder} {gap} of {len(listed[folder])}" for folder, gap in sorted(gaps.items()) if gap]
    if lines:
        yield f"partial copy, listed but not here: {', '.join(lines)}"
