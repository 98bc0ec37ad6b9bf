"""The detector that a policy names, and what each needs."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from components.detectors import mtcnn
from components.detectors.detections import Detections
from components.detectors.faults import CPU, DetectorFault, Guarded
from components.detectors.full_frame import FullFrame
from components.detectors.mtcnn import Mtcnn
from components.detectors.registry import chosen_provider, open_detector
from components.detectors.settings import DetectorPolicy, MediapipePolicy, MtcnnPolicy, NoDetector
from components.errors import ParamsError, StageError


def test_mtcnn_is_opened_by_its_name(detector: Path) -> None:
    assert isinstance(open_detector(MtcnnPolicy(), detector), Mtcnn)


def test_no_detector_needs_no_file(tmp_path: Path) -> None:
    assert isinstance(open_detector(NoDetector(name="none"), tmp_path), FullFrame)


@pytest.mark.parametrize(
    "policy", [MtcnnPolicy(), MediapipePolicy(name="mediapipe", model="blaze_face.tflite")]
)
def test_a_missing_file_is_named(tmp_path: Path, policy: DetectorPolicy) -> None:
    with pytest.raises(StageError, match=rf"^{tmp_path}/.*: not there; make it with dvc repro detector$"):
        open_detector(policy, tmp_path)


def test_no_detector_loads_no_library() -> None:
    program = (
        "import sys; from pathlib import Path; from components.detectors.settings import NoDetector\n"
        "from components.detectors.registry import open_detector\n"
        "open_detector(NoDetector(name='none'), Path())\n"
        "sys.exit('onnxruntime' in sys.modules or 'mediapipe' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


CUDA = "CUDAExecutionProvider"
STARVED = "BFCArena: Failed to allocate memory for requested buffer of size 9"


class Failing:
    """A detector that raises."""

    def __init__(self, error: Exception, provider: str) -> None:
        self.error, self.provider = error, provider

    def detect(self, frame: object, near: object = None) -> Detections:
        raise self.error


@pytest.mark.parametrize(
    ("error", "provider", "raised", "told"),
    [
        (
            ValueError("Required inputs (['x'])\n are missing"),
            CPU,
            DetectorFault,
            "ValueError: Required inputs (['x']) are missing",
        ),
        (RuntimeError("a\x1b[2J" + "b" * 999), CPU, DetectorFault, "RuntimeError: a[2J" + "b" * 282),
        (MemoryError(), CPU, MemoryError, ""),
        (RuntimeError(STARVED), CPU, MemoryError, ""),
        (RuntimeError(STARVED), CUDA, DetectorFault, f"RuntimeError: {STARVED}"),
        (MemoryError(), CUDA, DetectorFault, "MemoryError:"),
    ],
)
def test_what_a_detector_raises_is_its_own_but_for_want_of_memory_on_the_cpu(
    error: Exception, provider: str, raised: type[Exception], told: str
) -> None:
    with pytest.raises(raised) as caught:
        Guarded(Failing(error, provider)).detect(np.zeros((9, 9, 3), np.uint8))
    assert str(caught.value) == told


def test_a_sound_detector_is_not_in_the_way() -> None:
    frame = np.zeros((40, 60, 3), np.uint8)
    whole = open_detector(NoDetector(name="none"), Path())
    assert np.array_equal(Guarded(whole).detect(frame).boxes, whole.detect(frame).boxes)


@pytest.mark.parametrize(
    ("asked", "there", "chosen"),
    [
        ("", CUDA, "cpu"),
        ("cpu", CUDA, "cpu"),
        ("cuda", CPU, "cuda"),  # which then fails
        ("auto", CUDA, "cuda"),
        ("auto", CPU, "cpu"),
    ],
)
def test_where_a_detector_computes_is_chosen_once(
    detector: Path, monkeypatch: pytest.MonkeyPatch, asked: str, there: str, chosen: str
) -> None:
    monkeypatch.setenv("UNMASK_DETECTOR_PROVIDER", asked)
    monkeypatch.setattr(mtcnn.Mtcnn, "provider", there)
    assert chosen_provider(MtcnnPolicy(), detector) == chosen
    assert chosen_provider(NoDetector(name="none"), detector) == "cpu"


def test_an_unknown_provider_is_named(detector: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNMASK_DETECTOR_PROVIDER", "tpu")
    with pytest.raises(ParamsError, match=r"^UNMASK_DETECTOR_PROVIDER=tpu: no such provider; set cpu"):
        chosen_provider(NoDetector(name="none"), detector)
