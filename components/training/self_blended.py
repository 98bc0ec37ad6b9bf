"""Forged clips from genuine ones: a face is changed a little and blended over itself.

After Shiohara & Yamasaki, "Detecting Deepfakes with Self-Blended Images", CVPR 2022
(https://arxiv.org/abs/2204.08376), carried over to clips: what is drawn holds for all frames, and follows the
face by its landmarks. On some clips mask, tone and place also tremble from frame to frame, the faults that
Yan et al., "Generalizing Deepfake Video Detection with Plug-and-Play: Video-Level Blending", CVPR 2025
(https://arxiv.org/abs/2408.17065) found in forged videos.

The surroundings of the face stay as they are, bit for bit. Were they degraded too, a network could tell
forged clips by that, and never look for what does not fit.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from components.arrays import Floats32, Floats64, Image
from components.faces.policy import CropPolicy
from components.training.blending_faults import Faults, degraded, draw_faults
from components.training.blending_mask import canvas_map, draw_mask, face_maps, followed_by

FLICKER = 0.4
"""Share of the clips whose faults tremble from frame to frame."""

BLEND_RATIOS = (0.5, 0.75, 1.0, 1.0, 1.0)
"""How much of the face is replaced where the mask is whole; each as often."""


@dataclass(frozen=True)
class Flicker:
    """What differs from frame to frame. Lengths are in coordinates of the face."""

    mask: Floats64  # (T, 2) shift
    mask_scale: Floats64  # (T,)
    place: Floats64  # (T, 2) shift of the face that is blended in
    tone: Floats64  # (T, 3) levels
    weight: Floats64  # (T,) of the blending, a factor up to 1


def self_blend(
    clip: Tensor, landmarks: Floats32, generator: np.random.Generator, boxes: Floats32 | None = None
) -> tuple[Tensor, Tensor]:
    """Makes a forged clip from a genuine one. Every draw comes from `generator`.

    Args:
        clip: uint8 (T, 3, S, S) RGB crops of one face.
        landmarks: (T, 5, 2) px of the crop: eyes, nose, corners of the mouth; NaN where they are not known
            (`components.faces.in_crop`).
        generator: of all draws.
        boxes: (T, 4) px of the crop, which place the face where no frame has landmarks; by default the middle
            of the crop, as large as the default margin leaves it.

    Returns:
        The forged clip, uint8 (T, 3, S, S), and how much of each pixel is forged, float32 (T, S, S) in 0…1.
    """
    frames = np.ascontiguousarray(clip.permute(0, 2, 3, 1).numpy())  # (T, S, S, 3)
    length, side = frames.shape[:2]
    mask, weight = draw_mask(generator, side), float(generator.choice(BLEND_RATIOS))
    faults, flicker = draw_faults(generator), draw_flicker(generator, length)
    maps = face_maps(landmarks, _in_the_middle(length, side) if boxes is None else boxes)
    sources = _sources(frames, maps, faults, flicker)
    weights = _weights(mask * weight, maps, flicker)
    blended = np.stack(
        [
            cv2.blendLinear(source, frame, share, 1 - share)
            for source, frame, share in zip(sources, frames, weights, strict=True)
        ]
    )
    return torch.from_numpy(blended).permute(0, 3, 1, 2), torch.from_numpy(weights)


def _in_the_middle(length: int, side: int) -> Floats32:
    """Returns (T, 4) boxes as a crop without alignment has them."""
    half = side / (1 + CropPolicy().margin) / 2
    middle = side / 2
    return np.tile(np.array([middle - half] * 2 + [middle + half] * 2, np.float32), (length, 1))


def draw_flicker(generator: np.random.Generator, length: int) -> Flicker:
    """Draws what differs between the frames of a clip: on most clips, nothing."""
    strength = generator.uniform(0.2, 1.0) if generator.random() < FLICKER else 0.0
    kinds = strength * (generator.random(4) < 0.6)  # what of it trembles
    return Flicker(
        mask=generator.normal(0, 0.05, (length, 2)) * kinds[0],
        mask_scale=1 + generator.normal(0, 0.04, length) * kinds[0],
        place=generator.normal(0, 0.035, (length, 2)) * kinds[1],
        tone=(generator.normal(0, 5, (length, 1)) + generator.normal(0, 2, (length, 3))) * kinds[2],
        weight=1 - generator.uniform(0, 0.6, length) * kinds[3],
    )


def _weights(mask: Floats32, maps: Floats64, flicker: Flicker) -> Floats32:
    """Returns (T, S, S): the mask laid onto each frame."""
    side = len(mask)
    laid = np.empty((len(maps), side, side), np.float32)
    for index, to_crop in enumerate(maps):
        scale = flicker.mask_scale[index]
        moved = np.column_stack([np.eye(2) * scale, flicker.mask[index]])
        place = followed_by(followed_by(canvas_map(side), moved), to_crop)
        laid[index] = cv2.warpAffine(mask * float(flicker.weight[index]), place, (side, side))
    return laid


def _sources(frames: Image, maps: Floats64, faults: Faults, flicker: Flicker) -> Image:
    """Returns (T, S, S, 3): the changed faces, which are to be blended in."""
    side = frames.shape[1]
    matrix = np.eye(3, 4) if faults.tone is None else faults.tone.matrix(frames.mean(axis=(0, 1, 2)))
    warp = _warp(faults, side)
    sources = []
    for frame, to_crop, shift, levels in zip(frames, maps, flicker.place, flicker.tone, strict=True):
        tone = matrix + np.pad(levels[:, None], ((0, 0), (3, 0)))
        source = np.asarray(cv2.transform(degraded(frame, faults), tone), np.uint8)
        if warp is not None or shift.any():
            source = _displaced(source, _field(side) if warp is None else warp, to_crop, shift)
        sources.append(source)
    return np.stack(sources)


def _field(side: int) -> Floats32:
    """Returns (side, side, 2): for each pixel of the square of `REACH`, where it lies in the face."""
    pixels = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=2).astype(np.float32)
    return np.asarray(cv2.transform(pixels, canvas_map(side)), np.float32)


def _warp(faults: Faults, side: int) -> Floats32 | None:
    """Returns (side, side, 2): for each pixel of the square, the point of the face that shows there."""
    if faults.place is None and faults.elastic is None:
        return None
    warp = _field(side)
    if faults.place is not None:
        warp = np.asarray(cv2.transform(warp, faults.place), np.float32)
    if faults.elastic is not None:
        displacement = faults.elastic.astype(np.float32)
        warp = warp + cv2.resize(displacement, (side, side), interpolation=cv2.INTER_CUBIC)
    return warp


def _displaced(image: Image, warp: Floats32, to_crop: Floats64, shift: Floats64) -> Image:
    """Returns a frame whose face is warped, and moved by `shift` in coordinates of the face."""
    side = len(image)
    place = followed_by(canvas_map(side), to_crop)
    in_crop = cv2.warpAffine(warp, place, (side, side), borderMode=cv2.BORDER_REPLICATE)
    pixels = cv2.transform(in_crop, to_crop + np.pad((to_crop[:, :2] @ shift)[:, None], ((0, 0), (2, 0))))
    x, y = cv2.split(pixels)
    moved = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)
