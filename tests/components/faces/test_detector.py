"""The detector that a policy names, and what each needs."""

import subprocess
import sys
from pathlib import Path

import pytest

from components.errors import StageError
from components.faces.detector import open_detector
from components.faces.full_frame import FullFrame
from components.faces.mtcnn import Mtcnn
from components.faces.policy import DetectorPolicy, MediapipePolicy, MtcnnPolicy, NoDetector


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
        "import sys; from pathlib import Path; from components.faces.policy import NoDetector\n"
        "from components.faces.detector import open_detector\n"
        "open_detector(NoDetector(name='none'), Path())\n"
        "sys.exit('onnxruntime' in sys.modules or 'mediapipe' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
