import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from components.bundle import Bundle, Calibration, bundle_files, digest_of, open_bundle
from components.errors import BundleError
from components.faces.policy import CROP_VERSION

FILES = bundle_files("mtcnn")
MEDIAPIPE = {"name": "mediapipe", "model": "face.task"}
VERSION_1 = {
    "frames": 8, "size": 64, "margin": 0.3, "min_face_share": 0.25,
    "detector": {"min_face": 24, "longest_side": 640, "thresholds": [0.6, 0.7, 0.7], "factor": 0.709},
}  # fmt: skip
"""The crop policy as it stood in bundles of crop version 1."""


@pytest.fixture
def copy(bundle: Bundle, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle.folder, tmp_path / "bundle"))


@pytest.mark.parametrize("name", FILES)
def test_the_digest_covers_every_file(bundle: Bundle, copy: Path, name: str) -> None:
    assert open_bundle(copy).digest == bundle.digest
    with (copy / name).open("ab") as file:
        file.write(b"\n")
    assert Bundle(copy, bundle.info).digest != bundle.digest


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(BundleError, match=name):
        open_bundle(copy)


def edit(folder: Path, **changes: Any) -> None:
    file = folder / "bundle.json"
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | changes), encoding="utf-8")


OTHER = "train again, or score with the version of unmask that made it"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"format": 99}, f"format 99, .*{OTHER}"),
        ({"crop_version": 99}, f"crop version 99, this code cuts version {CROP_VERSION}; {OTHER}"),
        ({"crop_version": 1, "crop": VERSION_1}, f"crop version 1, this code cuts .*; {OTHER}"),
        ({"crop": {"sampling": {"policy": "scene"}}}, rf"crop\.sampling: .*no such crop policy; {OTHER}"),
        ({"crop": {"detector": {"name": "yolo"}}}, rf"crop\.detector: .*no such crop policy; {OTHER}"),
        ({"crop": {"border": "wrap"}}, rf"crop\.border: .*no such crop policy; {OTHER}"),
        ({"threshold": 1.5}, "threshold: .*export it again"),
        ({"surprise": 1}, "surprise: .*export it again"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(
    copy: Path, changes: dict[str, object], told: str
) -> None:
    edit(copy, **changes)
    with pytest.raises(BundleError, match=told) as caught:
        open_bundle(copy)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff"])
def test_a_damaged_bundle_json_is_named(copy: Path, content: bytes) -> None:
    (copy / "bundle.json").write_bytes(content)
    with pytest.raises(BundleError, match=rf"^{copy}.*export it again") as caught:
        open_bundle(copy)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("detector", "files"),
    [(MEDIAPIPE, ["face_detector.task"]), ({"name": "none"}, [])],
    ids=["mediapipe", "none"],
)
def test_a_bundle_needs_and_counts_the_files_of_its_own_detector(
    copy: Path, detector: dict[str, str], files: list[str]
) -> None:
    shutil.rmtree(copy / "detector")
    edit(copy, crop={"detector": detector})
    for name in files:
        with pytest.raises(BundleError, match=f"detector/{name} is missing"):
            open_bundle(copy)
        (copy / "detector").mkdir(exist_ok=True)
        (copy / "detector" / name).write_bytes(b"a")
    before = open_bundle(copy).digest
    for name in files:
        (copy / "detector" / name).write_bytes(b"b")
    assert (open_bundle(copy).digest != before) == bool(files)


def test_bundles_made_before_detectors_had_names_keep_their_digest(tmp_path: Path) -> None:
    (tmp_path / "detector").mkdir()
    for name in FILES:
        (tmp_path / name).write_bytes(name.encode())
    old = "fc6415fe993406e726dae9fd4fae6f0933709a9554a16acf9732da8cf6a2634c"
    (tmp_path / "bundle.json").write_text(json.dumps({"crop_version": 1, "crop": VERSION_1}))
    assert digest_of(tmp_path) == old
    (tmp_path / "bundle.json").unlink()
    with pytest.raises(FileNotFoundError):
        digest_of(tmp_path)


@pytest.mark.parametrize("logit", [-800.0, -2.0, 0.0, 0.5, 800.0])
def test_calibration_is_a_sigmoid_without_overflow(logit: float) -> None:
    slope, intercept = 0.5, -1.0
    probability = Calibration(slope=slope, intercept=intercept).probability(logit)
    z = slope * logit + intercept
    expected = 1 / (1 + math.exp(-z)) if abs(z) < 300 else float(z > 0)
    assert probability == pytest.approx(expected)
