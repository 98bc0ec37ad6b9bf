"""The walk over a data folder, and the questions that layouts ask of it."""

import os
from pathlib import Path
from typing import Any

import pytest

from components.datasets import scan as scan_module
from components.datasets.scan import FileStat
from components.datasets.tree import Tree, walk
from components.errors import DataError


def make(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return root


def test_lists_files_with_size_and_time(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.mp4").write_bytes(b"12345")
    os.utime(tmp_path / "b" / "x.mp4", ns=(1, 7))
    make(tmp_path, "a.txt")
    tree = walk(tmp_path)
    assert list(tree.files) == ["a.txt", "b/x.mp4"]
    assert tree.files["b/x.mp4"] == FileStat(5, 7)


def test_hidden_files_and_folders_are_told_apart(tmp_path: Path) -> None:
    make(tmp_path, ".git/a.mp4", "real/._a.mp4", "real/.b/c.mp4", "real/a.mp4", ".d.mp4")
    tree = walk(tmp_path)
    assert (list(tree.files), tree.hidden) == (["real/a.mp4"], (".d.mp4", ".git", "real/._a.mp4", "real/.b"))
    assert tree.subtree("real").hidden == ("._a.mp4", ".b")
    assert tree.without({"real"}).hidden == (".d.mp4", ".git")


def test_videos_whose_names_do_not_tell_are_videos_in_every_part_of_a_tree(tmp_path: Path) -> None:
    make(tmp_path, "real/text", "other/b")
    for path in ("real/a", "other/b", "c.bin"):
        (tmp_path / path).write_bytes(b"\0\0\0\x18ftypisom")
    tree = walk(tmp_path)
    assert (tree.videos(), tree.others()) == (["c.bin", "other/b", "real/a"], ["real/text"])
    assert (tree.subtree("real").videos(), tree.subtree("real").others()) == (["a"], ["text"])
    assert tree.without({"real"}).videos() == ["c.bin", "other/b"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"x\ny.mp4", r"fa\xefke/x\ny.mp4"),
        (b"\x1b[31m.mp4", r"fa\xefke/\x1b[31m.mp4"),
        (b"\xff.mp4", r"fa\xefke/\udcff.mp4"),
    ],
)
def test_names_that_no_table_can_hold_are_set_apart(tmp_path: Path, name: bytes, shown: str) -> None:
    make(tmp_path, "faïke/a\u00a0b\u200d.mp4")  # a space that does not break, and a joiner: odd, but text
    (tmp_path / "faïke" / os.fsdecode(name)).touch()
    tree = walk(tmp_path)
    assert list(tree.files) == ["faïke/a\u00a0b\u200d.mp4"]
    assert tree.odd == (shown,)
    assert tree.subtree("faïke").odd == (shown.partition("/")[2],)
    assert tree.without(["faïke"]).odd == ()


def test_links_are_followed_but_not_in_a_circle(tmp_path: Path) -> None:
    make(tmp_path / "elsewhere", "more/b.mp4")
    data = make(tmp_path / "data", "real/a.mp4")
    (data / "real" / "up").symlink_to(data)
    (data / "linked").symlink_to(tmp_path / "elsewhere")
    (data / "twin").symlink_to(data / "real")
    (tmp_path / "elsewhere" / "back").symlink_to(data)
    tree = walk(data)
    assert list(tree.files) == ["linked/more/b.mp4", "real/a.mp4"]
    assert tree.again == ("linked/back", "real/up", "twin")
    assert (tree.subtree("linked").again, tree.without({"linked", "real"}).again) == (("back",), ("twin",))


def test_folders_proper_keep_their_paths_and_each_is_listed_once(tmp_path: Path) -> None:
    # Two links in each of a few folders make 2^n paths.
    data = make(tmp_path, *(f"z{number}/v.mp4" for number in range(12)))
    for number in range(11):
        for name in ("a", "b"):
            (data / f"z{number}" / name).symlink_to(data / f"z{number + 1}")
    tree = walk(data)
    assert sorted(tree.files) == sorted(f"z{number}/v.mp4" for number in range(12))
    assert len(tree.again) == 22


def test_of_links_to_one_folder_elsewhere_the_first_counts(tmp_path: Path) -> None:
    make(tmp_path / "elsewhere", "x/v.mp4")
    data = make(tmp_path / "data", "a.mp4")
    for name in ("two", "one", "three"):
        (data / name).symlink_to(tmp_path / "elsewhere")
    tree = walk(data)
    assert (list(tree.files), tree.again) == (["a.mp4", "one/x/v.mp4"], ("three", "two"))


def test_folder_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(scan_module.os, "scandir", refuse)
    with pytest.raises(DataError) as caught:
        walk(tmp_path)
    assert str(caught.value) == f"{tmp_path}: cannot be read (Permission denied); mend its permissions"


@pytest.fixture
def mixed(tmp_path: Path) -> Tree:
    return walk(make(tmp_path, "Real/a.MP4", "REAL/b.mp4", "Real/x.txt", "realm/c.mp4", "List.txt", "e.mp4"))


def test_finds_in_any_letter_case(mixed: Tree) -> None:
    assert mixed.find("real/A.mp4") == "Real/a.MP4"
    assert mixed.find("list.TXT") == "List.txt"
    assert mixed.find("real/c.mp4") is None


def test_a_path_as_it_stands_is_found_before_its_twin(tmp_path: Path) -> None:
    tree = walk(make(tmp_path, "A.mp4", "a.mp4"))
    assert [tree.find(path) for path in ("a.mp4", "A.mp4", "A.MP4")] == ["a.mp4", "A.mp4", "A.mp4"]


def test_videos_and_others_of_a_folder(mixed: Tree) -> None:
    assert mixed.videos("real") == ["REAL/b.mp4", "Real/a.MP4"]
    assert mixed.others("real") == ["Real/x.txt"]
    assert (mixed.videos()[-2:], mixed.others()) == (["e.mp4", "realm/c.mp4"], ["List.txt", "Real/x.txt"])


def test_folders_by_either_name(mixed: Tree) -> None:
    assert mixed.top_folders == ["REAL", "Real", "realm"]
    assert mixed.folders == {"real": "REAL", "realm": "realm"}


def test_parts_of_a_tree(mixed: Tree) -> None:
    below = mixed.subtree("Real")
    assert (list(below.files), below.name) == (["a.MP4", "x.txt"], "Real")
    assert below.root == mixed.root / "Real"
    assert [mixed.inside("a.MP4"), below.inside("a.MP4")] == ["a.MP4", "Real/a.MP4"]
    assert list(mixed.without({"Real", "REAL"}).files) == ["List.txt", "e.mp4", "realm/c.mp4"]
    assert not mixed.subtree("nowhere").files


def test_text_is_utf_8_with_or_without_a_mark(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes("\ufeffé".encode())
    (tmp_path / "bad.txt").write_bytes(b"\xff")
    tree = walk(tmp_path)
    assert tree.read_text("list.txt") == "é"
    with pytest.raises(DataError, match=r"bad\.txt:1: not text in UTF-8"):
        tree.read_text("bad.txt")
    with pytest.raises(DataError, match=r"gone\.txt: cannot be read \(No such file or directory\)"):
        tree.read_text("gone.txt")
