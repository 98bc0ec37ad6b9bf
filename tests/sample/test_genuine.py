"""Genuine clips by themselves."""

import numpy as np
import pytest

from sample import SampleSettings
from sample.session import cast, record_genuine, record_session


@pytest.fixture(scope="module")
def settings(tiny_settings: SampleSettings) -> SampleSettings:
    return tiny_settings.model_copy(update={"frames": 2})


def test_genuine_clip_is_the_same_whenever_it_is_made(settings: SampleSettings) -> None:
    first, again = (np.stack(record_genuine(settings, person=1)) for _ in range(2))
    assert first.shape == (2, settings.height, settings.width, 3)
    np.testing.assert_array_equal(first, again)


def test_genuine_clip_is_none_of_the_samples(settings: SampleSettings) -> None:
    session = record_session(settings, cast(settings)[1])
    apart = np.stack(record_genuine(settings, person=1)).astype(float)
    assert np.abs(apart - session.genuine).mean() > 5


def test_stride_passes_frames_over(settings: SampleSettings) -> None:
    def moved(stride: int) -> float:
        first, second = record_genuine(settings, person=1, stride=stride)
        return float(np.abs(first.astype(float) - second).mean())

    assert moved(6) > moved(1)
