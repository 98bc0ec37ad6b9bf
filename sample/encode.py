"""Writing the files of a sample, each in one step: another process sees a whole file or none."""

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from components.files import replacing
from sample.scene import RenderedFrame

# One thread, and the same algorithms on every CPU: without the latter x264 was seen to give other bytes from
# run to run. Both classes go through this encoder.
_OPTIONS = {"crf": "19", "preset": "veryfast", "threads": "1", "x264-params": "cpu-independent=1"}


def write_video(path: Path, frames: Sequence[RenderedFrame], fps: int) -> None:
    """Encodes frames (H, W, 3) RGB as H.264 in mp4."""
    with replacing(path) as partial:
        _encode(partial, frames, fps)


def write_masks(path: Path, masks: NDArray[np.bool_]) -> None:
    """Stores masks (T, H, W), compressed, under the key `masks`."""
    with replacing(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, masks=masks)


def _encode(path: Path, frames: Sequence[RenderedFrame], fps: int) -> None:
    height, width = frames[0].shape[:2]
    with av.open(path, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps, options=_OPTIONS)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
