"""FakeAVCeleb: what is seen decides the label, and the table's odd columns."""

from collections.abc import Callable

import pytest

from components.datasets.found import find_layout
from components.datasets.layouts import fakeavceleb
from components.datasets.layouts.base import Entry, Label
from components.datasets.tree import Tree
from components.errors import DataError

MakeTree = Callable[..., Tree]

REAL = "RealVideo-RealAudio/African/men/id00076/00109.mp4"
DUBBED = "RealVideo-FakeAudio/African/men/id00076/00109_fake.mp4"
SWAP = "FakeVideo-RealAudio/Asian (East)/women/id00592/00017_id00713_qYTa_vOv.mp4"
LIPS = "FakeVideo-FakeAudio/African/men/id00076/00109_10_id00476_wavtolip.mp4"
FOLDER = "FakeAVCeleb/RealVideo-RealAudio/African/men/id00076"

HEADER = "source,target1,target2,method,category,type,race,gender"
LINES = (
    "id00076,-,-,real,A,RealVideo-RealAudio,African,men,00109.mp4",
    "id00592,id00713,-,faceswap,C,FakeVideo-RealAudio,Asian (East),women,00017_id00713_qYTa_vOv.mp4",
    "id00076,id00476,10,wav2lip,D,FakeVideo-FakeAudio,African,men,00109_10_id00476_wavtolip.mp4",
    "id00076,-,-,rtvc,B,RealVideo-FakeAudio,African,men,00109_fake.mp4",
)
ENTRIES: dict[str, tuple[Label, str, tuple[str, ...], str]] = {
    REAL: ("real", "none", ("id00076",), "id00076/00109"),
    DUBBED: ("real", "none", ("id00076",), "id00076/00109"),
    SWAP: ("fake", "faceswap", ("id00592", "id00713"), "id00592/00017"),
    LIPS: ("fake", "wav2lip", ("id00076", "id00476"), "id00076/00109"),
}


def expected(path: str) -> Entry:
    label, method, people, source = ENTRIES[path]
    named = tuple(f"fakeavceleb/{person}" for person in people)
    return Entry(path, label, method, named, (f"fakeavceleb/{source}",))


@pytest.mark.parametrize(
    ("columns", "end"),
    [
        (",path,", f",{FOLDER}"),
        (",filename,path", f",{FOLDER}"),
        (",filename,path,", f",{FOLDER},"),
        (",path", ""),
    ],
    ids=["published", "named", "named with a comma", "without folders"],
)
def test_the_table_is_read_however_its_last_columns_are_called(
    make_tree: MakeTree, columns: str, end: str
) -> None:
    table = "\n".join([HEADER + columns, *(line + end for line in LINES)])
    tree = make_tree(*ENTRIES, texts={"meta_data.csv": table})
    assert find_layout(tree) is fakeavceleb
    listing = fakeavceleb.read(tree)
    assert {entry.path: entry for entry in listing.entries} == {path: expected(path) for path in ENTRIES}
    assert listing.annotations == ("meta_data.csv",)
    dubbed, split = listing.notes
    assert dubbed.startswith("1 videos of realvideo-fakeaudio are labelled real: their sound is forged")
    assert "no official split" in split


def test_names_alone_tell_nearly_as_much(make_tree: MakeTree) -> None:
    listing = fakeavceleb.read(make_tree(REAL, SWAP, LIPS, "FakeVideo-RealAudio/Asian (East)/loose.mp4"))
    methods = {entry.path: entry.method for entry in listing.entries}
    assert methods == {REAL: "none", SWAP: "unknown", LIPS: "wav2lip"}
    assert [entry.identities for entry in listing.entries] == [
        expected(entry.path).identities for entry in listing.entries
    ]
    notes = "\n".join(listing.notes)
    assert "no videos in realvideo-fakeaudio" in notes
    assert "names that tell nobody: 1 videos: FakeVideo-RealAudio/Asian (East)/loose.mp4" in notes
    assert "no meta_data.csv" in notes


def test_what_table_and_folders_lack_is_told(make_tree: MakeTree) -> None:
    table = "\n".join([f"{HEADER},path,", *(f"{line},{FOLDER}" for line in LINES[1:])])
    notes = "\n".join(fakeavceleb.read(make_tree(REAL, LIPS, texts={"meta_data.csv": table})).notes)
    assert "2 of 3 videos are not there: fakevideo-realaudio/id00592/00017" in notes
    assert "1 videos are not in it, so names tell of them: realvideo-realaudio/id00076/00109.mp4" in notes


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("path,label\na,real\n", r"meta_data\.csv:1: does not begin with source,target1"),
        (f"{HEADER},path,\nid1,-,-\n", r"meta_data\.csv:2: 3 values, no file name among them"),
        (f'{HEADER}\n"a', r"not a CSV file"),
    ],
)
def test_another_table_is_refused(make_tree: MakeTree, table: str, told: str) -> None:
    with pytest.raises(DataError, match=told):
        fakeavceleb.read(make_tree(REAL, texts={"meta_data.csv": table}))


def test_names_are_compared_however_they_are_written(make_tree: MakeTree) -> None:
    path = "RealVideo-RealAudio /African/men/ID00076/00109.MP4"
    cells = LINES[0].replace("RealVideo-RealAudio", "Realvideo-\u200bRealAudio").replace("id0", "Id0")
    listing = fakeavceleb.read(make_tree(path, texts={"meta_data.csv": f"{HEADER},path,\n{cells}\n"}))
    assert listing.entries == (
        Entry(path, "real", "none", ("fakeavceleb/id00076",), ("fakeavceleb/id00076/00109",)),
    )
    assert not [note for note in listing.notes if "not there" in note or "not in it" in note]
    assert "realvideo-realaudio" not in listing.notes[0]
