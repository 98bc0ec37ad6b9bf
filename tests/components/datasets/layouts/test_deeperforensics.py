"""DeeperForensics-1.0: forgeries on FaceForensics++'s videos, actors' recordings, and lists of forgeries."""

import pytest

from components.datasets.layouts import deeperforensics, faceforensics
from components.datasets.layouts.base import Entry
from components.errors import DataError
from tests.components.datasets.layouts.conftest import MakeTree

FORGERY = "manipulated_videos/end_to_end/000_M101.mp4"
NOISY = "manipulated_videos/end_to_end_mix_2_distortions/000_M101.mp4"
SOURCE = "source_videos/M101/light_up/surprise/camera_down/M101_light_up_surprise_camera_down.mp4"
SIDE = "source_videos/M101/light_up/surprise/camera_left/M101_light_up_surprise_camera_left.mp4"
SHAPES = "source_videos/W004/BlendShape/camera_front/W004_BlendShape_camera_front.mp4"

NEEDS_ORIGINALS = (
    "the real side of these forgeries is FaceForensics++'s originals (c23): keep both side by side"
)


def texts(train: str = "", val: str = "", test: str = "") -> dict[str, str]:
    lists = {"train": train, "val": val, "test": test}
    return {f"lists/splits/{split}.txt": text for split, text in lists.items()}


def test_forgeries_carry_actor_and_target_and_recordings_carry_the_actor(make_tree: MakeTree) -> None:
    tree = make_tree(
        FORGERY, NOISY, SOURCE, SIDE, SHAPES, texts=texts("000_M101.mp4\n\n", test="001_W004.mp4")
    )
    both = ("deeperforensics/M101", "faceforensics/youtube/000")
    target = ("faceforensics/youtube/000",)
    actor, take = ("deeperforensics/M101",), ("deeperforensics/M101/light_up_surprise",)
    listing = deeperforensics.read(tree)
    assert set(listing.entries) == {
        Entry(FORGERY, "fake", "end_to_end", both, target, "train"),
        Entry(NOISY, "fake", "end_to_end_mix_2_distortions", both, target, "train"),
        Entry(SOURCE, "real", "none", actor, take, "train"),
        Entry(SIDE, "real", "none", actor, take, "train"),
        Entry(
            SHAPES, "real", "none", ("deeperforensics/W004",), ("deeperforensics/W004/blendshape",), "test"
        ),
    }
    assert listing.annotations == ("lists/splits/train.txt", "lists/splits/val.txt", "lists/splits/test.txt")
    originals, studio, partial = listing.notes
    assert originals == NEEDS_ORIGINALS
    assert studio.startswith("3 recordings of actors are listed as real")
    assert partial == (
        "partial copy, listed but not here: end_to_end 1 of 2, end_to_end_mix_2_distortions 1 of 2"
    )


@pytest.mark.parametrize("number", ["000", "606", "685"])
def test_a_target_is_tied_to_its_video_in_faceforensics(make_tree: MakeTree, number: str) -> None:
    original = faceforensics.read(make_tree(f"original_sequences/youtube/c23/videos/{number}.mp4", name="ff"))
    forgery = deeperforensics.read(make_tree(f"manipulated_videos/end_to_end/{number}_M101.mp4", name="df"))
    assert set(original.entries[0].identities) < set(forgery.entries[0].identities)
    assert original.entries[0].sources == forgery.entries[0].sources


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (FORGERY, True),
        (SOURCE, True),
        (FORGERY.upper(), True),
        ("source_videos/holiday.mp4", False),
        ("manipulated_videos/a.mp4", False),
        ("manipulated_sequences/Deepfakes/c23/videos/000_003.mp4", False),
        ("fake/000_M101.mp4", False),
    ],
)
def test_a_copy_is_recognised_by_folders_and_names(make_tree: MakeTree, path: str, expected: bool) -> None:
    assert deeperforensics.recognises(make_tree(path)) is expected


def test_folders_and_names_in_any_letter_case(make_tree: MakeTree) -> None:
    tree = make_tree(
        "Manipulated_Videos/End_To_End/000_m101.MP4", texts={"Lists/Splits/VAL.txt": "000_m101\n"}
    )
    (entry,) = deeperforensics.read(tree).entries
    assert (entry.method, entry.identities[0], entry.split) == ("end_to_end", "deeperforensics/M101", "val")


@pytest.mark.parametrize(
    "path",
    [
        "manipulated_videos/end_to_end/00_M101.mp4",
        "manipulated_videos/end_to_end/000_X101.mp4",
        "manipulated_videos/end_to_end/000_003.mp4",
        "manipulated_videos/end_to_end/000_M101 (1).mp4",
        "manipulated_videos/end_to_end/more/000_M101.mp4",
        "manipulated_videos/000_M101.mp4",
        "source_videos/M101/light_up/surprise/camera_down/W004_light_up_surprise_camera_down.mp4",
        "source_videos/M101/light_up/surprise/camera_down/clip.mp4",
    ],
)
def test_a_name_that_does_not_parse_is_left_out_with_a_note(make_tree: MakeTree, path: str) -> None:
    listing = deeperforensics.read(make_tree(path, "elsewhere/a.mp4"))
    assert listing.entries == ()
    assert listing.notes[:1] == (f"left out, not called like a video of DeeperForensics: 1: {path}",)


def test_without_lists_nothing_is_prescribed(make_tree: MakeTree) -> None:
    listing = deeperforensics.read(make_tree(FORGERY))
    assert listing.entries[0].split is None
    assert listing.notes == (
        NEEDS_ORIGINALS,
        "no lists of splits (lists/splits/{train,val,test}.txt): the videos are assigned anew; "
        "the official lists are in the download of DeeperForensics-1.0",
    )


def test_recordings_of_an_actor_in_two_lists_have_no_split(make_tree: MakeTree) -> None:
    tree = make_tree(FORGERY, SOURCE, texts=texts("000_M101.mp4", val="001_M101.mp4"))
    listing = deeperforensics.read(tree)
    assert {entry.label: entry.split for entry in listing.entries} == {"fake": "train", "real": None}
    assert "actors in more than one list, so their recordings have no split: M101" in listing.notes


def test_a_forgery_in_no_list_is_assigned_anew(make_tree: MakeTree) -> None:
    listing = deeperforensics.read(make_tree(FORGERY, texts=texts("001_M101.mp4")))
    assert listing.entries[0].split is None
    assert f"in no list of splits, so assigned anew: 1: {FORGERY}" in listing.notes


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("end_to_end", "'end_to_end' names no forgery"),
        ("000_003.mp4", "'000_003.mp4' names no forgery"),
        ("[]", r"'\[\]' names no forgery"),
    ],
)
def test_a_malformed_line_is_named(make_tree: MakeTree, line: str, complaint: str) -> None:
    tree = make_tree(FORGERY, texts=texts(val=f"000_M101.mp4\n{line}\n"))
    with pytest.raises(DataError, match=rf"val\.txt:2: {complaint}"):
        deeperforensics.read(tree)


def test_lines_may_carry_a_path(make_tree: MakeTree) -> None:
    tree = make_tree(FORGERY, texts=texts(f"{FORGERY}\r\n"))
    assert deeperforensics.read(tree).entries[0].split == "train"


def test_a_forgery_in_two_lists_is_a_contradiction(make_tree: MakeTree) -> None:
    tree = make_tree(FORGERY, texts=texts("000_M101.mp4", test="000_M101.mp4"))
    with pytest.raises(DataError, match=r"test\.txt: 000_M101 stands in .*train\.txt too"):
        deeperforensics.read(tree)
