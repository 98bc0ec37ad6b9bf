"""Pictures of high dynamic range or wide gamut, brought down to what an ordinary screen shows.

Light is what Rec. ITU-R BT.2100-2 makes of a PQ or HLG signal (tables 4 and 5), HLG on a screen whose peak is
1000 cd/m². White is at 203 cd/m² (Report ITU-R BT.2408, 2.1); what is brighter is rolled off by the EETF of
Report ITU-R BT.2390 (5.4.1), from the brightest light of the picture itself, so that one without any keeps
its tones. Colours that BT.709 does not have are clipped. The signal is that of Rec. ITU-R BT.1886.
"""

from functools import cache

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorTrc
from numpy.typing import NDArray

from components.arrays import Floats32

WHITE = 203.0
"""Of SDR, cd/m²."""

SCREEN = 1000.0
"""Peak of the screen for which HLG is shown, cd/m²."""

BRIGHTEST = 99.9
"""Percentile of a picture's light that counts as its peak, so that a spark does not dim a face."""

STEPS = 2**16
"""Of tables, and levels of a signal."""

M1, M2 = 2610 / 16384, 2523 / 4096 * 128
C1, C2, C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
"""Of PQ."""

ROWS = 64
"""Worked on at a time; a picture in floating point takes four times its memory."""

DISPLAY_GAMMA = 2.4
"""Of BT.1886."""

LUMINANCE = np.array([0.2627, 0.6780, 0.0593], np.float32)
"""Of linear BT.2020."""

TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)
"""From linear BT.2020 (Report ITU-R BT.2407, 2.2)."""


def is_wide(frame: VideoFrame) -> bool:
    """Tells whether a frame's colours go beyond those of an ordinary screen."""
    high = {ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67}
    return frame.color_trc in high or frame.color_primaries == ColorPrimaries.BT2020


def to_sdr(signal: NDArray[np.uint16], transfer: int) -> NDArray[np.uint8]:
    """Returns a picture in BT.2020 as SDR in BT.709.

    Args:
        signal: RGB (H, W, 3), full range.
        transfer: how light became the signal, by the numbers of ITU-T H.273.

    Returns:
        RGB (H, W, 3).
    """
    peak = float(np.percentile(_largest(_light(signal[::4, ::4], transfer)), BRIGHTEST))
    gain = _gain(peak) if peak > 1 else None
    shown = np.empty(signal.shape, np.uint8)
    for row in range(0, len(signal), ROWS):
        light = _light(signal[row : row + ROWS], transfer)
        if gain is not None:
            light *= gain[_step(_largest(light) / peak)][..., None]
        shown[row : row + ROWS] = np.take(_level(), _step(light @ TO_BT709.T))
    return shown


def _light(signal: NDArray[np.uint16], transfer: int) -> Floats32:
    """Linear light of a signal (H, W, 3); 1 is white."""
    light = np.take(_linear(transfer), signal)
    if transfer == ColorTrc.ARIB_STD_B67:  # of the scene; a screen shows it with more contrast
        light *= SCREEN / WHITE * (light @ LUMINANCE)[..., None] ** np.float32(0.2)
    return light


def _largest(light: Floats32) -> Floats32:
    """Returns the largest of each pixel's three components; much faster than `max` over so short an axis."""
    return np.maximum(np.maximum(light[..., 0], light[..., 1]), light[..., 2])


@cache
def _linear(transfer: int) -> Floats32:
    """Returns the light of each level of a signal: 1 is white, but for HLG the brightest of the scene."""
    signal = np.linspace(0, 1, STEPS)
    if transfer == ColorTrc.SMPTE2084:
        light = _pq_light(signal)
    elif transfer == ColorTrc.ARIB_STD_B67:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        light = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    else:
        light = signal**DISPLAY_GAMMA
    return light.astype(np.float32)


def _step(light: Floats32) -> NDArray[np.uint16]:
    """Returns the steps for 0 to 1 in tables that are as fine for dark as for bright light."""
    return (np.sqrt(np.clip(light, 0, 1)) * (STEPS - 1)).astype(np.uint16)


def _steps() -> NDArray[np.float64]:
    """Returns the light of each step."""
    return np.linspace(0, 1, STEPS) ** 2


@cache
def _level() -> NDArray[np.uint8]:
    """Returns the level of an SDR signal for each step."""
    return np.rint(255 * _steps() ** (1 / DISPLAY_GAMMA)).astype(np.uint8)


def _gain(peak: float) -> Floats32:
    """Returns the gain that rolls light off, for each step as a share of its peak, which is over 1."""
    top = _pq_signal(np.array(peak))
    white = _pq_signal(np.array(1.0)) / top
    knee = 1.5 * white - 0.5
    signal = _pq_signal(_steps() * peak) / top
    t = (signal - knee) / (1 - knee)
    spline = (
        (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * white
    )
    rolled = _pq_light(np.where(signal < knee, signal, spline) * top)
    gain = np.ones(STEPS)
    gain[1:] = rolled[1:] / (_steps()[1:] * peak)
    return gain.astype(np.float32)


def _pq_signal(light: NDArray[np.float64]) -> NDArray[np.float64]:
    power = (light * WHITE / 10_000) ** M1
    return ((C1 + C2 * power) / (1 + C3 * power)) ** M2


def _pq_light(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    power = signal ** (1 / M2)
    return 10_000 / WHITE * (np.maximum(power - C1, 0) / (C2 - C3 * power)) ** (1 / M1)
