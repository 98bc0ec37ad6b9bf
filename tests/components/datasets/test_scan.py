"""The walk over a folder, for everything that looks for videos: nothing is passed over without a word."""

import os
import socket
from pathlib import Path

import pytest

from components.datasets import scan as scan_module
from components.datasets.found import list_datasets
from components.datasets.scan import is_video_name, scan
from components.video.formats import VIDEO_SUFFIXES, begins_as_video

FILM = b"\0\0\0\x18ftypisom\0\0\2\0isomiso2"


def make(root: Path, *paths: str, content: bytes = FILM) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return root


@pytest.mark.parametrize("suffix", sorted(VIDEO_SUFFIXES))
def test_videos_are_known_by_their_suffix_in_any_case_whatever_they_hold(tmp_path: Path, suffix: str) -> None:
    make(tmp_path, f"a{suffix}", f"b{suffix.upper()}", content=b"nothing")
    assert scan(tmp_path).videos == [f"a{suffix}", f"b{suffix.upper()}"]


@pytest.mark.parametrize(
    ("name", "fits"), [("a.MP4", True), ("a.b.webm", True), ("mp4", False), ("a.txt", False), (".mp4", False)]
)
def test_a_suffix_is_the_end_of_a_name(name: str, fits: bool) -> None:
    assert is_video_name(name) is fits


@pytest.mark.parametrize(
    "name", ["no_suffix", "MVI_0001", "a.video", "a.bin", "a.m1v", "clip.1", "a.mp4 (1)"]
)
def test_where_the_name_does_not_tell_the_first_bytes_do(tmp_path: Path, name: str) -> None:
    make(tmp_path, name)
    make(tmp_path / "more", name, content=b"no film")
    found = scan(tmp_path)
    assert (found.videos, found.others) == ([name], [f"more/{name}"])


@pytest.mark.parametrize(
    "name", ["a.txt", "a.CSV", "a.json", "a.jpg", "a.png", "a.wav", "a.m4a", "a.tar.gz", "a.npy", "a.parquet"]
)
def test_what_no_video_is_called_is_not_opened(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bool:
        raise AssertionError(path)

    monkeypatch.setattr(scan_module, "begins_as_video", refuse)
    assert scan(make(tmp_path, name, "b.mp4")).others == [name]


def test_empty_files_are_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_module, "begins_as_video", lambda path: path.stat().st_size == 0)
    found = scan(make(make(tmp_path, "empty", content=b""), "full"))
    assert (found.videos, found.others) == ([], ["empty", "full"])


def test_nobody_waits_for_a_file_that_became_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert not begins_as_video(tmp_path / "pipe")


def test_folders_that_the_system_makes_up_are_not_entered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "real/a.mp4", "real/proc/1/b.mp4", "fake/proc.mp4")
    for link in ("real/first", "second"):
        (tmp_path / link).symlink_to(tmp_path / "real/proc/1")
    monkeypatch.setattr(scan_module, "_device", lambda path: "/proc/" in f"{os.path.realpath(path)}/")
    monkeypatch.setattr(scan_module, "_kernel_devices", lambda: {True})
    found = scan(tmp_path)
    assert found.videos == ["fake/proc.mp4", "real/a.mp4"]
    assert found.kernel == ("real/first", "real/proc", "second")
    notes = list_datasets(tmp_path)[0].listing.notes
    assert notes == ("not entered, folders of the system's own: real/first, real/proc, second",)


@pytest.mark.skipif(not os.path.ismount("/proc"), reason="the system has no /proc")
def test_links_to_processes_are_not_entered(tmp_path: Path) -> None:
    (tmp_path / "process").symlink_to("/proc/self")
    found = scan(make(tmp_path, "a.mp4"))
    assert (list(found.files), found.kernel) == (["a.mp4"], ("process",))
    assert list(found.left_out()) == ["1 folder of the system's own (process)"]


def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    make(tmp_path / "elsewhere", "deep/b.mp4")
    folder = make(tmp_path / "folder", "sub/a.mp4")
    (folder / "sub" / "up").symlink_to(folder)  # a cycle
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "twin").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(folder)
    found = scan(folder)
    assert found.videos == ["linked/deep/b.mp4", "sub/a.mp4"]
    assert found.again == ("linked/back", "sub/up", "twin")


@pytest.mark.parametrize("target", ["/usr", "/usr/share", "/etc", "/", "../..", "../../beside/.."])
def test_links_out_of_a_folder_bring_in_neither_the_system_nor_what_lies_above(
    tmp_path: Path, target: str
) -> None:
    root = tmp_path / "root"
    for folder in (root / "real", tmp_path / "beside"):
        folder.mkdir(parents=True)
        (folder / "a.mp4").touch()
    (root / "real" / "link").symlink_to(target)
    found = scan(root)
    assert list(found.files) == ["real/a.mp4"]
    assert (*found.kernel, *found.again) == ("real/link",)
    assert "(real/link)" in "".join(found.left_out())


def test_a_folder_that_another_scan_has_listed_is_not_listed_again(tmp_path: Path) -> None:
    make(tmp_path, "a/x.mp4", "y.mp4")
    seen: set[Path] = set()
    assert scan(tmp_path / "a", seen).videos == ["x.mp4"]
    assert (scan(tmp_path, seen).videos, scan(tmp_path, seen).again) == (["y.mp4"], ("",))


def test_what_is_no_file_to_read_is_listed_and_never_opened(tmp_path: Path) -> None:
    (tmp_path / "gone.mp4").symlink_to(tmp_path / "nowhere.mp4")
    (tmp_path / "one.mp4").symlink_to(tmp_path / "two.mp4")
    (tmp_path / "two.mp4").symlink_to(tmp_path / "one.mp4")
    for name in ("pipe.mp4", "pipe"):
        os.mkfifo(tmp_path / name)  # whoever opens it waits for ever
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(os.path.relpath(tmp_path / "socket"))
    found = scan(tmp_path)
    assert found.files == dict.fromkeys(["gone.mp4", "one.mp4", "pipe", "pipe.mp4", "socket", "two.mp4"])
    assert found.others == ["pipe", "socket"]


def test_a_folder_that_cannot_be_read_hides_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a/x.mp4", "shut/y.mp4", "z/w.mp4")
    allowed = os.scandir

    def refuse(path: Path) -> object:
        if Path(path).name == "shut":
            raise PermissionError(13, "Permission denied")
        return allowed(path)

    monkeypatch.setattr(scan_module.os, "scandir", refuse)
    found = scan(tmp_path)
    assert (found.videos, found.unreadable) == (["a/x.mp4", "z/w.mp4"], {"shut": "Permission denied"})


def test_what_is_left_out_is_counted_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a.mp4", "real/b", ".c.mp4", ".trash/d.mp4")
    make(tmp_path, "1.txt", "2.txt", "\x1b[2J", "real/3", content=b"no film")
    (tmp_path / "twin").symlink_to(tmp_path / "real")
    assert list(scan(tmp_path).left_out()) == [
        r"4 files that are no videos (\x1b[2J, 1.txt, 2.txt and 1 more)",
        "1 folder listed under another path (twin)",
        "2 hidden (.c.mp4, .trash)",
    ]
    assert not list(scan(make(tmp_path / "clean", "a.mp4")).left_out())
