"""FaceForensics++: what names and official lists say, whole copies and broken ones."""

import json
from collections import defaultdict
from collections.abc import Iterable

import pytest

from components.datasets.layouts import LAYOUTS, faceforensics, manifest
from components.datasets.layouts.base import Entry, Listing
from components.datasets.layouts.faceforensics_names import SAME_VIDEO
from components.errors import DataError
from tests.components.datasets.layouts.conftest import MakeTree

YOUTUBE = "original_sequences/youtube/c23/videos"
ACTORS = "original_sequences/actors/c23/videos"
DEEPFAKES = "manipulated_sequences/Deepfakes/c23/videos"
DFD = "manipulated_sequences/DeepFakeDetection/c23/videos"

Pairs = Iterable[tuple[str, str]]


def texts(train: Pairs = (), val: Pairs = (), test: Pairs = ()) -> dict[str, str]:
    lists = {"train": train, "val": val, "test": test}
    return {f"splits/{split}.json": json.dumps(list(pairs)) for split, pairs in lists.items()}


def by_path(listing: Listing) -> dict[str, Entry]:
    return {entry.path: entry for entry in listing.entries}


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ([f"{YOUTUBE}/000.mp4"], True),
        (["MANIPULATED_SEQUENCES/Deepfakes/c23/videos/000_003.mp4"], True),
        (["original/000.mp4", "face2face/000_003.mp4"], True),
        (["original/000.mp4"], False),
        (["Deepfakes/000_003.mp4", "real/000.mp4"], False),
        (["real/a.mp4", "fake/b.mp4"], False),
        (["original_sequences"], False),
    ],
)
def test_a_copy_is_recognised_by_its_folders(make_tree: MakeTree, paths: list[str], expected: bool) -> None:
    assert faceforensics.recognises(make_tree(*paths)) is expected


def test_the_layout_is_asked_before_that_of_two_class_folders() -> None:
    order = list(LAYOUTS)
    assert order.index(manifest.NAME) < order.index("faceforensics")
    assert order.index("faceforensics") < order.index("folders")


def test_a_pair_puts_both_originals_and_both_directions_into_its_split(make_tree: MakeTree) -> None:
    tree = make_tree(
        *(f"{YOUTUBE}/{number}.mp4" for number in ("071", "054", "720", "672", "953", "974")),
        *(
            f"{DEEPFAKES}/{stem}.mp4"
            for stem in ("071_054", "054_071", "720_672", "672_720", "953_974", "974_953")
        ),
        texts=texts([("071", "054")], [("720", "672")], [("953", "974")]),
    )
    listing = faceforensics.read(tree)
    assert {path.rsplit("/", 1)[1][:-4]: entry.split for path, entry in by_path(listing).items()} == {
        **dict.fromkeys(("071", "054", "071_054", "054_071"), "train"),
        **dict.fromkeys(("720", "672", "720_672", "672_720"), "val"),
        **dict.fromkeys(("953", "974", "953_974", "974_953"), "test"),
    }
    assert {entry.label for entry in listing.entries if "manipulated" in entry.path} == {"fake"}
    assert {entry.label for entry in listing.entries if "original" in entry.path} == {"real"}
    assert listing.notes == ()
    assert listing.annotations == ("splits/train.json", "splits/val.json", "splits/test.json")


def test_lists_are_found_beside_the_folders_and_in_any_letter_case(make_tree: MakeTree) -> None:
    tree = make_tree(f"{YOUTUBE}/071.mp4", texts={"Train.JSON": '[["071", "071"]]'})
    listing = faceforensics.read(tree)
    assert listing.entries[0].split == "train"
    assert listing.annotations == ("Train.JSON",)


def test_without_lists_a_note_says_where_they_are(make_tree: MakeTree) -> None:
    listing = faceforensics.read(make_tree(f"{YOUTUBE}/000.mp4", f"{DEEPFAKES}/000_003.mp4"))
    assert {entry.split for entry in listing.entries} == {None}
    assert listing.notes == (
        "no lists of splits (splits/{train,val,test}.json): the videos are assigned anew; "
        "the official lists are in https://github.com/ondyari/FaceForensics/tree/master/dataset/splits",
    )


def test_with_one_list_missing_the_others_still_hold(make_tree: MakeTree) -> None:
    lists = texts(train=[("000", "001")], test=[("004", "005")])
    del lists["splits/val.json"]
    tree = make_tree(*(f"{YOUTUBE}/00{number}.mp4" for number in range(6)), texts=lists)
    listing = faceforensics.read(tree)
    assert [entry.split for entry in listing.entries] == ["train", "train", None, None, "test", "test"]
    missing, unlisted = listing.notes
    assert missing.startswith("no list for val (")
    assert unlisted == (f"in no list of splits, so assigned anew: 2: {YOUTUBE}/002.mp4, {YOUTUBE}/003.mp4")


def test_a_forgery_that_joins_two_lists_has_no_split(make_tree: MakeTree) -> None:
    tree = make_tree(
        f"{YOUTUBE}/000.mp4",
        f"{DEEPFAKES}/000_002.mp4",
        f"{DEEPFAKES}/000_009.mp4",
        texts=texts([("000", "001")], [("002", "003")]),
    )
    listing = faceforensics.read(tree)
    assert {entry.path: entry.split for entry in listing.entries} == {
        f"{YOUTUBE}/000.mp4": "train",
        f"{DEEPFAKES}/000_002.mp4": None,
        f"{DEEPFAKES}/000_009.mp4": None,
    }
    assert listing.notes == (
        f"forgeries that join ids of two lists have no split: 1: {DEEPFAKES}/000_002.mp4",
        f"in no list of splits, so assigned anew: 1: {DEEPFAKES}/000_009.mp4",
        "partial copy, listed but not here: Deepfakes/c23 4 of 4, youtube/c23 3 of 4",
    )


def test_a_partial_copy_is_counted_by_method_and_compression(make_tree: MakeTree) -> None:
    tree = make_tree(
        *(f"{YOUTUBE}/{number}.mp4" for number in ("000", "001", "002", "003")),
        f"{DEEPFAKES}/000_001.mp4",
        "manipulated_sequences/FaceSwap/c23/videos/000_001.mp4",
        "manipulated_sequences/FaceSwap/c23/videos/001_000.mp4",
        texts=texts([("000", "001")], [("002", "003")]),
    )
    assert faceforensics.read(tree).notes == (
        "partial copy, listed but not here: Deepfakes/c23 3 of 4, FaceSwap/c23 2 of 4",
    )


def test_compressions_of_one_class_only_are_named(make_tree: MakeTree) -> None:
    tree = make_tree(
        f"{YOUTUBE}/000.mp4",
        "original_sequences/youtube/raw/videos/000.mp4",
        "manipulated_sequences/Deepfakes/c40/videos/000_000.mp4",
        f"{ACTORS}/01__walk.mp4",
        f"{DFD}/01_02__walk__YVGY8LOK.mp4",
        texts=texts([("000", "000")]),
    )
    notes = [note for note in faceforensics.read(tree).notes if note.startswith("compressions")]
    assert notes == [
        "compressions of youtube differ (originals c23, raw; forgeries c40): "
        "a detector may learn them; get the same for both"
    ]


def test_masks_and_what_is_called_otherwise_are_left_out_with_a_note(make_tree: MakeTree) -> None:
    tree = make_tree(
        f"{YOUTUBE}/000.mp4",
        f"{YOUTUBE}/zero.mp4",
        "manipulated_sequences/Deepfakes/masks/videos/000_001.mp4",
        "manipulated_sequences/Deepfakes/c23/images/000_001/0000.png",
        "downloaded_videos/--b1Ua-kWJE/--b1Ua-kWJE.mp4",
        "another/dataset/a.mp4",
        texts=texts([("000", "000")]),
    )
    listing = faceforensics.read(tree)
    assert [entry.path for entry in listing.entries] == [f"{YOUTUBE}/000.mp4"]
    assert listing.notes == (
        "left out, masks, images and models: 2 files",
        f"left out, not called like a video of FaceForensics++: 1: {YOUTUBE}/zero.mp4",
    )


def test_deep_fake_detection_has_no_split_even_beside_the_lists(make_tree: MakeTree) -> None:
    tree = make_tree(
        f"{YOUTUBE}/001.mp4",
        f"{ACTORS}/01__walk.mp4",
        f"{DFD}/01_02__walk__YVGY8LOK.mp4",
        texts=texts([("001", "001")]),
    )
    listing = faceforensics.read(tree)
    assert [entry.split for entry in listing.entries if "001.mp4" not in entry.path] == [None, None]
    assert listing.notes == ("Deep Fake Detection has no official split: its 2 videos are assigned anew",)


def test_deep_fake_detection_alone_asks_for_no_lists(make_tree: MakeTree) -> None:
    notes = faceforensics.read(make_tree(f"{ACTORS}/01__walk.mp4")).notes
    assert notes == ("Deep Fake Detection has no official split: its 1 videos are assigned anew",)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ('{"train": []}', "no list; write pairs"),
        ('[["071", "054"], ["071"]]', r'entry 2: \["071"\] is no pair of ids'),
        ("[[71, 54]]", r"entry 1: \[71, 54\] is no pair of ids"),
        ('[["71", "54"]]', "entry 1: .* is no pair of ids"),
        ('["071", "054"]', 'entry 1: "071" is no pair of ids'),
        ('["ab"]', 'entry 1: "ab" is no pair of ids'),
        ("[null]", "entry 1: null is no pair of ids"),
        ("[[", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("", "not valid JSON"),
    ],
)
def test_a_malformed_list_is_named_with_its_entry(make_tree: MakeTree, content: str, complaint: str) -> None:
    tree = make_tree(f"{YOUTUBE}/071.mp4", texts={"splits/val.json": content})
    with pytest.raises(DataError, match=rf"splits/val\.json: {complaint}"):
        faceforensics.read(tree)


def test_an_id_in_two_lists_is_a_contradiction(make_tree: MakeTree) -> None:
    tree = make_tree(f"{YOUTUBE}/071.mp4", texts=texts([("071", "054")], test=[("071", "003")]))
    with pytest.raises(DataError, match=r"splits/test\.json: 071 stands in .*splits/train\.json too"):
        faceforensics.read(tree)


STRADDLING_VAL = ["606", "640", "837", "875", "982", "566", "567"]
STRADDLING_TEST = ["755", "955", "973", "974"]


def test_seven_videos_straddle_lists_of_the_official_proportions(make_tree: MakeTree) -> None:
    """The ids that matter stand where the official lists put them; the rest are assigned in order."""
    rest = sorted({f"{number:03d}" for number in range(1000)} - {*STRADDLING_VAL, *STRADDLING_TEST})
    fillers = [number for number in rest if not any(number in group for group in SAME_VIDEO)]
    val = STRADDLING_VAL + fillers[: 140 - len(STRADDLING_VAL)]
    test = STRADDLING_TEST + fillers[200 : 340 - len(STRADDLING_TEST)]
    train = sorted(set(rest) - {*val, *test})
    pairs = [list(zip(ids[::2], ids[1::2], strict=True)) for ids in (train, val, test)]
    forgeries = [f"{a}_{b}" for part in pairs for pair in part for a, b in (pair, pair[::-1])]
    tree = make_tree(
        *(f"{YOUTUBE}/{number:03d}.mp4" for number in range(1000)),
        *(f"{DEEPFAKES}/{stem}.mp4" for stem in forgeries),
        texts=texts(*pairs),
    )
    listing = faceforensics.read(tree)
    splits = [entry.split for entry in listing.entries]
    assert listing.notes == ()
    assert [splits.count(split) for split in ("train", "val", "test")] == [1440, 280, 280]
    assert straddling(listing) == {
        f"faceforensics/youtube/{name}"
        for name in ("605=606", "639=640", "755=756", "837=838", "875=876", "954=955", "982=983")
    }


def straddling(listing: Listing) -> set[str]:
    splits = defaultdict(set)
    for entry in listing.entries:
        for source in entry.sources:
            splits[source].add(entry.split)
    return {source for source, of_source in splits.items() if len(of_source) > 1}
