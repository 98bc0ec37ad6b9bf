"""What tests of every room share: videos, sample data, a store, and a bundle to check by hand."""

import fcntl
import gc
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from components.bundle import (
    Bundle,
    BundleInfo,
    Calibration,
    Histogram,
    Interval,
    Provenance,
    open_bundle,
)
from components.detectors.settings import DETECTORS
from components.faces.clip import Clip, Faces, Origin
from components.faces.policy import CropPolicy
from components.video.frames import VideoInfo
from components.video.limits import Limits
from components.video.sampling import Even

# The logit of its model is the mean brightness of a clip.
INFO = BundleInfo(
    candidate="brightness",
    crop=CropPolicy(sampling=Even(frames=4), size=64),
    limits=Limits(min_frames=4),
    mean=(0.5, 0.5, 0.5),
    std=(0.25, 0.25, 0.25),
    threshold=0.5,
    calibration=Calibration(slope=0.1, intercept=-12.0),  # a mean brightness of 120 is even
    metrics={"auc": Interval(value=0.9, low=0.85, high=0.95)},
    gate_passed=True,
    scores=Histogram(edges=(0.0, 0.5, 1.0), counts=(3, 4)),
    provenance=Provenance(data="d", split="s", code="c", lock="l"),
)


def pytest_collection() -> None:
    """Nothing that is imported becomes garbage, so that nothing looks for it."""
    gc.disable()


def pytest_collection_finish() -> None:
    """What is imported by now stays to the end: no later search for garbage goes through it again."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def info() -> BundleInfo:
    return INFO


@pytest.fixture(scope="session")
def make_faces() -> Callable[..., Faces]:
    """Makes what is cut of a video: `len(shades)` faces, each of one shade, or of noise where it is None."""

    def make(
        length: int, size: int, shades: tuple[int | None, ...] = (None,), face_share: float = 0.75
    ) -> Faces:
        rng = np.random.default_rng(3)
        times = np.arange(length, dtype=np.float64)
        info = VideoInfo(max(length, 30), 25.0, 320, 240, 1.0, "h264", 1000)
        clips = tuple(_clip(length, size, shade, face_share, rng) for shade in shades)
        return Faces(clips, times, frames=length, tracks=len(shades), fallback=None, info=info)

    return make


def _clip(length: int, size: int, shade: int | None, share: float, rng: np.random.Generator) -> Clip:
    noise = rng.integers(0, 256, (length, size, size, 3), np.uint8)
    return Clip(
        crops=noise if shade is None else np.full_like(noise, shade),
        boxes=np.sort(rng.random((length, 4), np.float32)),
        scores=rng.random(length, np.float32),
        landmarks=rng.random((length, 5, 2), np.float32),
        origins=np.full(length, Origin.DETECTED, np.uint8),
        face_share=share,
        box_side=81.5,
        brightness=0.5,
        colourfulness=40.0,
    )


@pytest.fixture(scope="session")
def brightness_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.onnx"
    write_brightness_model(path)
    return path


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle whose detector is empty, for tests that bring their own clips."""
    folder = tmp_path_factory.mktemp("bundle")
    (folder / "detector").mkdir()
    for name in DETECTORS["mtcnn"].files:
        (folder / "detector" / name).touch()
    return write_bundle(folder)


@pytest.fixture(scope="session")
def real_bundle(tmp_path_factory: pytest.TempPathFactory, detector: Path) -> Bundle:
    """A bundle that finds faces."""
    folder = tmp_path_factory.mktemp("real-bundle")
    shutil.copytree(detector, folder / "detector")
    return write_bundle(folder)


def write_bundle(folder: Path) -> Bundle:
    write_brightness_model(folder / "model.onnx")
    (folder / "MODEL_CARD.md").write_text("# Brightness\n", encoding="utf-8")
    (folder / "seen.txt").write_text("", encoding="utf-8")
    (folder / "bundle.json").write_text(INFO.model_dump_json(), encoding="utf-8")
    return open_bundle(folder)


def write_brightness_model(path: Path) -> None:
    """Write clip uint8 (B, T, H, W, 3) → logit float32 (B,): the mean over a clip."""
    nodes = [
        helper.make_node("Cast", ["clip"], ["values"], to=TensorProto.FLOAT),
        helper.make_node("Constant", [], ["axes"], value_ints=[1, 2, 3, 4]),
        helper.make_node("ReduceMean", ["values", "axes"], ["logit"], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "brightness",
        [helper.make_tensor_value_info("clip", TensorProto.UINT8, ["b", "t", "h", "w", 3])],
        [helper.make_tensor_value_info("logit", TensorProto.FLOAT, ["b"])],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)


@contextmanager
def shared(factory: pytest.TempPathFactory, worker_id: str, name: str) -> Iterator[Path]:
    """A path that all workers of a test run share; only one of them at a time is inside."""
    base = factory.getbasetemp()
    path = (base if worker_id == "master" else base.parent) / name
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield path


@pytest.fixture(scope="session")
def sample_data(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder with real/, fake/ and manifest.csv: eight people, two clips each. Do not write to it."""
    from sample import SampleSettings, generate

    with shared(tmp_path_factory, worker_id, "sample-data") as folder:
        if not (folder / "manifest.csv").exists():
            generate(folder, SampleSettings(people=8, workers=1), progress=False)
    return folder


@pytest.fixture(scope="session")
def detector(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """MTCNN's networks, converted once for all workers."""
    from components.export.detector import convert

    with shared(tmp_path_factory, worker_id, "detector") as folder:
        if not folder.exists():
            convert(folder)
    return folder


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """An MLflow database without content: its migrations take seconds, a copy of it does not."""
    from mlflow import MlflowClient

    with shared(tmp_path_factory, worker_id, "mlflow.db") as path:
        if not path.exists():
            fresh = path.with_name("fresh-mlflow.db")
            MlflowClient(f"sqlite:///{fresh}").search_experiments()
            fresh.replace(path)
    return path


MakeVideo = Callable[..., Path]


@pytest.fixture(scope="session")
def make_video() -> MakeVideo:
    """Writes a video without a face, whose `i`-th frame tells its index by its grey level."""

    def make(
        path: Path,
        frames: int = 30,
        codec: str = "libx264",
        size: tuple[int, int] = (96, 64),
        rotation: float = 0.0,
        first: int = 0,
        **options: str,
    ) -> Path:
        with av.open(path, "w", options=options) as container:
            stream: Any = container.add_stream(codec, rate=25)
            stream.width, stream.height, stream.pix_fmt, stream.gop_size = *size, "yuv420p", 10
            if rotation:
                stream.set_display_rotation(rotation)
            for index in range(first, first + frames):
                image = np.full((size[1], size[0], 3), 8 * index % 256, np.uint8)
                image[: size[1] // 4, : size[0] // 4] = 255 - image[0, 0]
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
            container.mux(stream.encode())
        return path

    return make


@pytest.fixture(scope="session")
def make_frames() -> Callable[..., Path]:
    """Writes the first frames of a video into a folder, as pictures 0, 1 and so on."""

    def make(video: Path, folder: Path, count: int = 10, suffix: str = ".png") -> Path:
        folder.mkdir(parents=True)
        with av.open(video) as container:
            for number, frame in zip(range(count), container.decode(video=0), strict=False):
                frame.to_image().save(folder / f"{number}{suffix}")
        return folder

    return make


@pytest.fixture
def cut_short(make_video: MakeVideo, tmp_path: Path) -> Callable[[float], Path]:
    """An mp4 with its index in front, of whose pictures only a share is left."""

    def cut(share: float) -> Path:
        content = make_video(tmp_path / "whole.mp4", codec="mpeg4", movflags="faststart").read_bytes()
        start = content.index(b"mdat") + 4
        path = tmp_path / "cut.mp4"
        path.write_bytes(content[: start + int((len(content) - start) * share)])
        return path

    return cut


@pytest.fixture
def make_sound() -> Callable[[Path], Path]:
    """Writes an mp4 that holds sound and no pictures."""

    def make(path: Path) -> Path:
        with av.open(path, "w") as container:
            stream: Any = container.add_stream("aac", rate=16000, layout="mono")
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            frame.sample_rate = 16000
            container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return path

    return make
