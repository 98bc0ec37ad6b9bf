"""A known SDR picture, stored as PQ, HLG or wide SDR, comes back; bright light is rolled off."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorTrc
from numpy.typing import NDArray

from components.video.dynamic_range import to_sdr
from components.video.frames import sample_frames
from components.video.limits import Limits
from tests.components.video.films import FRAMES, scene, write

Floats = NDArray[np.float64]

FROM_BT709 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
"""To linear BT.2020 (Rec. ITU-R BT.2087, 4)."""

LUMINANCE = np.array([0.2627, 0.6780, 0.0593])


def pq(nits: Floats) -> Floats:
    """Rec. ITU-R BT.2100-2, table 4: inverse EOTF."""
    power = (nits / 10_000) ** 0.1593017578125
    return np.asarray(((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)


def hlg(nits: Floats) -> Floats:
    """Rec. ITU-R BT.2100-2, table 5: inverse OOTF for a screen of 1000 cd/m², then OETF."""
    luminance = np.maximum(nits @ LUMINANCE / 1000, 1e-9)[..., None]
    scene = nits / 1000 * luminance ** (1 / 1.2 - 1)
    bright = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), bright)


def wide(nits: Floats) -> Floats:
    """SDR in BT.2020."""
    return np.asarray((nits / 203) ** (1 / 2.4))


def stored_wide(signal: Floats, transfer: int) -> av.VideoFrame:
    """A frame of 10 bits a component in limited range (Rec. ITU-R BT.2100-2, table 9)."""
    luma = signal @ LUMINANCE
    parts = [luma, (signal[..., 2] - luma) / 1.8814, (signal[..., 0] - luma) / 1.4746]
    codes = [np.rint(876 * parts[0] + 64), *(np.rint(896 * part + 512) for part in parts[1:])]
    frame = av.VideoFrame.from_ndarray((np.stack(codes, axis=2) * 64).astype(np.uint16), "yuv444p16le")
    frame = frame.reformat(format="yuv444p10le")
    frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range = 9, 9, transfer, 1
    return frame


TRANSFERS: dict[int, Callable[[Floats], Floats]] = {
    ColorTrc.SMPTE2084: pq,
    ColorTrc.ARIB_STD_B67: hlg,
    ColorTrc.BT2020_10: wide,
}


@pytest.mark.parametrize("transfer", TRANSFERS, ids=lambda transfer: TRANSFERS[transfer].__name__)
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_an_sdr_picture_comes_back(tmp_path: Path, name: str, transfer: int) -> None:
    picture = np.clip(scene(0), 16, 239)
    light = 203 * (picture / 255) ** 2.4 @ FROM_BT709.T
    frame = stored_wide(TRANSFERS[transfer](light), transfer)
    path = write(
        tmp_path / name, [frame] * FRAMES, "libx264", {"qp": "1", "preset": "ultrafast"},
        colorspace=9, color_primaries=9, color_trc=transfer, color_range=1,
    )  # fmt: skip
    frames, _ = sample_frames(path, 1, Limits(min_frames=1))
    difference = np.abs(frames[0].astype(int) - picture)
    assert difference.mean() < 1.5
    assert np.percentile(difference, 99) < 8


@pytest.mark.parametrize(
    ("transfer", "peak"), [(ColorTrc.SMPTE2084, 4000.0), (ColorTrc.ARIB_STD_B67, 1000.0)]
)
def test_bright_light_is_rolled_off(transfer: int, peak: float) -> None:
    """Dark tones stay, lights above white differ still, and a colour stays one."""
    nits = np.geomspace(0.1, peak, 1000)
    grey = TRANSFERS[transfer](np.repeat(nits[None, :, None], 3, axis=2))
    shown = to_sdr(np.rint(grey * 65535).astype(np.uint16), transfer)[0]
    sdr = 255 * (np.minimum(nits / 203, 1)) ** (1 / 2.4)
    assert np.ptp(shown, axis=1).max() <= 1
    levels = shown[:, 1].astype(int)
    assert (np.diff(levels) >= 0).all()
    assert np.abs(levels - sdr)[nits < 20].max() < 2
    assert levels[nits < 203][-1] < 245
    assert levels[-1] >= 254
    assert len(set(levels[nits > 203])) > 20


@pytest.mark.parametrize("height", [1, 3, 63, 64, 65, 130])
def test_a_picture_of_any_height(height: int) -> None:
    signal = np.random.default_rng(0).integers(0, 2**16, (height, 5, 3)).astype(np.uint16)
    whole = to_sdr(signal, ColorTrc.BT2020_10)
    rows = [to_sdr(signal[row : row + 1], ColorTrc.BT2020_10) for row in range(height)]
    assert np.array_equal(whole, np.concatenate(rows))
