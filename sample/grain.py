"""Fine detail: measured, and given back where warping and blending took it.

A forged region that is smoother than what it replaced would give the forgery away by its sharpness alone.
"""

import cv2
import numpy as np

from sample.scene import RenderedFrame
from sample.texture import Raster

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_ROUNDS = 2
_REACH = 6.0
"""Detail is matched within about this distance, px: a lost lash is made up for beside the eye."""
_STRONG = 50.0
"""Laplacians beyond this, of rims and lashes, count as this, so that grain need not stand in for them."""
_ENCODING = 1.15
"""Encoders take more of added grain than of a face's own detail; measured on the encoded sample."""


def match_grain(
    forged: Raster, original: RenderedFrame, cover: Raster, rng: np.random.Generator
) -> RenderedFrame:
    """Brings the energy of fine detail under `cover` back to the original's, by feedback.

    Args:
        forged: (H, W, 3), 0 to 255.
        original: the same region before.
        cover: (H, W), 1 where forged.
        rng: the grain.
    """
    wanted = _energy(original.astype(np.float32) @ _LUMA) * np.float32(_ENCODING)
    grain = rng.standard_normal(cover.shape, dtype=np.float32)
    picture = forged
    for _ in range(_ROUNDS):
        luma = picture @ _LUMA
        present = _energy(luma)
        # The Laplacian of white noise has 20 times its variance.
        missing = np.sqrt(np.clip(wanted - present, 0, None) / 20)
        excess = 1 - np.sqrt(np.clip(wanted / present, 0, 1))
        change = missing * grain - excess * (luma - cv2.GaussianBlur(luma, (0, 0), 1.0))
        picture = picture + (change * cover)[..., None]
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8)


def _energy(luma: Raster) -> Raster:
    """Energy of fine detail around each point (H, W)."""
    detail = np.clip(cv2.Laplacian(luma, cv2.CV_32F), -_STRONG, _STRONG)
    return cv2.GaussianBlur(detail * detail, (0, 0), _REACH) + 1e-3
