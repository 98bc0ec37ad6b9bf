"""The files that each detector needs, in a project and outside of one."""

import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from zipfile import ZipFile

import pytest
import torch

from components.detectors.settings import DETECTORS, MediapipePolicy, MtcnnPolicy, NoDetector
from components.errors import StageError
from components.export import detector as module
from components.export.detector import check_detector, convert, ensure_detector, portable
from components.faces.policy import CropPolicy

MODEL = b"\x1c\0\0\0TFL3 and so on"


@pytest.fixture(autouse=True)
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    """MediaPipe, which is an extra, is there, but must not be imported."""
    stand_in = ModuleType("mediapipe")
    stand_in.__spec__ = ModuleSpec("mediapipe", None)
    monkeypatch.setitem(sys.modules, "mediapipe", stand_in)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def model(tmp_path: Path) -> MediapipePolicy:
    path = tmp_path / "blaze_face_short_range.tflite"
    path.write_bytes(MODEL)
    return MediapipePolicy(name="mediapipe", model=str(path))


def test_mtcnn_is_three_networks(detector: Path) -> None:
    assert names(detector) == sorted(DETECTORS["mtcnn"].files)


def test_missing_weights_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(path: str) -> None:
        raise FileNotFoundError(2, "No such file", path)

    monkeypatch.setattr(torch, "load", load)
    with pytest.raises(StageError, match=r"pnet\.pt: MTCNN's weights are missing; install facenet-pytorch"):
        convert(tmp_path / "detector")
    assert not (tmp_path / "detector").exists()


def test_a_model_of_mediapipe_is_copied_under_one_name(tmp_path: Path, model: MediapipePolicy) -> None:
    convert(tmp_path / "detector", model)
    assert names(tmp_path / "detector") == list(DETECTORS["mediapipe"].files)
    assert (tmp_path / "detector" / "face_detector.task").read_bytes() == MODEL


@pytest.mark.parametrize("missing", ["nowhere.tflite", "."])
def test_a_missing_model_says_where_to_get_it(
    tmp_path: Path, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StageError, match=r"download https://\S+blaze_face_short_range\.tflite ") as caught:
        convert(tmp_path / "detector", MediapipePolicy(name="mediapipe", model=missing))
    assert str(caught.value).startswith(f"{missing}: ")
    assert not (tmp_path / "detector").exists()


@pytest.mark.parametrize("make", [convert, lambda cache, policy: ensure_detector(policy, cache)])
@pytest.mark.parametrize("content", [b"", b"junk", b"<!DOCTYPE html>", b"TFL3 too early"])
def test_a_file_that_is_no_model_is_not_kept(
    tmp_path: Path, model: MediapipePolicy, content: bytes, make: Callable[[Path, MediapipePolicy], object]
) -> None:
    Path(model.model).write_bytes(content)
    with pytest.raises(
        StageError, match=r"short_range\.tflite: neither a .*; download https://\S+ and name it"
    ):
        make(tmp_path / "made", model)
    assert not (tmp_path / "made").exists()


def test_a_task_bundle_is_a_model(tmp_path: Path, model: MediapipePolicy) -> None:
    with ZipFile(model.model, "w") as bundle:
        bundle.writestr("face_detector.tflite", MODEL)
    convert(tmp_path / "detector", model)
    assert names(tmp_path / "detector") == list(DETECTORS["mediapipe"].files)


def test_the_library_is_looked_for_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    with pytest.raises(
        StageError, match=r"^faces\.detector mediapipe: .*not installed; .*-e '\.\[mediapipe\]'"
    ):
        convert(tmp_path / "detector", MediapipePolicy(name="mediapipe", model="nowhere.tflite"))
    assert not (tmp_path / "detector").exists()


def test_a_model_that_has_changed_under_its_name_is_noticed(tmp_path: Path, model: MediapipePolicy) -> None:
    folder = tmp_path / "detector"
    check_detector(folder, model)  # nothing is made yet; whoever needs it says so
    convert(folder, model)
    check_detector(folder, model)
    Path(model.model).write_bytes(MODEL + b"newer")
    with pytest.raises(
        StageError, match=r"short_range\.tflite: changed since .*; run dvc repro -f detector$"
    ):
        check_detector(folder, model)
    Path(model.model).unlink()
    check_detector(folder, model)
    check_detector(folder, MtcnnPolicy())


def test_a_bundles_policy_does_not_tell_where_a_model_lay(model: MediapipePolicy) -> None:
    policy = CropPolicy(size=80, detector=model)
    carried = portable(policy)
    assert isinstance(carried.detector, MediapipePolicy)
    assert carried.detector.model == "blaze_face_short_range.tflite"
    assert carried.digest == policy.digest
    assert portable(CropPolicy()) == CropPolicy()


def test_no_detector_is_an_empty_folder(tmp_path: Path) -> None:
    convert(tmp_path / "artifacts" / "detector", NoDetector(name="none"))
    assert names(tmp_path / "artifacts" / "detector") == []


def test_outside_a_project_a_detector_is_made_once(tmp_path: Path, model: MediapipePolicy) -> None:
    folder = ensure_detector(model, tmp_path / "cache")
    written = folder / "face_detector.task"
    first = written.stat().st_mtime_ns
    assert ensure_detector(model, tmp_path / "cache") == folder
    assert written.stat().st_mtime_ns == first
    written.unlink()  # somebody tidied up
    assert (ensure_detector(model, tmp_path / "cache") / "face_detector.task").is_file()


def test_another_model_is_another_folder(tmp_path: Path, model: MediapipePolicy) -> None:
    once = ensure_detector(model, tmp_path / "cache")
    Path(model.model).write_bytes(MODEL + b"newer")
    assert ensure_detector(model, tmp_path / "cache") != once
    assert names(ensure_detector(NoDetector(name="none"), tmp_path / "cache")) == []


def test_networks_are_converted_anew_by_another_torch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    monkeypatch.setattr(module, "convert", lambda folder, policy: made.append(folder.name))
    ensure_detector(MtcnnPolicy(), tmp_path)
    monkeypatch.setattr(module, "versions", lambda packages: dict.fromkeys(packages, "99"))
    ensure_detector(MtcnnPolicy(min_face=40), tmp_path)
    assert len(set(made)) == 2
