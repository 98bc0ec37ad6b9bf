"""Manifests in CSV and Parquet, and every way in which they can be wrong."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.datasets.layouts import manifest
from components.datasets.layouts.base import Entry, Listing
from components.datasets.tree import Tree, walk
from components.errors import DataError

MakeTree = Callable[..., Tree]

HEADER = "path,label,identity,source,method,split"


@pytest.fixture
def read_csv(make_tree: MakeTree) -> Callable[..., Listing]:
    def read(*lines: str, header: str = HEADER, paths: tuple[str, ...] = ()) -> Listing:
        return manifest.read(make_tree(*paths, texts={"manifest.csv": "\n".join([header, *lines])}))

    return read


@pytest.fixture
def read_parquet(tmp_path: Path) -> Callable[..., Listing]:
    def read(columns: dict[str, list[Any]], *paths: str) -> Listing:
        # A folder called so once made a column of itself.
        root = tmp_path / "label=real"
        for path in ("manifest.parquet", *paths):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).touch()
        pq.write_table(pa.table(columns), root / "manifest.parquet")
        return manifest.read(Tree(root, "own", walk(root).files))

    return read


def test_names_people_sources_methods_and_splits(read_csv: Callable[..., Listing]) -> None:
    listing = read_csv(
        "real/a.mp4,Real,p1,,,",
        "fake/b.mp4,fake, p2 ; p1;,real/a.mp4,swap,Test",
        "elsewhere/c.mp4,fake,,,,TrainVal",
        "elsewhere/d.mp4,,,,,",
        "",
    )
    assert listing.entries == (
        Entry("real/a.mp4", "real", "none", ("p1",)),
        Entry("fake/b.mp4", "fake", "swap", ("p1", "p2"), ("dataset/real/a.mp4",), "test"),
        Entry("elsewhere/c.mp4", "fake", "unknown", split="trainval"),
        Entry("elsewhere/d.mp4", None, "unknown"),
    )
    assert listing.annotations == ("manifest.csv",)
    assert listing.notes == (
        "manifest.csv: 4 of 4 listed videos are not there: "
        "real/a.mp4, fake/b.mp4, elsewhere/c.mp4, elsewhere/d.mp4",
    )


@pytest.mark.parametrize(
    ("source", "full_names"),
    [
        ("real/a.mp4", ("own/real/a.mp4",)),
        ("./real/a.mp4", ("own/real/a.mp4",)),
        ("real/a", ("own/real/a.mp4",)),
        ("fake/b.v2", ("own/fake/b.v2.mov",)),  # a listed video whose file is not there
        ("fake/b", ("own/fake/b",)),
        ("take 7", ("own/take 7",)),
        ("take 7; real/a ;", ("own/real/a.mp4", "own/take 7")),
        ("..", ("own/..",)),
        ("/", ("own//",)),
        ("", ()),
    ],
)
def test_sources_are_those_of_this_dataset(
    make_tree: MakeTree, source: str, full_names: tuple[str, ...]
) -> None:
    text = f"path,label,source\nfake/b.v2.mov,fake,{source}\n"
    tree = make_tree("real/a.mp4", texts={"manifest.csv": text}, name="own")
    assert manifest.read(tree).entries[0].sources == full_names


def test_survives_spreadsheets(read_csv: Callable[..., Listing]) -> None:
    listing = read_csv(
        './real/a.mp4 , real,"Doe, Jane"', "fake/b.mp4,fake,x", header="\ufeffPath, LABEL ,identity"
    )
    assert listing.entries[0] == Entry("real/a.mp4", "real", "none", ("Doe, Jane",))


WRITTEN = (
    "real/José 1/a.mp4",
    "real/Jose\u0301 1/a.mp4",
    "Real/JOSÉ 1/A.MP4",
    "real/ José\u00a0 1/a.mp4",
    "real\\José 1\\a.mp4",
)


@pytest.mark.parametrize("there", WRITTEN[:3])
@pytest.mark.parametrize("written", WRITTEN)
def test_files_are_found_however_paths_are_written(
    read_csv: Callable[..., Listing], there: str, written: str
) -> None:
    """A Mac's file system decomposes names, editors compose them."""
    listing = read_csv(
        f"{written},real,,,,", f"b.mp4,fake,,{written.removesuffix('.mp4')},,", paths=(there, "b.mp4")
    )
    assert [entry.path for entry in listing.entries] == [there, "b.mp4"]
    assert listing.entries[1].sources == (f"dataset/{there}",) or "\\" in written
    note = f"manifest.csv: 1 paths are not written as their files are named: {there}"
    assert listing.notes == ((note,) if written != there else ())


def test_files_whose_names_are_equal_are_still_files_of_their_own(read_csv: Callable[..., Listing]) -> None:
    paths = ("real/José.mp4", "real/Jose\u0301.mp4", "real/josé.mp4")
    assert [
        entry.path for entry in read_csv(*(f"{path},real,,,," for path in paths), paths=paths).entries
    ] == [*paths]
    composed = (f"{path},real,,,," for path in ("real/JOSÉ.mp4", "real/josé.mp4"))
    listing = read_csv(*composed, paths=("real/JOSE\u0301.mp4", "real/jose\u0301.mp4"))
    assert [entry.path for entry in listing.entries][:2] == ["real/JOSE\u0301.mp4", "real/josé.mp4"]


def test_words_are_understood_however_they_are_written(read_csv: Callable[..., Listing]) -> None:
    listing = read_csv(
        "a.mp4,REAL,,,None,Training", "b.mp4,\u00a0Fake,,,UNKNOWN,validation", "c.mp4,fake,,,x,TEST"
    )
    assert [(entry.label, entry.method, entry.split) for entry in listing.entries] == [
        ("real", "none", "train"),
        ("fake", "unknown", "val"),
        ("fake", "x", "test"),
    ]


@pytest.mark.parametrize("column", [True, False])
def test_folders_name_the_split_where_no_column_does(read_csv: Callable[..., Listing], column: bool) -> None:
    paths = [f"{split}/{label}/a.mp4" for split in ("train", "val", "test") for label in ("real", "fake")]
    lines = [f"{path},{path.split('/')[1]}{',' * column}" for path in paths]
    listing = read_csv(*lines, header="path,label" + ",split" * column, paths=tuple(paths))
    expected = [None if column else path.split("/")[0] for path in paths]
    assert [entry.split for entry in listing.entries] == expected
    assert listing.notes == (() if column else ("splits as folders name them: train 2, val 2, test 2",))


def test_leaves_out_what_it_does_not_list_and_says_so(read_csv: Callable[..., Listing]) -> None:
    listing = read_csv(
        "real/a.mp4,real,p1",
        "fake/a.mp4,fake,p1",
        header="path,label,identites",
        paths=("real/a.mp4", *(f"fake/{name}.mp4" for name in "abcdefgh")),
    )
    assert [entry.path for entry in listing.entries] == ["real/a.mp4", "fake/a.mp4"]
    assert listing.notes == (
        "manifest.csv: columns not used: identites",
        "manifest.csv: 7 videos are not listed and left out: "
        "fake/b.mp4, fake/c.mp4, fake/d.mp4, fake/e.mp4, fake/f.mp4 and 2 more",
    )


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["real/a.mp4,real,,,,", "real/a.mp4,real,,,,"],
            ":3: real/a.mp4 stands in line 2 already; remove one",
        ),
        (
            ["real/a.mp4,real,,,,", "./real/a.mp4,real,,,,"],
            ":3: real/a.mp4 stands in line 2 already; remove one",
        ),
        (["real/a.mp4,genuine,,,,"], ":2: label 'genuine'; write real or fake, or leave it empty"),
        (["Real/a.mp4,fake,,,,"], ":2: Real/a.mp4 is labelled fake; move the file or correct the label"),
        (["real/a.mp4,real,,,swap,"], ":2: method 'swap' on a real video; correct the method or the label"),
        (["fake/a.mp4,fake,,,none,"], ":2: method 'none' on a fake video; correct the method or the label"),
        (["a.mp4,,,,swap,"], ":2: method 'swap' on a video without a label; add the label"),
        (
            ["fake/a.mp4,fake,,,,fold1"],
            ":2: split 'fold1'; write train, val, test, trainval, or leave it empty",
        ),
        (["fake/a.mp4,fake"], ":2: 2 values for 6 columns; quote values with commas"),
        ([",fake,,,,"], ":2: no path; name a file, relative to the data folder"),
        (["/,fake,,,,"], ":2: no path; name a file, relative to the data folder"),
        (
            ["../a.mp4,fake,,,,"],
            ":2: path '../a.mp4' leaves the data folder; give it relative to that folder",
        ),
        (
            ["a\0.mp4,fake,,,,"],
            ":2: path 'a\\x00.mp4' holds control characters; write it without them",
        ),
        (["/a.mp4,fake,,,,"], ":2: path '/a.mp4' leaves the data folder; give it relative to that folder"),
        (
            ["fake/a.mp4,fake,,p\x1b[2J,,"],
            ":2: source 'p\\x1b[2J' holds control characters; write it without them",
        ),
        (
            ['fake/a.mp4,fake,"\np1",,,', "x,y,,,,"],
            ":4: label 'y'; write real or fake, or leave it empty",
        ),
    ],
)
def test_names_the_line_that_is_wrong(
    tmp_path: Path, read_csv: Callable[..., Listing], lines: list[str], message: str
) -> None:
    with pytest.raises(DataError) as caught:
        read_csv(*lines)
    assert str(caught.value) == f"{tmp_path / 'dataset' / 'manifest.csv'}{message}"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("path,class", ":1: no column label; there must be path,label"),
        ("", ":1: no column path and label; there must be path,label"),
        ("path,label,label", ":1: column label stands there twice; remove one"),
    ],
)
def test_checks_its_header(read_csv: Callable[..., Listing], header: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        read_csv(header=header)
    assert str(caught.value).endswith(message)


ROWS = [["Path ", "label", "identity"], ["a b.mp4", "real", "José"], ["b.mp4", "fake", "José;Zoë, of Köln"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quoted", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("before", ["", "sep=%s\r\n"])
def test_tables_are_read_however_spreadsheets_save_them(
    make_tree: MakeTree, encoding: str, separator: str, quoted: Any, before: str
) -> None:
    text = io.StringIO(newline="")
    text.write(before.replace("%s", separator))
    csv.writer(text, delimiter=separator, quoting=quoted).writerows([*ROWS, ["", "", ""]])
    tree = make_tree("manifest.csv", "a b.mp4", "b.mp4")
    (tree.root / "manifest.csv").write_bytes(text.getvalue().encode(encoding))
    listing = manifest.read(tree)
    assert listing.entries == (
        Entry("a b.mp4", "real", "none", ("José",)),
        Entry("b.mp4", "fake", "unknown", ("José", "Zoë, of Köln")),
    )
    plain = separator == "," and encoding.startswith("utf-8")
    assert len(listing.notes) == (0 if plain else 1)
    assert all(note.startswith("manifest.csv: read as UTF-") for note in listing.notes)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "path,label\nJosé.mp4,real\n".encode("cp1252"),
            r":2: not text in UTF-8; read as Windows-1252 the line is 'José\.mp4,real'; save the file as",
        ),
        ("path,label\nJosé.mp4,real\n".encode("utf-16")[:-1], r": not text in UTF-16.*; save it as UTF-8"),
        (
            b"path,label\n<<<<<<< HEAD\na.mp4,real\n=======\na.mp4,fake\n>>>>>>> theirs\n",
            r":2: '<<<<<<< HEAD' is a mark of a merge conflict; keep the lines of one side",
        ),
        (
            b"path;label;x\na.mp4;fake;1;2\n",
            ":2: 4 values for 3 columns; quote values with semicolons",
        ),
        (b"path label\na.mp4 real\n", ":1: no column path and label; there must be path,label"),
        (b'path,label\n"real/a.mp4,real', "not a CSV file"),
    ],
)
def test_file_that_is_no_csv(make_tree: MakeTree, content: bytes, message: str) -> None:
    tree = make_tree("manifest.csv")
    (tree.root / "manifest.csv").write_bytes(content)
    with pytest.raises(DataError, match=message):
        manifest.read(tree)


def test_parquet_says_the_same_as_csv(read_parquet: Callable[..., Listing]) -> None:
    listing = read_parquet(
        {
            "Path": ["real/a.mp4", "fake/b.mp4", "c.mp4"],
            "label": pa.array(["real", "fake", None]).dictionary_encode(),
            "identity": [["p1"], ["p2", "p1"], None],
            "source": [None, "real/a", ""],
            "split": ["train", "test", None],
            "identites": [1, 2, 3],
        },
        *("real/a.mp4", "fake/b.mp4", "c.mp4"),
    )
    assert listing.entries == (
        Entry("real/a.mp4", "real", "none", ("p1",), (), "train"),
        Entry("fake/b.mp4", "fake", "unknown", ("p1", "p2"), ("own/real/a.mp4",), "test"),
        Entry("c.mp4", None, "unknown"),
    )
    assert listing.notes == ("manifest.parquet: columns not used: identites",)
    assert listing.annotations == ("manifest.parquet",)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"path": ["a.mp4", "b.mp4"], "label": ["real", "y"]},
            ": row 2: label 'y'; write real or fake, or leave it empty",
        ),
        (
            {"path": ["a.mp4", "a.mp4"], "label": ["real", "real"]},
            ": row 2: a.mp4 stands in row 1 already; remove one",
        ),
        (
            {"path": ["a.mp4"], "label": ["real"], "identity": [["p1", "p\x1b[2J"]]},
            ": row 1: identity 'p1;p\\x1b[2J' holds control characters; write it without them",
        ),
        ({"path": [b"a"], "label": ["real"]}, ": column path holds binary; write its values as strings"),
        ({"path": ["a"], "label": [True]}, ": column label holds bool; write its values as strings"),
        (
            {"path": ["a"], "label": ["real"], "Identity": [[7]]},
            ": column Identity holds list<element: int64>; write its values as strings",
        ),
        ({"path": ["a.mp4"]}, ": no column label; there must be path,label"),
        (
            {"path": ["a"], "label": ["real"], "Label": ["fake"]},
            ": column label stands there twice; remove one",
        ),
    ],
)
def test_parquet_names_the_row_that_is_wrong(
    tmp_path: Path, read_parquet: Callable[..., Listing], columns: dict[str, list[Any]], message: str
) -> None:
    with pytest.raises(DataError) as caught:
        read_parquet(columns)
    assert str(caught.value) == f"{tmp_path / 'label=real' / 'manifest.parquet'}{message}"


def test_parquet_with_text_that_is_not_utf_8(read_parquet: Callable[..., Listing]) -> None:
    raw = pa.array([b"x/a\xff.mp4"])
    path = pa.Array.from_buffers(pa.string(), 1, raw.buffers())
    with pytest.raises(DataError, match=r"manifest\.parquet: not a Parquet file \('utf-8' codec"):
        read_parquet({"path": path, "label": ["real"]})


def test_parquet_columns_that_are_not_used_are_not_read(read_parquet: Callable[..., Listing]) -> None:
    # No datetime holds this.
    columns = {"path": ["a.mp4"], "label": ["real"], "when": pa.array([2**62], pa.timestamp("us"))}
    assert read_parquet(columns).entries == (Entry("a.mp4", "real", "none"),)


@pytest.mark.parametrize(
    "text", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
)
def test_parquet_holds_text_in_several_types(read_parquet: Callable[..., Listing], text: pa.DataType) -> None:
    people = pa.array([["p1", None]], pa.large_list(pa.string()))
    columns = {"path": pa.array(["a.mp4"], text), "label": ["real"], "identity": people, "source": [None]}
    assert read_parquet(columns).entries == (Entry("a.mp4", "real", "none", ("p1",)),)


def test_columns_that_are_not_used_may_hold_anything(read_csv: Callable[..., Listing]) -> None:
    listing = read_csv('a.mp4,real,"two\nlines"', header="path,label,re\x1bmark", paths=("a.mp4",))
    assert listing.entries == (Entry("a.mp4", "real", "none"),)
    assert listing.notes == (r"manifest.csv: columns not used: re\x1bmark",)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"manifest.parquet": "path,label"}, "not a Parquet file"),
        (
            {"manifest.csv": HEADER, "Manifest.Parquet": ""},
            "both manifest.csv and Manifest.Parquet are there",
        ),
        ({}, "neither manifest.csv nor manifest.parquet is there"),
    ],
)
def test_files_that_cannot_be_the_manifest(make_tree: MakeTree, files: dict[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        manifest.read(make_tree(texts=files))


def test_without_lines_it_lists_nothing(read_csv: Callable[..., Listing]) -> None:
    assert read_csv() == Listing((), (), ("manifest.csv",))
