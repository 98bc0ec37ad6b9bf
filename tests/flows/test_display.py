"""Scores on a terminal of any width, and in a file."""

import io
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from components.scores import FaceScore, VideoScore
from flows import display
from flows.display import print_scores
from flows.paths import relative, shortened

LONG = "/srv/library/2024/interviews/week-12/camera-a/speaker_0012_take3.mp4"


def score(path: str, verdict: str = "fake", reason: str | None = None, faces: int = 1) -> VideoScore:
    return VideoScore(
        path=path,
        verdict="undetermined" if reason else verdict,
        probability=None if reason else 0.912,
        status="undecodable" if reason else "ok",
        reason=reason,
        frames=8,
        face_share=1.0,
        fallback=None,
        faces=tuple(
            FaceScore(
                probability=0.912, decisive=not index, face_share=1.0, box_side=80.0, start=0.0, end=3.0,
                box=(10 * index, 20, 300, 400),
            )
            for index in range(faces)
        ),
        seconds=1.23,
        model_version="1",
    )  # fmt: skip


def printed(monkeypatch: pytest.MonkeyPatch, scores: list[VideoScore], width: int, terminal: bool) -> str:
    shown = Console(file=io.StringIO(), width=width, force_terminal=terminal, color_system=None)
    monkeypatch.setattr(display, "Console", lambda: shown)
    print_scores(scores, 0.5)
    assert isinstance(shown.file, io.StringIO)
    return re.sub(r"\x1b\[[0-9;]*m", "", shown.file.getvalue())


@pytest.mark.parametrize("width", [120, 80, 79, 40])
def test_a_path_takes_one_line_and_keeps_its_end(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    scores = [score(LONG), score("/srv/[/x]/日本語日本語日本語.mp4", reason="not a video file")]
    lines = printed(monkeypatch, scores, width, terminal=True).splitlines()
    for end in ("take3.mp4", "本語.mp4"):
        (line,) = (line for line in lines if end in line)
        assert cell_len(line) <= width
    assert not any("/srv" in line and ".mp4" not in line for line in lines)  # no path goes on below
    assert all(told in " ".join("".join(lines).split()) for told in ("0.912", "undecodable"))


def test_faces_have_their_lines_at_any_width(monkeypatch: pytest.MonkeyPatch) -> None:
    for width in (120, 40):
        assert "at 10,20 to 300,400 px" in printed(monkeypatch, [score("a.mp4", faces=2)], width, True)


@pytest.mark.parametrize("width", [40, 80])
def test_a_file_or_a_pipe_holds_whole_paths(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    reason = "not a video file; accepted are mp4, mov, mkv, webm, avi, ts, mpg, flv, wmv and ogv"
    here = str(Path.cwd() / "a.mp4")
    told = printed(monkeypatch, [score(LONG), score(here, reason=reason)], width, terminal=False)
    assert all(f" {whole} " in told for whole in (LONG, here, f"undecodable: {reason}"))


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("name", ["[red]a.mp4", "[/x].mp4", ":smile:.mp4", "[link=file:///x]a[/link].mp4"])
def test_names_are_no_markup(monkeypatch: pytest.MonkeyPatch, name: str, terminal: bool) -> None:
    for width in (100, 40):
        assert name in printed(monkeypatch, [score(name, reason=name)], width, terminal)


def test_a_path_is_seen_from_here_where_that_is_shorter(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = tmp_path / os.fsdecode(b"v\xff")
    here.mkdir()
    monkeypatch.chdir(here)
    printable = f"{tmp_path}/v\\xff"
    assert relative(f"{printable}/sub/a.mp4") == "sub/a.mp4"
    assert relative(f"{tmp_path}/a.mp4") == "../a.mp4"
    for path in ("/a.mp4", "sub/a.mp4", f"{printable}/sub/../a.mp4"):  # behind a link, `..` leads elsewhere
        assert relative(path) == path


@given(st.text("ab/.日\u0301", min_size=1), st.integers(1, 30))
def test_what_is_shortened_fits_and_ends_as_it_did(path: str, width: int) -> None:
    shown = shortened(path, width)
    assert cell_len(shown) <= width
    if cell_len(path) <= width:
        assert shown == path
    else:
        beginning, end = shown.split("…")
        assert (path if "/" in end else path.rpartition("/")[2]).endswith(end)
        name = path.rpartition("/")[2]
        assert shown.endswith(name) or cell_len(name) >= width
        assert path.startswith(beginning) or name.startswith(beginning)
