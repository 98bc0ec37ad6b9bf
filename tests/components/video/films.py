"""Films as this room's tests write them, and their pictures."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray

Images = NDArray[np.uint8]
"""(N, H, W, 3) or (H, W, 3)"""

WIDTH, HEIGHT, FRAMES = 96, 64, 10


def scene(index: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Images:
    """A texture that drifts, without any symmetry."""
    texture = np.random.default_rng(3).integers(0, 256, (4, 12, 3), np.uint8)
    image = cv2.resize(np.roll(texture, index, axis=1), size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(image, np.uint8)


def write(
    path: Path,
    frames: Sequence[av.VideoFrame],
    codec: str = "ffv1",
    options: dict[str, str] | None = None,
    **properties: Any,
) -> Path:
    """A film of 25 frames a second; properties are those of its encoder."""
    with av.open(path, "w") as container:
        stream: Any = container.add_stream(codec, rate=25, options=options or {})
        stream.width, stream.height, stream.pix_fmt = frames[0].width, frames[0].height, frames[0].format.name
        for name, value in properties.items():
            setattr(stream.codec_context, name, value)
        for index, frame in enumerate(frames):
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def stored(image: Images, kind: str = "yuv420p") -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(image, "rgb24").reformat(format=kind)


def filtered(frame: av.VideoFrame, filters: Sequence[tuple[str, str]]) -> av.VideoFrame:
    graph = Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 25)
    )
    graph.link_nodes(source, *(graph.add(*pair) for pair in filters), graph.add("buffersink")).configure()
    graph.vpush(frame)
    return graph.vpull()


def luma(images: Images) -> NDArray[np.float64]:
    """Of pictures, as what of chroma is lost on the way is no matter here."""
    return np.asarray(images @ np.array([0.299, 0.587, 0.114]))
