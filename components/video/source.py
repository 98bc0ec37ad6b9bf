"""Where frames come from: a video, a folder of pictures, or a single picture."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from components.video.frames import Frame
from components.video.frames import map_frames as map_video
from components.video.frames import map_spread as map_spread_video
from components.video.frames import probe as probe_video
from components.video.held import Held
from components.video.info import VideoInfo
from components.video.limits import Limits
from components.video.picture_files import is_picture_name
from components.video.pictures import map_frames as map_pictures
from components.video.pictures import map_spread as map_spread_pictures
from components.video.pictures import probe as probe_pictures
from components.video.sampling import Sampling

T = TypeVar("T")


def probe(path: Path, limits: Limits) -> VideoInfo:
    """Calls `frames.probe` for a video, `pictures.probe` for pictures."""
    return probe_pictures(path, limits) if _of_pictures(path) else probe_video(path, limits)


def map_frames(
    path: Path,
    info: VideoInfo,
    sampling: Sampling,
    limits: Limits,
    visit: Callable[[Frame], T],
    restart: Callable[[], None] = lambda: None,
    held: Held = list,
) -> list[T]:
    """Calls `frames.map_frames` for a video, `pictures.map_frames` for pictures."""
    mapped = map_pictures if _of_pictures(path) else map_video
    return mapped(path, info, sampling, limits, visit, restart, held)


def map_spread(
    path: Path, info: VideoInfo, count: int, limits: Limits, visit: Callable[[Frame], T]
) -> list[T]:
    """Calls `frames.map_spread` for a video, `pictures.map_spread` for pictures."""
    mapped = map_spread_pictures if _of_pictures(path) else map_spread_video
    return mapped(path, info, count, limits, visit)


def _of_pictures(path: Path) -> bool:
    return is_picture_name(path.name) or path.is_dir()
