"""Whoever asks gets the same answer: command line, API, batch job and registered model."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient

from components.bundle import Bundle
from components.scores import VideoScore
from serving.api.app import create_app
from serving.batch.plan import plan_batch
from serving.batch.run import scan_library, score_shard
from serving.batch.store import ScoreStore
from serving.scorer import Scorer

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(sample_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three videos with a face, and one that is none."""
    folder = tmp_path_factory.mktemp("videos")
    for video in sorted(sample_data.glob("*/*.mp4"))[::6][:3]:
        (folder / video.name).symlink_to(video)
    (folder / "text.mp4").write_text("not a video")
    return folder


@pytest.fixture(scope="module")
def scorer(real_bundle: Bundle) -> Iterator[Scorer]:
    with Scorer(real_bundle, provider="cpu", workers=2, model_version="1") as scorer:
        yield scorer


@pytest.fixture(scope="module")
def answers(scorer: Scorer, folder: Path) -> dict[str, VideoScore]:
    return {Path(score.path).name: score for score in scorer.score(sorted(folder.iterdir()))}


def probabilities(answers: dict[str, VideoScore]) -> dict[str, float | None]:
    return {name: score.probability for name, score in answers.items()}


def test_faces_are_found_and_what_is_no_video_is_said(answers: dict[str, VideoScore]) -> None:
    statuses = {name: score.status for name, score in answers.items()}
    assert statuses.pop("text.mp4") == "undecodable"
    assert set(statuses.values()) == {"ok"}
    assert len(statuses) == 3
    assert answers["text.mp4"].reason
    assert len({score.probability for score in answers.values()}) == 4  # each video its own


def test_api(answers: dict[str, VideoScore], scorer: Scorer, folder: Path) -> None:
    client = TestClient(create_app(lambda: scorer, max_upload_bytes=2**24, max_concurrency=1))
    client.app.state.scorer = scorer  # not started, so that it closes nothing
    for name, score in answers.items():
        upload = {"file": (name, (folder / name).read_bytes())}
        told = VideoScore.model_validate(client.post("/v1/videos:score", files=upload).json())
        changes = {"path": score.path, "seconds": score.seconds}
        assert told.model_copy(update=changes) == score  # exactly


def test_batch(answers: dict[str, VideoScore], scorer: Scorer, folder: Path, tmp_path: Path) -> None:
    with ScoreStore(tmp_path, folder, "1", scorer.bundle.digest) as store:
        for shard in plan_batch(scan_library(folder).videos, [], shard_size=2).shards:
            score_shard(scorer, folder, shard, store)
        rows = {row["path"]: row["probability"] for row in store.rows()}
    assert rows == probabilities(answers)


def test_registered_model(answers: dict[str, VideoScore], real_bundle: Bundle, folder: Path) -> None:
    from serving.registered_model import RegisteredDetector

    detector = RegisteredDetector()
    context = SimpleNamespace(artifacts={"bundle": str(real_bundle.folder)})
    detector.load_context(context)
    table = detector.predict(context, [str(folder / name) for name in answers])
    assert list(table["probability"].astype(object).where(table["probability"].notna(), None)) == list(
        probabilities(answers).values()
    )


def test_scoring_never_loads_torch(real_bundle: Bundle, folder: Path) -> None:
    program = """
import sys
from pathlib import Path
import serving.api.server, serving.batch.run, serving.champion, serving.registered_model
from components.bundle import open_bundle
from serving.scorer import Scorer

with Scorer(open_bundle(Path(sys.argv[1])), provider="cpu", workers=1) as scorer:
    print([score.status for score in scorer.score([Path(path) for path in sys.argv[2:]])])
    maps = "".join(Path(f"/proc/{pid}/maps").read_text() for pid in scorer._pool.pids)
    assert "onnxruntime" in maps and "libtorch" not in maps, "the worker"
loaded = {"torch", "torchvision", "timm", "lightning", "facenet_pytorch", "prefect"} & set(sys.modules)
assert not loaded, loaded
"""
    video = next(path for path in sorted(folder.iterdir()) if path.name != "text.mp4")
    ended = subprocess.run(
        [sys.executable, "-c", program, real_bundle.folder, video],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (0, "['ok']\n"), ended.stderr
