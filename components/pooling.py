"""From the faces of a video to the video: one rule, for training's world and for serving's.

A video is forged as soon as one of its faces is. So the face that looks most forged decides: max pooling,
under the standard assumption of multiple-instance learning (Dietterich, Lathrop & Lozano-Pérez, 1997,
"Solving the multiple instance problem with axis-parallel rectangles").
"""

from collections.abc import Sequence

import numpy as np


def decisive(logits: Sequence[float]) -> int:
    """Returns which face's logit is its video's.

    Args:
        logits: fake minus real of at least one face, most prominent face first.

    Returns:
        The index of the highest one, the more prominent face on a tie; of one that is NaN if there is any, so
        that a broken model is seen rather than outvoted.
    """
    return int(np.argmax(logits))
