"""The arrays that modules hand to each other, one name per element type; docstrings give the shapes."""

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""Pixels from 0 to 255, RGB where there are three channels: `(H, W, 3)`, or `(T, H, W, 3)` of several."""

Floats32 = NDArray[np.float32]
Floats64 = NDArray[np.float64]
Ints64 = NDArray[np.int64]

Indices = NDArray[np.intp]
"""Places in another array."""

Flags = NDArray[np.bool_]
