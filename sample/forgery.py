"""Forgeries: frames and masks in, frames out. Knows nothing of how the frames came to be.

All kinds carry the same clearly visible faults (another tone, a face that sits not quite right, an edge) and
one signature of their own:

self_blend      the frame's own face, changed and laid over itself (Shiohara & Yamasaki, "Detecting Deepfakes
                with Self-Blended Images", CVPR 2022)
swap            another face in the same pose, its tone moved towards the target's
flicker         a face that trembles, changes tone from frame to frame and sometimes stands still
low_resolution  a face from a generator of too few pixels, compressed on its own
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np

from sample.grain import match_grain
from sample.scene import RenderedFrame
from sample.texture import Raster

Method = Literal["self_blend", "swap", "flicker", "low_resolution"]
METHODS: tuple[Method, ...] = ("swap", "self_blend", "flicker", "low_resolution")
Window = tuple[slice, slice]
_DARKEST, _LIGHTEST = 32.0, 88.0  # mean L of a forged face


@dataclass(frozen=True)
class ForgeryFaults:
    """What is wrong in one forged clip. Lengths are shares of the face's side unless they say px."""

    tone: Raster  # (3,) shift in Lab
    contrast: float  # of lightness, 1 is unchanged
    scale: float
    rotation: float  # radians
    shift: tuple[float, float]
    elastic: Raster  # (2, 5, 5) displacement over the face, smooth in between
    edge: float  # softness of the mask's edge, px
    waves: Raster  # (2, 9, 9) displacement of the mask's edge, px
    halo: float  # grey levels along the edge
    jitter: float  # px per frame
    tone_jitter: float  # Lab units per frame
    hold: float  # chance that a frame repeats the face of the one before
    shrink: float  # down-scaling of the face, 1 is none


def draw_forgery_faults(method: Method, rng: np.random.Generator) -> ForgeryFaults:
    """Draws the faults of one clip: the same ranges for every method, and the method's signature."""
    flicker, coarse = method == "flicker", method == "low_resolution"
    hue, away = rng.uniform(0, 2 * np.pi), rng.uniform(0, 2 * np.pi)
    colourful, distance = rng.uniform(12, 17), rng.uniform(0.02, 0.05)
    tone = [_sign(rng) * rng.uniform(5, 12), colourful * np.cos(hue), colourful * np.sin(hue)]
    return ForgeryFaults(
        tone=np.array(tone, np.float32),
        contrast=1 + _sign(rng) * float(rng.uniform(0.1, 0.17)),
        # A detector's box is 2 to 3 % tighter around a face with an edge in it; enlarging more often than not
        # makes up for it, so that the box's size says nothing.
        scale=1 + _sign(rng, plus=0.75) * float(rng.uniform(0.025, 0.07)),
        rotation=_sign(rng) * float(np.deg2rad(rng.uniform(1.2, 3.7))),
        shift=(float(distance * np.cos(away)), float(distance * np.sin(away))),
        elastic=0.02 * rng.uniform(-1, 1, (2, 5, 5)).astype(np.float32),
        edge=float(rng.uniform(1.0, 2.0)),
        waves=rng.uniform(-2.0, 2.0, (2, 9, 9)).astype(np.float32),
        halo=_sign(rng) * float(rng.uniform(16, 28)),
        jitter=float(rng.uniform(1.5, 3.0) if flicker else rng.uniform(0.3, 0.9)),
        tone_jitter=float(rng.uniform(2, 4)) if flicker else 0.0,
        hold=0.25 if flicker else 0.0,
        shrink=float(rng.uniform(1.8, 2.6)) if coarse else 1.0,
    )


def render_self_blend(
    frames: Sequence[RenderedFrame], masks: Sequence[Raster], method: Method, rng: np.random.Generator
) -> tuple[list[RenderedFrame], list[Raster]]:
    """Forge a clip from nothing but itself. See `forge`."""
    return forge(frames, frames, masks, draw_forgery_faults(method, rng), rng)


def forge(
    frames: Sequence[RenderedFrame],
    sources: Sequence[RenderedFrame],
    masks: Sequence[Raster],
    faults: ForgeryFaults,
    rng: np.random.Generator,
) -> tuple[list[RenderedFrame], list[Raster]]:
    """Lay the faces of `sources` over those of `frames`, with faults.

    Args:
        frames: the target's frames, (H, W, 3) RGB, 8 bit.
        sources: as many frames with the face to lay over it in the same place; may be `frames` themselves.
        masks: (H, W) of the region to replace in each frame, 0 to 1.
        faults: what shall be wrong.
        rng: jitter, holds and grain.

    Returns:
        The forged frames, and for each the coverage (H, W) of what was laid over it.
    """
    faults = _kept_visible(faults, sources[0], masks[0])
    forged, covers = [], []
    held = sources[0]
    for index, (frame, source, mask) in enumerate(zip(frames, sources, masks, strict=True)):
        held = held if index and rng.uniform() < faults.hold else source
        picture, cover = _forge_frame(frame, held, mask, faults, rng)
        forged.append(picture)
        covers.append(cover)
    return forged, covers


def _forge_frame(
    frame: RenderedFrame, source: RenderedFrame, mask: Raster, faults: ForgeryFaults, rng: np.random.Generator
) -> tuple[RenderedFrame, Raster]:
    box = face_box(mask)
    if box is None:  # the face has left the picture
        return frame, mask
    tremble = rng.normal(0, faults.jitter, 2).astype(np.float32)
    tone = faults.tone + rng.normal(0, faults.tone_jitter, 3).astype(np.float32)
    face = _warp(source, box, mask, faults, tremble)
    face = _coarsen(_recolour(face, tone, faults.contrast), faults.shrink)
    cover = _ragged(mask, box, faults, 0.5 * tremble)
    target = frame[box].astype(np.float32)
    ring = (4 * cover * (1 - cover))[..., None]
    blended = target + cover[..., None] * (face - target) + faults.halo * ring
    picture, whole = frame.copy(), np.zeros(mask.shape, np.float32)
    picture[box] = match_grain(blended, frame[box], cover, rng)
    whole[box] = cover
    return picture, whole


def _kept_visible(faults: ForgeryFaults, source: RenderedFrame, mask: Raster) -> ForgeryFaults:
    """Turn the shift of lightness round where it would drown a dark face in black or a light one in white."""
    inside = mask > 0.5
    if not inside.any():
        return faults
    lightness = float(_lab(source[inside][None].astype(np.float32))[..., 0].mean())
    shift = float(faults.tone[0])
    drowned = lightness + shift < _DARKEST if shift < 0 else lightness + shift > _LIGHTEST
    if not drowned:
        return faults
    return replace(faults, tone=faults.tone * np.array([-1, 1, 1], np.float32))


def face_box(mask: Raster, margin: float = 0.2) -> Window | None:
    """The rows and columns of the mask's bounding box with a margin (share of its side), or None if empty."""
    rows, columns = np.flatnonzero((mask > 0.5).any(axis=1)), np.flatnonzero((mask > 0.5).any(axis=0))
    if not len(rows):
        return None
    pad = round(margin * max(rows[-1] - rows[0], columns[-1] - columns[0]))
    spans = zip((rows, columns), mask.shape, strict=True)
    down, across = (slice(max(0, int(s[0]) - pad), min(size, int(s[-1]) + pad + 1)) for s, size in spans)
    return down, across


def _warp(source: RenderedFrame, box: Window, mask: Raster, faults: ForgeryFaults, tremble: Raster) -> Raster:
    """Returns the source's face, moved, scaled, turned and stretched: (h, w, 3) of the box."""
    x, y = _positions(box)
    side = float(max(x.shape))
    centre_x, centre_y = float(x.mean()), float(y.mean())
    move_x = x - centre_x - faults.shift[0] * side / 1.4 - tremble[0]
    move_y = y - centre_y - faults.shift[1] * side / 1.4 - tremble[1]
    cos, sin = math.cos(faults.rotation) / faults.scale, math.sin(faults.rotation) / faults.scale
    bend_x, bend_y = (side / 1.4 * _stretched(field, x.shape) for field in faults.elastic)
    map_x = centre_x + cos * move_x + sin * move_y + bend_x
    map_y = centre_y - sin * move_x + cos * move_y + bend_y
    warped = cv2.remap(source, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return warped.astype(np.float32)


def _positions(box: Window) -> tuple[Raster, Raster]:
    x, y = np.arange(box[1].start, box[1].stop), np.arange(box[0].start, box[0].stop)
    columns, rows = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    return columns, rows


def _stretched(field: Raster, shape: tuple[int, int]) -> Raster:
    """Returns a coarse field, smoothly enlarged."""
    return cv2.resize(field, shape[::-1], interpolation=cv2.INTER_CUBIC)


def _recolour(face: Raster, tone: Raster, contrast: float) -> Raster:
    lab = _lab(face)
    middle = lab[..., 0].mean()
    lab[..., 0] = middle + (lab[..., 0] - middle) * contrast
    return _rgb(lab + tone)


def _coarsen(face: Raster, shrink: float) -> Raster:
    """Returns a face that a generator of fewer pixels made, with its own compression."""
    if shrink == 1.0:
        return face
    height, width = face.shape[:2]
    small = cv2.resize(face, (round(width / shrink), round(height / shrink)), interpolation=cv2.INTER_AREA)
    decoded = jpeg(np.clip(small, 0, 255).astype(np.uint8), quality=55)
    return cv2.resize(decoded.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)


def _ragged(mask: Raster, box: Window, faults: ForgeryFaults, tremble: Raster) -> Raster:
    """Returns the mask with a soft, wavy edge: (h, w) of the box."""
    x, y = _positions(box)
    waves_x, waves_y = (_stretched(field, x.shape) for field in faults.waves)
    wavy = cv2.remap(mask, x + waves_x - tremble[0], y + waves_y - tremble[1], cv2.INTER_LINEAR)
    return cv2.GaussianBlur(wavy, (0, 0), faults.edge)


def transfer_tone(source: RenderedFrame, target: RenderedFrame, mask: Raster) -> RenderedFrame:
    """Gives the source's face the target's tone in Lab.

    After Reinhard et al., "Color Transfer between Images", 2001, but lightness is multiplied rather than
    shifted, so that pupils and brows stay dark on a face made lighter.
    """
    inside = mask > 0.5
    if not inside.any():
        return source
    current, wanted = (_lab(frame.astype(np.float32)) for frame in (source, target))
    seen, goal = current[inside], wanted[inside]
    gain = np.clip(goal.std(axis=0) / (seen.std(axis=0) + 1e-3), 0.8, 1.25)
    gain[0] = np.clip(goal[:, 0].mean() / seen[:, 0].mean(), 0.5, 2.0)
    matched = (current - seen.mean(axis=0)) * gain + goal.mean(axis=0)
    return (_rgb(matched) + 0.5).astype(np.uint8)


def _lab(picture: Raster) -> Raster:
    """RGB, 0 to 255, as CIE Lab: L from 0 to 100, a and b around 0."""
    return cv2.cvtColor(np.clip(picture, 0, 255) / np.float32(255), cv2.COLOR_RGB2Lab)


def _rgb(lab: Raster) -> Raster:
    """Returns the inverse of `_lab`; what no screen can show is clipped."""
    return np.clip(cv2.cvtColor(lab.astype(np.float32), cv2.COLOR_Lab2RGB), 0, 1) * 255


def jpeg(frame: RenderedFrame, quality: int) -> RenderedFrame:
    """Returns one pass through JPEG."""
    bgr = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), np.uint8)


def _sign(rng: np.random.Generator, plus: float = 0.5) -> float:
    return 1.0 if rng.uniform() < plus else -1.0
