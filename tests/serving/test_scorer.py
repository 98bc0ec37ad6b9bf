import csv
import json
import math
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from components.bundle import Bundle
from components.errors import BundleError, ProviderError
from components.faces.clip import Faces, Failure, Origin
from components.faces.policy import CropPolicy
from components.providers import cuda_fault
from components.scores import Verdict, VideoScore
from components.tables import read_table, write_csv, write_table
from components.video.limits import Limits
from serving import scorer as scorer_module
from serving.score_table import SCORES
from serving.scorer import Scorer, verdict

MakeFaces = Callable[..., Faces]


class FakePool:
    """Reads a video's faces by their shades of grey, or its failure, from the file's text."""

    make_faces: ClassVar[MakeFaces]

    def __init__(self, workers: int, limits: Limits, policy: CropPolicy, detector: Path) -> None:
        self.policy, self.free = policy, threading.Semaphore(workers)
        self.started = 0
        self.closed = False

    def extract_one(self, path: Path) -> Faces | Failure:
        self.started += 1
        assert self.free.acquire(blocking=False), "more videos at once than there are workers"
        try:
            return self._read(path.read_text())
        finally:
            self.free.release()

    def close(self) -> None:
        self.closed = True

    def _read(self, text: str) -> Faces | Failure:
        word, _, number = text.partition(" ")
        if word == "no_face":
            return Failure("no_face", "a face in 0 of 4 frames", frames=4)
        shades = tuple(int(shade) for shade in word.removeprefix("center:").split(","))
        time.sleep(float(number or 0))
        faces = type(self).make_faces(4, self.policy.size, shades=shades)
        return replace(faces, fallback="center") if word.startswith("center:") else faces


@pytest.fixture
def fake_pool(monkeypatch: pytest.MonkeyPatch, make_faces: MakeFaces) -> None:
    monkeypatch.setattr(FakePool, "make_faces", staticmethod(make_faces), raising=False)
    monkeypatch.setattr(scorer_module, "WorkerPool", FakePool)


@pytest.fixture
def scorer(bundle: Bundle, fake_pool: None) -> Scorer:
    return Scorer(bundle, provider="cpu", workers=3, model_version="3")


def video(path: Path, content: str) -> Path:
    path.write_text(content)
    return path


@pytest.mark.parametrize(
    ("probability", "threshold", "expected"),
    [
        (None, 0.5, "undetermined"),
        (0.5, 0.5, "fake"),
        (0.499, 0.5, "real"),
        (0.0, 0.0, "fake"),
        (1.0, 1.0, "fake"),
    ],
)
def test_verdict(probability: float | None, threshold: float, expected: Verdict) -> None:
    assert verdict(probability, threshold) == expected


@pytest.mark.parametrize(("shade", "expected"), [(130, "fake"), (120, "fake"), (110, "real")])
def test_a_clip_is_classified_calibrated_and_given_a_verdict(
    scorer: Scorer, tmp_path: Path, shade: int, expected: Verdict
) -> None:
    score = scorer.score_one(video(tmp_path / "a.mp4", str(shade)))
    assert score.probability == pytest.approx(1 / (1 + math.exp(-(0.1 * shade - 12))), abs=1e-6)
    assert (score.verdict, score.status, score.reason) == (expected, "ok", None)
    assert (score.frames, score.face_share, score.model_version) == (4, 0.75, "3")
    assert (score.fallback, len(score.faces)) == (None, 1)
    assert score.path == str(tmp_path / "a.mp4")


@pytest.mark.parametrize(
    ("shades", "chosen", "expected"),
    [("130", 0, "fake"), ("90,130,110", 1, "fake"), ("118,118", 0, "real"), ("101,102,103", 2, "real")],
)
def test_of_several_faces_the_most_suspicious_decides(
    scorer: Scorer, tmp_path: Path, shades: str, chosen: int, expected: Verdict
) -> None:
    score = scorer.score_one(video(tmp_path / "a.mp4", shades))
    alone = [
        scorer.score_one(video(tmp_path / f"{shade}.mp4", shade)).probability for shade in shades.split(",")
    ]
    assert [face.probability for face in score.faces] == alone  # exactly
    assert [face.decisive for face in score.faces] == [index == chosen for index in range(len(alone))]
    assert (score.probability, score.verdict) == (alone[chosen], expected)
    assert score.note == ("" if len(alone) == 1 else f"highest of {len(alone)} faces")


def test_a_face_says_where_and_when_it_is_seen(scorer: Scorer, make_faces: MakeFaces) -> None:
    faces = make_faces(4, 64, shades=(100, 120))
    shown = np.array([Origin.REPEATED, Origin.DETECTED, Origin.INTERPOLATED, Origin.REPEATED], np.uint8)
    boxes = np.array([[n, 10 + n, 20.4 + n, 40.6 + n] for n in range(4)], np.float32)
    seen = replace(faces.clips[1], origins=shown, boxes=boxes, face_share=0.25, box_side=25.0)
    faces = replace(faces, clips=(faces.main, seen), times=np.array([0.5, 1.5, 2.5, 3.5]))
    first, second = scorer._score_faces(faces, Path("a.mp4"))
    assert (first.start, first.end, first.face_share) == (0.5, 3.5, 0.75)
    assert (second.start, second.end) == (1.5, 2.5)
    assert (second.box, second.face_share, second.box_side) == ((1, 11, 21, 42), 0.25, 25.0)


def test_what_fell_back_is_scored_and_marked(scorer: Scorer, tmp_path: Path) -> None:
    score = scorer.score_one(video(tmp_path / "a.mp4", "center:130"))
    assert (score.verdict, score.status, score.fallback) == ("fake", "ok", "center")
    alone = scorer.score_one(video(tmp_path / "b.mp4", "130"))
    assert score.probability == alone.probability is not None
    assert (score.faces, len(alone.faces)) == ((), 1)  # the middle of a frame is no face
    assert score.row()["fallback"] == "center"
    assert score.note == "no usable face: the middle of the frame was scored"


def test_a_failure_is_undetermined_without_a_number(scorer: Scorer, tmp_path: Path) -> None:
    score = scorer.score_one(video(tmp_path / "a.mp4", "no_face"))
    assert (score.verdict, score.probability, score.status) == ("undetermined", None, "no_face")
    assert (score.reason, score.frames, score.face_share) == ("a face in 0 of 4 frames", 4, 0.0)
    assert (score.fallback, score.faces, score.note) == (None, (), "a face in 0 of 4 frames")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("gone.mp4", "no such file"),
        ("pipe", "not a file"),
        ("x" * 300, "cannot be read: File name too long"),
    ],
)
def test_what_is_not_there_is_a_row(scorer: Scorer, tmp_path: Path, name: str, reason: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    score = scorer.score_one(tmp_path / name)
    assert (score.verdict, score.status, score.reason) == ("undetermined", "undecodable", reason)


@pytest.mark.parametrize(
    ("path", "frames", "fallback", "told"),
    [
        ("a.JPG", 1, None, "a single picture, and the model learnt from videos: weaker evidence"),
        (
            "a.png",
            1,
            "center",
            "a single picture, and the model learnt from videos: weaker evidence; no usable",
        ),
        ("a.mp4", 1, None, ""),  # a model of single frames
        ("frames.png", 4, None, ""),  # a folder
    ],
)
def test_what_was_a_single_picture_says_so(
    scorer: Scorer, tmp_path: Path, path: str, frames: int, fallback: Any, told: str
) -> None:
    score = scorer.score_one(video(tmp_path / "a.mp4", "130"))
    score = score.model_copy(update={"path": path, "frames": frames, "fallback": fallback})
    assert score.is_picture == bool(told)
    assert score.note.startswith(told)
    assert bool(score.note) == bool(told)


def test_a_name_that_is_not_utf8_can_be_written_anywhere(scorer: Scorer, tmp_path: Path) -> None:
    score = scorer.score_one(video(tmp_path / os.fsdecode(b"b\xff.mp4"), "130"))
    assert (score.status, score.path) == ("ok", rf"{tmp_path}/b\xff.mp4")
    assert VideoScore.model_validate_json(score.model_dump_json()) == score
    write_table([score.row()], SCORES, tmp_path / "scores.parquet")
    assert read_table(tmp_path / "scores.parquet", SCORES) == [score.row()]


def test_scores_come_in_the_order_given(scorer: Scorer, tmp_path: Path) -> None:
    slow_first = [video(tmp_path / f"{n}.mp4", f"{100 + n} {0.1 - n / 100}") for n in range(8)]
    paths = [*slow_first, tmp_path / "gone.mp4"]
    assert [score.path for score in scorer.score(paths)] == [str(path) for path in paths]


def test_a_score_does_not_depend_on_its_neighbours(scorer: Scorer, tmp_path: Path) -> None:
    paths = [video(tmp_path / f"{n}.mp4", str(100 + 5 * n)) for n in range(8)]
    together = [score.probability for score in scorer.score(paths)]
    assert [scorer.score_one(path).probability for path in paths] == together  # exactly


def test_who_stops_listening_stops_the_work(scorer: Scorer, tmp_path: Path) -> None:
    paths = [video(tmp_path / f"{n}.mp4", "100 0.1" if n else "100") for n in range(40)]
    scores = scorer.score(paths)
    next(scores)
    scores.close()  # a generator
    pool = scorer._pool
    assert isinstance(pool, FakePool)
    started = pool.started
    time.sleep(0.5)
    assert pool.started <= started + scorer.workers < len(paths)


def test_the_progress_bar_goes_to_stderr(
    scorer: Scorer, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich shows no bar where there is no terminal
    list(scorer.score([video(tmp_path / "a.mp4", "100")], progress=True))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Scoring" in captured.err


def test_rows_fit_the_table(scorer: Scorer, tmp_path: Path) -> None:
    kinds = ("100", "no_face", "100,140", "center:90")
    rows = [scorer.score_one(video(tmp_path / "a.mp4", kind)).row() for kind in kinds]
    write_table(rows, SCORES, tmp_path / "scores.parquet")
    assert read_table(tmp_path / "scores.parquet", SCORES) == rows
    write_csv(rows, SCORES, tmp_path / "scores.csv")
    with (tmp_path / "scores.csv").open(encoding="utf-8", newline="") as file:
        told = list(csv.DictReader(file))
    assert [json.loads(row["faces"]) for row in told] == [row["faces"] for row in rows]
    assert [row["fallback"] for row in told] == ["", "", "", "center"]


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("shades", ["100", "100,130"])
def test_a_model_that_yields_no_number_is_an_error_and_no_verdict(
    scorer: Scorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shades: str, broken: float
) -> None:
    monkeypatch.setattr(scorer, "_logit", lambda crops: broken if crops.mean() == 100 else 3.0)
    with pytest.raises(BundleError, match=f"yields {broken} for"):
        scorer.score_one(video(tmp_path / "a.mp4", shades))


def test_leaving_closes_the_workers(bundle: Bundle, fake_pool: None) -> None:
    with Scorer(bundle, provider="cpu") as scorer:
        pool = scorer._pool
        assert isinstance(pool, FakePool)
        assert not pool.closed
    assert pool.closed


@pytest.mark.skipif(cuda_fault() is None, reason="this machine has a CUDA device")
def test_cuda_is_not_replaced_by_the_cpu(bundle: Bundle, fake_pool: None) -> None:
    with pytest.raises(ProviderError):
        Scorer(bundle, provider="cuda")
