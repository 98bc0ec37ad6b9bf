import math
import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from components.bundle import Bundle
from components.errors import BundleError, ProviderError
from components.faces.clip import Clip, Failure
from components.faces.policy import CropPolicy, Limits
from components.faces.video import VideoInfo
from components.tables import SCORES, read_table, write_table
from serving import scorer as scorer_module
from components.providers import cuda_fault
from serving.scorer import Scorer, Verdict, VideoScore, verdict


class FakePool:
    """Reads a video's face clip, one shade of grey, or its failure from the file's text."""

    def __init__(self, workers: int, limits: Limits, policy: CropPolicy, detector: Path) -> None:
        self.policy, self.free = policy, threading.Semaphore(workers)
        self.started = 0
        self.closed = False

    def extract_one(self, path: Path) -> Clip | Failure:
        self.started += 1
        assert self.free.acquire(blocking=False), "more videos at once than there are workers"
        try:
            return self._read(path.read_text())
        finally:
            self.free.release()

    def close(self) -> None:
        self.closed = True

    def _read(self, text: str) -> Clip | Failure:
        word, _, number = text.partition(" ")
        if word == "no_face":
            return Failure("no_face", "a face in 0 of 4 frames", frames=4)
        time.sleep(float(number or 0))
        return clip(int(word), self.policy)


def clip(shade: int, policy: CropPolicy) -> Clip:
    frames = policy.frames
    return Clip(
        crops=np.full((frames, policy.size, policy.size, 3), shade, np.uint8),
        boxes=np.zeros((frames, 4), np.float32),
        scores=np.ones(frames, np.float32),
        landmarks=np.zeros((frames, 5, 2), np.float32),
        times=np.arange(frames, dtype=np.float64),
        frames=frames,
        face_share=0.75,
        tracks=1,
        box_side=50.0,
        info=VideoInfo(**dict.fromkeys(VideoInfo.__dataclass_fields__, 0)),  # not looked at
    )


@pytest.fixture
def fake_pool(monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_a_clip_is_classified_calibrated_and_judged(
    scorer: Scorer, tmp_path: Path, shade: int, expected: Verdict
) -> None:
    score = scorer.score_one(video(tmp_path / "a.mp4", str(shade)))
    assert score.probability == pytest.approx(1 / (1 + math.exp(-(0.1 * shade - 12))), abs=1e-6)
    assert (score.verdict, score.status, score.reason) == (expected, "ok", None)
    assert (score.frames, score.face_share, score.model_version) == (4, 0.75, "3")
    assert score.path == str(tmp_path / "a.mp4")


def test_a_failure_is_undetermined_without_a_number(scorer: Scorer, tmp_path: Path) -> None:
    score = scorer.score_one(video(tmp_path / "a.mp4", "no_face"))
    assert (score.verdict, score.probability, score.status) == ("undetermined", None, "no_face")
    assert (score.reason, score.frames, score.face_share) == ("a face in 0 of 4 frames", 4, 0.0)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("gone.mp4", "no such file"),
        ("", "not a file"),
        ("x" * 300, "cannot be read: File name too long"),
    ],
)
def test_what_is_not_there_is_a_row(scorer: Scorer, tmp_path: Path, name: str, reason: str) -> None:
    score = scorer.score_one(tmp_path / name)
    assert (score.verdict, score.status, score.reason) == ("undetermined", "undecodable", reason)


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
    paths = [video(tmp_path / "a.mp4", "100"), video(tmp_path / "b.mp4", "no_face")]
    rows = [score.row() for score in scorer.score(paths)]
    write_table(rows, SCORES, tmp_path / "scores.parquet")
    assert read_table(tmp_path / "scores.parquet", SCORES) == rows


def test_a_model_that_yields_no_number_is_an_error_and_no_verdict(
    scorer: Scorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scorer, "_logit", lambda crops: math.nan)
    with pytest.raises(BundleError, match="yields nan for"):
        scorer.score_one(video(tmp_path / "a.mp4", "100"))


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
