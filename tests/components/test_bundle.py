import json
import math
import shutil
from pathlib import Path

import pytest

from components.bundle import FILES, Bundle, Calibration, open_bundle
from components.errors import BundleError


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


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"format": 99}, "format 99"),
        ({"crop_version": 99}, "crop version 99"),
        ({"threshold": 1.5}, "threshold"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(
    copy: Path, changes: dict[str, object], told: str
) -> None:
    file = copy / "bundle.json"
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | changes), encoding="utf-8")
    with pytest.raises(BundleError, match=told) as caught:
        open_bundle(copy)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("logit", [-800.0, -2.0, 0.0, 0.5, 800.0])
def test_calibration_is_a_sigmoid_without_overflow(logit: float) -> None:
    slope, intercept = 0.5, -1.0
    probability = Calibration(slope=slope, intercept=intercept).probability(logit)
    z = slope * logit + intercept
    expected = 1 / (1 + math.exp(-z)) if abs(z) < 300 else float(z > 0)
    assert probability == pytest.approx(expected)
