"""What decides a clip's pixels is in the digest of a cut, and nothing else is."""

from pathlib import Path

import pytest

from components.detectors.settings import (
    DETECTORS,
    PROVIDER_VARIABLE,
    MediapipePolicy,
    MtcnnPolicy,
    NoDetector,
)
from components.errors import StageError
from components.faces import identity
from components.faces.identity import cut_digest
from components.faces.policy import CropPolicy


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of detectors whose files are empty."""
    for name in (*DETECTORS["mtcnn"].files, *DETECTORS["mediapipe"].files):
        (tmp_path / name).touch()
    return tmp_path


def test_other_code_is_another_cut(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = cut_digest(CropPolicy(), folder)
    assert cut_digest(CropPolicy(), folder) == before
    monkeypatch.setattr(identity, "fingerprint", lambda *modules: dict.fromkeys(modules, "changed"))
    assert cut_digest(CropPolicy(), folder) != before


def test_other_libraries_are_another_cut(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = {"av": "18.1", "opencv-python-headless": "5.0", "onnxruntime-gpu": "1.31"}

    def digests() -> list[str]:
        return [cut_digest(CropPolicy(detector=detector), folder) for detector in detectors]

    detectors = (MtcnnPolicy(), NoDetector(name="none"))
    monkeypatch.setattr(identity, "versions", lambda names: {name: installed.get(name) for name in names})
    mtcnn, none = digests()
    installed["onnxruntime-gpu"] = "1.32"
    assert digests()[0] != mtcnn
    assert digests()[1] == none  # which does not use it
    installed["av"] = "19.0"
    assert digests()[1] != none


def test_another_network_is_another_cut(folder: Path) -> None:
    before = cut_digest(CropPolicy(), folder)
    (folder / "onet.onnx").write_bytes(b"trained further")
    assert cut_digest(CropPolicy(), folder) != before
    assert cut_digest(CropPolicy(size=97), folder) != cut_digest(CropPolicy(), folder)


def test_another_provider_is_another_cut(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def digests(provider: str) -> list[str]:
        monkeypatch.setenv(PROVIDER_VARIABLE, provider)
        return [cut_digest(CropPolicy(detector=detector), folder) for detector in detectors]

    detectors = (MtcnnPolicy(), NoDetector(name="none"))
    cpu, cuda = digests("cpu"), digests("cuda")
    assert cpu == digests("")
    assert cpu[0] != cuda[0]
    assert cpu[1] == cuda[1]  # which computes nothing


def test_where_a_model_file_lies_is_no_part_of_a_cut_but_what_is_in_it(folder: Path) -> None:
    one, other = (
        CropPolicy(detector=MediapipePolicy(name="mediapipe", model=model)) for model in ("a.tflite", "/b")
    )
    assert one.digest == other.digest
    before = cut_digest(one, folder)
    assert cut_digest(other, folder) == before
    (folder / "face_detector.task").write_bytes(b"a newer model")
    assert cut_digest(one, folder) != before


@pytest.mark.parametrize(
    ("detector", "missing"),
    [
        (MtcnnPolicy(), "pnet.onnx"),
        (MediapipePolicy(name="mediapipe", model="a.tflite"), "face_detector.task"),
        (NoDetector(name="none"), None),
    ],
)
def test_a_missing_file_of_the_detector_is_named(
    tmp_path: Path, detector: MtcnnPolicy | MediapipePolicy | NoDetector, missing: str | None
) -> None:
    if missing is None:
        assert detector.files_in(tmp_path) == []
    else:
        with pytest.raises(StageError, match=rf"{missing}: not there; make it with dvc repro detector"):
            detector.files_in(tmp_path)
