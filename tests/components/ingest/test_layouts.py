"""Both layouts, and every way in which a data folder can be wrong."""

from pathlib import Path

import pytest

from components.errors import DataError
from components.ingest.layouts import read_listing
from components.ingest.layouts.base import Entry, Listing

HEADER = "path,label,identity,source,method,split"
REMEDY = "the first line must be path,label[,identity,source,method,split]"


def make_data(root: Path, *paths: str, manifest: str | None = None) -> Path:
    data = root / "data"
    for path in paths:
        (data / path).parent.mkdir(parents=True, exist_ok=True)
        (data / path).touch()
    if manifest is not None:
        data.mkdir(exist_ok=True)
        (data / "manifest.csv").write_text(manifest, encoding="utf-8")
    return data


def read_manifest(root: Path, *lines: str, header: str = HEADER) -> Listing:
    return read_listing(make_data(root, manifest="\n".join([header, *lines])))


def test_folders_in_any_letter_case_and_at_any_depth(tmp_path: Path) -> None:
    data = make_data(tmp_path, "Real/a.mp4", "Real/more/b.MOV", "FAKE/c.webm", "other/d.mp4", "e.mp4")
    assert read_listing(data).entries == (
        Entry("FAKE/c.webm", "fake", "unknown"),
        Entry("Real/a.mp4", "real", "none"),
        Entry("Real/more/b.MOV", "real", "none"),
    )


def test_folders_leave_out_what_is_no_video_and_say_so(tmp_path: Path) -> None:
    data = make_data(tmp_path, "real/a.mp4", "fake/b.mp4", "fake/b.txt", "fake/._b.mp4", "fake/x\ny.mp4")
    listing = read_listing(data)
    assert [entry.path for entry in listing.entries] == ["fake/b.mp4", "real/a.mp4"]
    assert listing.notes == (r"left out, not a video by its name: fake/b.txt, fake/x\ny.mp4",)


def test_a_link_to_a_file_that_is_gone_is_still_listed(tmp_path: Path) -> None:
    data = make_data(tmp_path, "real/a.mp4", "fake/b.mp4")
    (data / "fake" / "gone.mp4").symlink_to(tmp_path / "gone.mp4")
    assert "fake/gone.mp4" in [entry.path for entry in read_listing(data).entries]


def test_manifest_names_people_sources_methods_and_splits(tmp_path: Path) -> None:
    listing = read_manifest(
        tmp_path,
        "real/a.mp4,Real,p1,,,",
        "fake/b.mp4,fake, p2 ; p1;,real/a.mp4,swap,Test",
        "elsewhere/c.mp4,fake,,,,",
        "",
    )
    assert listing.entries == (
        Entry("elsewhere/c.mp4", "fake", "unknown"),
        Entry("fake/b.mp4", "fake", "swap", ("p1", "p2"), "real/a.mp4", "test"),
        Entry("real/a.mp4", "real", "none", ("p1",)),
    )
    assert listing.notes == ()


def test_manifest_survives_spreadsheets(tmp_path: Path) -> None:
    listing = read_manifest(
        tmp_path, './real/a.mp4 , real,"Doe, Jane"', "fake/b.mp4,fake,x", header="﻿Path, LABEL ,identity"
    )
    assert listing.entries[1] == Entry("real/a.mp4", "real", "none", ("Doe, Jane",))


def test_manifest_leaves_out_what_it_does_not_list_and_says_so(tmp_path: Path) -> None:
    data = make_data(
        tmp_path,
        *(f"fake/{name}.mp4" for name in "abcdefgh"),
        manifest="path,label,identites\nreal/a.mp4,real,p1\nfake/a.mp4,fake,p1\n",
    )
    listing = read_listing(data)
    assert [entry.path for entry in listing.entries] == ["fake/a.mp4", "real/a.mp4"]
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
        (["real/a.mp4,genuine,,,,"], ":2: label 'genuine'; write real or fake"),
        (["Real/a.mp4,fake,,,,"], ":2: Real/a.mp4 is labelled fake; move the file or correct the label"),
        (["real/a.mp4,real,,,swap,"], ":2: method 'swap' on a real video; correct the method or the label"),
        (["fake/a.mp4,fake,,,none,"], ":2: method 'none' on a fake video; correct the method or the label"),
        (["fake/a.mp4,fake,,,,dev"], ":2: split 'dev'; write train, val, test, or leave it empty"),
        (["fake/a.mp4,fake"], ":2: 2 values for 6 columns; quote values with commas"),
        ([",fake,,,,"], ":2: no path; name a file, relative to the data folder"),
        (
            ["../a.mp4,fake,,,,"],
            ":2: path '../a.mp4' leaves the data folder; give it relative to that folder",
        ),
        (["/a.mp4,fake,,,,"], ":2: path '/a.mp4' leaves the data folder; give it relative to that folder"),
        (['fake/a.mp4,fake,"p\n1",,,', "x,y,,,,"], ":4: label 'y'; write real or fake"),
    ],
)
def test_manifest_names_the_line_that_is_wrong(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(DataError) as caught:
        read_manifest(tmp_path, *lines)
    assert str(caught.value) == f"{tmp_path / 'data' / 'manifest.csv'}{message}"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            "path,class",
            ":1: no column label; the first line must be path,label[,identity,source,method,split]",
        ),
        (
            "",
            ":1: no column path and label; the first line must be path,label[,identity,source,method,split]",
        ),
        ("path,label,label", ":1: column label stands there twice; remove one"),
    ],
)
def test_manifest_checks_its_header(tmp_path: Path, header: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        read_manifest(tmp_path, header=header)
    assert str(caught.value).endswith(message)


@pytest.mark.parametrize("content", [b"path,label\n\xff,real", b'path,label\n"real/a.mp4,real'])
def test_manifest_that_is_no_csv(tmp_path: Path, content: bytes) -> None:
    data = make_data(tmp_path, "real/a.mp4")
    (data / "manifest.csv").write_bytes(content)
    with pytest.raises(DataError, match="not a CSV file in UTF-8"):
        read_listing(data)


@pytest.mark.parametrize(
    ("paths", "problem"),
    [
        ([], "no such folder"),
        (["readme.txt"], "no videos"),
        (["real/notes.txt", "fake/notes.txt"], "no videos"),
        (["a.mp4"], "no videos"),
        (["real/a.mp4"], "no fake videos; a detector needs both classes"),
        (["fake/a.mp4"], "no real videos; a detector needs both classes"),
    ],
)
def test_data_that_cannot_train_a_detector(tmp_path: Path, paths: list[str], problem: str) -> None:
    data = make_data(tmp_path, *paths)
    with pytest.raises(DataError) as caught:
        read_listing(data)
    remedy = "make some with `unmask sample-data data`, or put videos under data/real and data/fake"
    assert str(caught.value) == f"{data}: {problem}{':' if 'needs' in problem else ';'} {remedy}"


def test_manifest_without_lines_is_no_data(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no videos"):
        read_manifest(tmp_path)
