"""Where frames come from: a video, a folder of pictures, or a single picture."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from components.faces import pictures, video
from components.faces.limits import Limits
from components.faces.picture_files import is_picture_name
from components.faces.sampling import Sampling
from components.faces.video import Frame, VideoInfo

T = TypeVar("T")


def probe(path: Path, limits: Limits) -> VideoInfo:
    """See `video.probe` and `pictures.probe`."""
    return pictures.probe(path, limits) if _of_pictures(path) else video.probe(path, limits)


def map_frames(
    path: Path,
    info: VideoInfo,
    sampling: Sampling,
    limits: Limits,
    visit: Callable[[Frame], T],
    restart: Callable[[], None] = lambda: None,
) -> list[T]:
    """See `video.map_frames` and `pictures.map_frames`."""
    mapped = pictures.map_frames if _of_pictures(path) else video.map_frames
    return mapped(path, info, sampling, limits, visit, restart)


def map_spread(
    path: Path, info: VideoInfo, count: int, limits: Limits, visit: Callable[[Frame], T]
) -> list[T]:
    """See `video.map_spread` and `pictures.map_spread`."""
    mapped = pictures.map_spread if _of_pictures(path) else video.map_spread
    return mapped(path, info, count, limits, visit)


def _of_pictures(path: Path) -> bool:
    return is_picture_name(path.name) or path.is_dir()
