"""A video of two people gets the same score in training and in serving."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from components.bundle import Bundle
from components.export.onnx import ExportedDetector, to_onnx
from components.faces.clip import Faces
from components.faces.store import ClipStore
from components.models import Candidate
from components.models.simple_cnn import SimpleCNN
from components.scores import VideoScore
from components.training.dataset import ClipDataset
from components.training.predict import predict
from components.training.videos import Video
from serving import scorer as scorer_module
from serving.scorer import Scorer

SIZE = 32
VIDEOS = {"one": (90,), "second": (200, 30), "first": (30, 200), "three": (10, 250, 120), "twins": (70, 70)}
"""Shades of the faces, by name."""


@pytest.fixture(scope="module")
def faces(make_faces: Callable[..., Faces]) -> dict[str, Faces]:
    """Of as many frames as the name has letters."""
    return {name: make_faces(len(name), SIZE, shades=shades) for name, shades in VIDEOS.items()}


@pytest.fixture(scope="module")
def network() -> Candidate:
    torch.manual_seed(3)
    return SimpleCNN().eval()


def trained(network: Candidate, faces: dict[str, Faces], folder: Path) -> dict[str, float]:
    """What training says of the stored clips."""
    store = ClipStore(folder)
    for name, found in faces.items():
        store.write(f"{name}.npz", found)
    videos = [Video(name, "g", "val", 0, "none", clip=f"{name}.npz") for name in faces]
    rows = predict(network, ClipDataset(videos, store), videos, batch_size=3)
    return {row["video_id"]: row["logit"] for row in rows}


def served(
    network: Candidate, faces: dict[str, Faces], bundle: Bundle, folder: Path
) -> dict[str, VideoScore]:
    """What the scorer says of the same faces, cut by a worker that is played."""
    detector = ExportedDetector(network).eval()
    (folder / "model.onnx").write_bytes(to_onnx(detector, 4, SIZE, 18))

    class Pool:
        def __init__(self, *_: object) -> None: ...

        def extract_one(self, path: Path) -> Faces:
            return faces[path.stem]

        def close(self) -> None: ...

    for name in faces:
        (folder / f"{name}.mp4").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scorer_module, "WorkerPool", Pool)
        with Scorer(replace(bundle, folder=folder), provider="cpu", workers=1) as scorer:
            return {name: scorer.score_one(folder / f"{name}.mp4") for name in faces}


def test_training_and_serving_say_the_same(
    network: Candidate, faces: dict[str, Faces], bundle: Bundle, tmp_path: Path
) -> None:
    logits = trained(network, faces, tmp_path / "clips")
    scores = served(network, faces, bundle, tmp_path)
    for name, score in scores.items():
        expected = bundle.info.calibration.probability(logits[name])
        assert score.probability == pytest.approx(expected, abs=1e-6)
    # The network is blind to nothing that matters here: it tells the shades apart, whatever their order.
    assert logits["first"] != pytest.approx(logits["one"], abs=1e-3)
    chosen = {name: [face.decisive for face in score.faces].index(True) for name, score in scores.items()}
    assert {chosen["first"], chosen["second"]} == {0, 1}
    assert (chosen["one"], chosen["twins"]) == (0, 0)
