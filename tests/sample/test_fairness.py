"""Single features must not tell forged clips from genuine ones; a leak must be seen by the measure."""

from pathlib import Path

import numpy as np
import pytest

from sample.fairness import (
    BOUNDS,
    ClipLook,
    face_finder,
    feature_aucs,
    folded_auc,
    look_at_clips,
    thumbnail_aucs,
)


def look(index: int, label: str, **features: float) -> ClipLook:
    rng = np.random.default_rng([index, label == "fake"])
    known = {name: float(rng.normal()) for name in BOUNDS} | features
    pixels = rng.normal(size=768)
    return ClipLook(label, "none", (f"p{index:03d}",), known, pixels, pixels, faces=8, searched=8)


@pytest.mark.parametrize(
    ("values", "auc"),
    [([1, 2, 3, 4], 1.0), ([4, 3, 2, 1], 1.0), ([1, 1, 1, 1], 0.5), ([1, 4, 2, 3], 0.5)],
)
def test_folded_auc_does_not_care_for_direction(values: list[float], auc: float) -> None:
    forged = np.array([False, False, True, True])
    assert folded_auc(forged, np.array(values, float)) == auc


def test_a_planted_leak_is_seen() -> None:
    looks = [look(i, "real", brightness=100.0 + i % 7) for i in range(30)]
    looks += [look(i, "fake", brightness=104.0 + i % 7) for i in range(30)]
    aucs = feature_aucs(looks)
    assert aucs["brightness"] > BOUNDS["brightness"]
    assert aucs["file_size"] < 0.7


def test_a_clip_without_a_face_counts_for_the_other_features() -> None:
    looks = [look(i, label) for i in range(10) for label in ("real", "fake")]
    looks.append(look(10, "fake", face_size=float("nan"), file_size=99.0))
    assert np.isfinite(list(feature_aucs(looks).values())).all()


def test_thumbnails_that_differ_by_class_are_seen() -> None:
    noise = [look(i, label) for i in range(24) for label in ("real", "fake")]
    assert thumbnail_aucs(noise)["face"] < 0.75
    for entry in noise:
        entry.face_thumbnail[:40] += 1.5 * (entry.label == "fake")
    assert thumbnail_aucs(noise)["face"] > 0.9


def test_features_are_measured_on_the_encoded_files(tiny_sample: Path) -> None:
    looks = list(look_at_clips(tiny_sample, detect=lambda frame: (50, 20, 110, 100)))
    assert len(looks) == 16
    assert all(set(entry.features) == set(BOUNDS) for entry in looks)
    assert looks[0].features["face_size"] == pytest.approx(np.sqrt(60 * 80))
    forged = next((tiny_sample / "fake").glob("p000_?.mp4"))
    assert looks[0].features["file_size"] == forged.stat().st_size
    assert looks[0].people == ("p000", "p001")


@pytest.mark.full  # .ci/run has it, too
@pytest.mark.timeout(900)
def test_the_shipped_sample_is_fair_and_every_face_is_found(shipped_sample: Path, networks: Path) -> None:
    looks = list(look_at_clips(shipped_sample, face_finder(networks)))
    assert len(looks) == 144
    aucs = feature_aucs(looks)
    assert {name: auc for name, auc in aucs.items() if auc > BOUNDS[name]} == {}
    assert thumbnail_aucs(looks)["frame"] <= 0.6
    assert thumbnail_aucs(looks)["face"] <= 0.7
    assert sum(entry.faces for entry in looks) >= 0.99 * sum(entry.searched for entry in looks)
    assert all(entry.faces >= 0.25 * entry.searched for entry in looks)
