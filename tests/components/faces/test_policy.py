"""What a crop policy may ask for."""

from typing import Any

import pytest
from pydantic import ValidationError

from components.faces.policy import MAX_CROP_BYTES, CropPolicy
from components.faces.reply import faces_bytes


def frames(count: int) -> dict[str, Any]:
    return {"policy": "even", "frames": count}


@pytest.mark.parametrize(
    "asked",
    [
        {"size": 1024, "tracks": "main", "sampling": frames(341)},
        {"size": 224, "tracks": "all", "sampling": frames(440)},
        {"size": 32, "tracks": "all", "sampling": frames(512)},
        {"size": 224, "tracks": "main", "sampling": {"policy": "clip", "places": 64, "frames": 8}},
    ],
    ids=str,
)
def test_clips_that_a_worker_can_hold_are_cut(asked: dict[str, Any]) -> None:
    assert faces_bytes(CropPolicy.model_validate(asked)) < 1.01 * MAX_CROP_BYTES


@pytest.mark.parametrize(
    "asked",
    [
        {"size": 1024, "tracks": "all", "sampling": frames(512)},
        {"size": 1024, "tracks": "main", "sampling": frames(342)},
        {"size": 224, "tracks": "all", "sampling": {"policy": "every", "step": 1, "most": 512}},
    ],
    ids=str,
)
def test_clips_that_no_worker_can_hold_are_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(
        ValidationError, match=r"tracks .*, sampling, size: .* MiB, at most 1024; lower one"
    ) as error:
        CropPolicy.model_validate(asked)
    assert "\n" not in error.value.errors()[0]["msg"]
