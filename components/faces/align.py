"""Where an aligned crop lies: eyes, nose and mouth always at the same place of it."""

import numpy as np

from components.arrays import Floats32
from components.faces.crop import Map

TEMPLATE_SIDE = 112.0
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
"""Eyes, nose and corners of the mouth in a crop of 112 px, px.

The template of ArcFace (Deng et al., 2019, https://arxiv.org/abs/1801.07698), as InsightFace publishes it:
https://github.com/deepinsight/insightface/blob/master/python-package/insightface/utils/face_align.py
"""

PLAUSIBLE = (0.5, 2.0)
"""Side of the template's square in sides of the face's box. A profile's five points nearly lie on a line, and
say little about its size."""


def on_template(landmarks: Floats32, box: Floats32, size: int, margin: float) -> Map | None:
    """Returns where the crop lies that turns, scales and moves a face's landmarks onto the template.

    The similarity is that of least squares (Umeyama, 1991, https://doi.org/10.1109/34.88573); in the plane it
    is one complex factor and one shift.

    Args:
        landmarks: (5, 2), px of the frame; NaN where they are not known.
        box: of the same face.
        size: of the crop, px.
        margin: by how much the crop is larger than the template's square, as a share of its side. The square
            itself holds a face from the brows to the chin, about as its box does.

    Returns:
        The place, or None where the landmarks are unknown or cannot be a face in that box.
    """
    points, target = _complex(landmarks), _complex(TEMPLATE)
    spread = points - points.mean()
    power = float(np.sum(np.abs(spread) ** 2))
    if not power > 0:  # also where it is not a number
        return None
    factor = complex(np.sum(np.conj(spread) * (target - target.mean())) / power)
    side = TEMPLATE_SIDE / abs(factor) if factor else np.inf
    if not PLAUSIBLE[0] <= side / float(max(box[2] - box[0], box[3] - box[1], 1.0)) <= PLAUSIBLE[1]:
        return None
    step = TEMPLATE_SIDE * (1.0 + margin) / size / factor
    middle = complex(TEMPLATE_SIDE, TEMPLATE_SIDE) / 2
    centre = complex(points.mean()) + (middle - complex(target.mean())) / factor
    corner = centre - step * complex(size, size) / 2
    return np.array([[step.real, -step.imag, corner.real], [step.imag, step.real, corner.imag]])


def _complex(points: Floats32 | Map) -> np.ndarray[tuple[int], np.dtype[np.complex128]]:
    """Returns points (N, 2) given at centres of pixels, as `x + iy` from the first pixel's outer corner."""
    x, y = points.astype(np.float64).T + 0.5
    return np.asarray(x + 1j * y)
