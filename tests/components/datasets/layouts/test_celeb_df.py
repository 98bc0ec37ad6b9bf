"""Celeb-DF, whole, in part, and with a list of test videos that somebody edited."""

from collections.abc import Callable

import pytest

from components.datasets.layouts import celeb_df
from components.datasets.layouts.base import Entry, Listing
from components.datasets.tree import Tree
from components.errors import DataError

MakeTree = Callable[..., Tree]
Read = Callable[..., Listing]

PATHS = (
    "Celeb-real/id0_0000.mp4",
    "Celeb-real/id1_0007.mp4",
    "YouTube-real/00170.mp4",
    "Celeb-synthesis/id0_id1_0000.mp4",
    "Celeb-synthesis/id1_id16_0007.mp4",
)
TESTED = ("1 YouTube-real/00170.mp4", "1 Celeb-real/id1_0007.mp4", "0 Celeb-synthesis/id1_id16_0007.mp4")
SHORT = (
    "List_of_testing_videos.txt: 3 videos, not 100 (v1) or 518 (v2); "
    "what it lacks is trained on, so get it anew"
)


@pytest.fixture
def read(make_tree: MakeTree) -> Read:
    def read(*lines: str, paths: tuple[str, ...] = PATHS) -> Listing:
        return celeb_df.read(make_tree(*paths, texts={"List_of_testing_videos.txt": "\n".join(lines)}))

    return read


def notes(listing: Listing) -> tuple[str, ...]:
    """Without what each of these short lists is told."""
    return tuple(note for note in listing.notes if "videos, not 100" not in note)


def test_names_tell_people_and_recordings_and_the_list_what_is_for_testing(read: Read) -> None:
    listing = read(*TESTED)
    assert listing.entries == (
        Entry(
            "Celeb-real/id0_0000.mp4", "real", "none", ("celeb-df/id0",), ("celeb-df/id0_0000",), "trainval"
        ),
        Entry("Celeb-real/id1_0007.mp4", "real", "none", ("celeb-df/id1",), ("celeb-df/id1_0007",), "test"),
        Entry(
            "YouTube-real/00170.mp4",
            "real",
            "none",
            ("celeb-df/youtube/00170",),
            ("celeb-df/youtube/00170",),
            "test",
        ),
        Entry(
            "Celeb-synthesis/id0_id1_0000.mp4",
            "fake",
            "Celeb-synthesis",
            ("celeb-df/id0", "celeb-df/id1"),
            ("celeb-df/id0_0000",),
            "trainval",
        ),
        Entry(
            "Celeb-synthesis/id1_id16_0007.mp4",
            "fake",
            "Celeb-synthesis",
            ("celeb-df/id1", "celeb-df/id16"),
            ("celeb-df/id1_0007",),
            "test",
        ),
    )
    assert listing.notes == (SHORT,)
    assert listing.annotations == ("List_of_testing_videos.txt",)


def test_letter_case_and_folders_between_do_not_matter(make_tree: MakeTree) -> None:
    tree = make_tree(
        "celeb-REAL/videos/ID1_0007.MP4",
        "Youtube-real/00170.mp4",
        "Celeb-fake/id1_id16_0007.mp4",
        texts={"list_of_testing_videos.TXT": "\ufeff" + "\r\n".join(TESTED) + "\r\n"},
    )
    listing = celeb_df.read(tree)
    assert [(entry.split, entry.identities[0]) for entry in listing.entries] == [
        ("test", "celeb-df/id1"),
        ("test", "celeb-df/youtube/00170"),
        ("test", "celeb-df/id1"),
    ]
    assert listing.notes == (SHORT,)
    assert listing.annotations == ("list_of_testing_videos.TXT",)


@pytest.mark.parametrize("texts", [None, {"List_of_testing_videos.txt": "\n \n"}])
def test_without_a_list_nothing_is_prescribed(make_tree: MakeTree, texts: dict[str, str] | None) -> None:
    listing = celeb_df.read(make_tree(*PATHS, texts=texts))
    assert {entry.split for entry in listing.entries} == {None}
    assert listing.notes == (
        "no List_of_testing_videos.txt: test videos are assigned here, so figures are not those of papers",
    )


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (518, []),
        (100, []),
        (
            517,
            ["517 videos, not 100 (v1) or 518 (v2)", "one video short; a tool may have taken its first line"],
        ),
        (99, ["99 videos, not", "one video short"]),
        (300, ["300 videos, not"]),
    ],
)
def test_a_list_that_lost_its_first_line(read: Read, length: int, said: list[str]) -> None:
    lines = [f"1 Celeb-real/id0_{number:04}.mp4" for number in range(length)]
    told = [note for note in read(*lines).notes if "videos, not" in note or "short" in note]
    assert len(told) == len(said)
    assert all(part in note for part, note in zip(said, told, strict=True))


def test_a_list_that_contradicts_the_folders(read: Read) -> None:
    listing = read("1 Celeb-synthesis/id0_id1_0000.mp4", *TESTED)
    assert [entry.label for entry in listing.entries] == ["real"] * 3 + ["fake"] * 2
    assert notes(listing) == (
        "List_of_testing_videos.txt: 1 labels contradict the folders, which are believed: "
        "Celeb-synthesis/id0_id1_0000.mp4",
    )


def test_a_list_with_0_and_1_swapped(read: Read) -> None:
    listing = read(*(f"{1 - int(line[0])}{line[1:]}" for line in TESTED))
    assert [entry.label for entry in listing.entries] == ["real"] * 3 + ["fake"] * 2
    assert sum(entry.split == "test" for entry in listing.entries) == 3
    assert notes(listing) == (
        "List_of_testing_videos.txt: 0 and 1 are swapped in it, 1 means real there; the folders are believed",
    )


def test_a_list_that_names_a_video_twice(read: Read) -> None:
    listing = read(*TESTED, "1 youtube-real/00170.MP4")
    assert notes(listing) == (
        "List_of_testing_videos.txt: named more than once: YouTube-real/00170.mp4, youtube-real/00170.MP4",
    )


@pytest.mark.parametrize(
    "line", ["1,YouTube-real/00170.mp4", " 1\tYouTube-real\\00170.mp4 ", "1; ./YouTube-real/00170.mp4"]
)
def test_lines_as_tools_rewrite_them(read: Read, line: str) -> None:
    listing = read(line)
    assert [entry.path for entry in listing.entries if entry.split == "test"] == ["YouTube-real/00170.mp4"]


@pytest.mark.parametrize(
    "line",
    [
        "label path",
        "2 YouTube-real/00170.mp4",
        "1 00170.mp4",
        "1 Testing/00170.mp4",
        "YouTube-real/00170.mp4",
    ],
)
def test_a_line_that_cannot_be_understood(read: Read, line: str) -> None:
    with pytest.raises(DataError) as caught:
        read(TESTED[0], "", line)
    assert f"List_of_testing_videos.txt:3: {line!r} is not like" in str(caught.value)


def test_missing_folders_and_files_are_told(read: Read) -> None:
    listing = read(*TESTED, paths=("Celeb-real/id0_0000.mp4", "YouTube-real/readme.txt"))
    assert [entry.split for entry in listing.entries] == ["trainval"]
    assert notes(listing) == (
        "no videos in youtube-real, celeb-synthesis",
        "List_of_testing_videos.txt: 1 of 1 in celeb-real are not there: Celeb-real/id1_0007.mp4",
        "List_of_testing_videos.txt: 1 of 1 in youtube-real are not there: YouTube-real/00170.mp4",
        "List_of_testing_videos.txt: 1 of 1 in celeb-synthesis are not there: "
        "Celeb-synthesis/id1_id16_0007.mp4",
    )


def test_names_that_tell_nobody_are_left_out(read: Read) -> None:
    odd = (
        "Celeb-real/id0_id1_0000.mp4",
        "Celeb-real/copy of id0_0000.mp4",
        "YouTube-real/x.mp4",
        "Celeb-synthesis/id0_0000.mp4",
    )
    listing = read(*TESTED, paths=(*PATHS, *odd))
    assert {entry.path for entry in listing.entries} == set(PATHS)
    (note,) = notes(listing)
    assert note.startswith("left out, names that tell nobody: 4 videos: Celeb-real/copy of id0_0000.mp4, ")


def test_the_same_video_twice_is_tied_by_its_recording(read: Read) -> None:
    listing = read(*TESTED, paths=("Celeb-real/id1_0007.mp4", "Celeb-real/crops/id1_0007.mp4"))
    assert [(entry.sources, entry.split) for entry in listing.entries] == [
        (("celeb-df/id1_0007",), "test")
    ] * 2
