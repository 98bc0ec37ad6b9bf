"""JPEG compression, of one quality for all frames of a clip.

By OpenCV: torchvision's own `v2.JPEG` stands on an encoder that torchvision is about to remove.
"""

from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.transforms import v2


class RandomJpeg(v2.Transform):  # type: ignore[misc]  # torchvision has no types
    """Compress and decompress each frame of a clip, uint8 `(T, 3, H, W)`.

    Args:
        least: lowest quality, 1 to 100.
        most: highest one.
    """

    def __init__(self, least: int, most: int) -> None:
        super().__init__()
        self.least = least
        self.most = most

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"quality": int(torch.randint(self.least, self.most + 1, ()))}

    def transform(self, inpt: Tensor, params: dict[str, Any]) -> Tensor:
        frames = inpt.permute(0, 2, 3, 1).flip(-1).numpy()  # RGB to OpenCV's BGR
        compressed = np.stack([_compressed(frame, params["quality"]) for frame in frames])
        return torch.from_numpy(compressed).flip(-1).permute(0, 3, 1, 2)


def _compressed(frame: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Returns a picture (H, W, 3) BGR as a JPEG shows it."""
    file = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(file, cv2.IMREAD_COLOR), np.uint8)
