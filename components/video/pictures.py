"""Pictures as a clip: a folder of them in the natural order of their names, or a single one.

A picture that cannot be decoded is passed over, as a damaged packet of a video is.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from filecmp import cmp
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from components.arrays import Flags
from components.video.container import VideoFault
from components.video.frames import MAX_PIXELS, Frame
from components.video.held import Held, HeldFace, SameFaces, growing
from components.video.info import VideoInfo
from components.video.limits import Limits, Status
from components.video.pauses import Timeline, find_pauses
from components.video.picture_decoder import read_picture
from components.video.picture_files import list_pictures
from components.video.repeats import check_pictures
from components.video.sampling import Even, Sampling, chosen, moments

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

T = TypeVar("T")

FPS = 25.0
"""Of pictures, which do not tell: frames are mostly taken out of videos one by one."""


def probe(path: Path, limits: Limits) -> VideoInfo:
    """Returns what a clip of pictures is; its size is that of the first one that can be decoded, upright.

    Raises:
        VideoFault: there are no pictures, none can be decoded, or they break a limit.
    """
    paths = _paths(path)
    size = _checked_bytes(paths, limits)
    duration = len(paths) / FPS
    if duration > limits.max_seconds:
        reason = f"{len(paths)} pictures, {duration:.0f} s at {FPS:g} a second; the limit is"
        raise VideoFault("too_large", f"{reason} {limits.max_seconds:.0f} s")
    _check_count(len(paths), len(paths), path, limits)
    picture, codec = _first(paths, limits)
    return VideoInfo(len(paths), FPS, picture.width, picture.height, duration, codec, size)


def map_frames(
    path: Path,
    info: VideoInfo,
    sampling: Sampling,
    limits: Limits,
    visit: Callable[[Frame], T],
    restart: Callable[[], None] = lambda: None,
    held: Held = list,
    affordable: float = math.inf,
) -> list[T]:
    """Applies `visit` to the pictures that a policy takes, in order, one of them in memory at a time.

    Args:
        path: the folder, or the picture.
        info: what `probe` told of it.
        sampling: which pictures are taken.
        limits: what they may cost.
        visit: called once for a picture; the `i`-th is shown at `i / FPS` seconds.
        restart: called where what was visited is void, as one of the pictures taken cannot be decoded. Then
            all are tried, and they come anew out of those that can.
        held: faces that look the same in several of the pictures visited; each then counts once.
        affordable: pictures that may be tried.

    Returns:
        What `visit` returned, as often as the picture is taken; nothing where that is not affordable.

    Raises:
        VideoFault: fewer than `limits.min_frames` of a folder's pictures can be decoded, or differ.
    """
    paths = _paths(path)
    numbers = list(range(len(paths)))
    results = _mapped(paths, numbers, info, sampling, limits, visit)
    if results is None and len(paths) <= affordable:
        restart()
        numbers = [number for number in numbers if _is_sound(paths[number], limits)]
        _check_count(len(numbers), len(paths), path, limits)
        results = _mapped(paths, numbers, info, sampling, limits, visit)
    for faces in growing(held, MAX_PIXELS // (len(numbers) * info.width * info.height)):
        again = _shown_again(paths, numbers, faces, info, limits)
        restart()
        results = _mapped(paths, list(again), info, sampling, limits, visit, again)
    return results or []


def map_spread(
    path: Path, info: VideoInfo, count: int, limits: Limits, visit: Callable[[Frame], T]
) -> list[T]:
    """Applies `visit` to the pictures in the middles of `count` equal parts; see `video.map_spread`.

    Raises:
        VideoFault: as `map_frames`.
    """
    affordable = MAX_PIXELS // (info.width * info.height)
    return map_frames(path, info, Even(frames=count), limits, visit, affordable=affordable)


def _mapped(
    paths: list[Path],
    numbers: list[int],
    info: VideoInfo,
    sampling: Sampling,
    limits: Limits,
    visit: Callable[[Frame], T],
    again: Mapping[int, bool] = MappingProxyType({}),
) -> list[T] | None:
    """Returns results from the pictures of some numbers; None where one of those taken cannot be decoded.

    Raises:
        VideoFault: fewer than `limits.min_frames` of several pictures differ from the one before.
    """
    times = np.array(numbers) / FPS
    repeated = _repeated([paths[number] for number in numbers])
    repeated |= np.array([again.get(number, False) for number in numbers])
    check_pictures(int(np.sum(~repeated)), min(limits.min_frames, len(paths)), info)
    pauses = find_pauses(replace(Timeline.of(times, float(times[-1]) + 1 / FPS), repeated=repeated))
    shown = [index for index, time in enumerate(times.tolist()) if not pauses.hold(time)]
    actual = pauses.without(replace(info, frames=len(numbers)))
    taken = chosen(times[shown].tolist(), moments(sampling, actual, pauses))
    counts = Counter(shown[index] for index in taken)
    results: list[T] = []
    for index, count in sorted(counts.items()):
        try:
            picture, _ = read_picture(paths[numbers[index]], limits)
        except VideoFault:
            return None
        results += [visit(Frame(_of_size(picture, info), float(times[index])))] * count
    return results


def _repeated(paths: list[Path]) -> Flags:
    """Returns where the same file comes again."""
    return np.array([False, *map(_is_same, paths, paths[1:])])


def _shown_again(
    paths: list[Path], numbers: list[int], faces: list[HeldFace], info: VideoInfo, limits: Limits
) -> dict[int, bool]:
    """Tells for each picture that can be decoded whether it shows a face that one before it showed."""
    same, again = SameFaces(faces, info), {}
    for number in numbers:
        with suppress(VideoFault):
            picture, _ = read_picture(paths[number], limits)
            again[number] = same.is_again(_of_size(picture, info))
    return again


def _is_same(first: Path, second: Path) -> bool:
    """Tells whether two files hold the same bytes; those that cannot be read are none of them."""
    try:
        return first.stat().st_size == second.stat().st_size and cmp(first, second, shallow=False)
    except OSError:
        return False


def _paths(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    try:
        paths = list_pictures(path)
    except OSError as error:
        raise VideoFault("undecodable", f"cannot be read: {error.strerror}") from error
    if not paths:
        raise VideoFault("undecodable", "no pictures in this folder; accepted are jpg, png, bmp and webp")
    return paths


def _checked_bytes(paths: list[Path], limits: Limits) -> int:
    """Sums the bytes of all pictures; none has been opened yet."""
    try:
        if not all(path.is_file() for path in paths):  # opening a pipe would wait for ever
            raise VideoFault("undecodable", "not a regular file")
        size = sum(path.stat().st_size for path in paths)
    except OSError as error:
        raise VideoFault("undecodable", f"cannot be read: {error.strerror}") from error
    if size > limits.max_bytes:
        raise VideoFault("too_large", f"{size} bytes; the limit is {limits.max_bytes}")
    return size


def _check_count(sound: int, promised: int, path: Path, limits: Limits) -> None:
    """A single picture is never too short: who asks for it knows that it is one."""
    if sound >= (limits.min_frames if path.is_dir() else 1):
        return
    if sound == promised:
        raise VideoFault("too_short", f"{sound} pictures; at least {limits.min_frames} are needed")
    status: Status = "too_short" if sound else "undecodable"
    raise VideoFault(status, f"only {sound} of {promised} pictures can be decoded")


def _first(paths: list[Path], limits: Limits) -> tuple["Picture", str]:
    """Returns the first picture that can be decoded; where there is none, what is wrong with the first."""
    fault: VideoFault | None = None
    for path in paths:
        try:
            return read_picture(path, limits)
        except VideoFault as found:
            fault = fault or found
    raise fault or VideoFault("undecodable", "no pictures")


def _is_sound(path: Path, limits: Limits) -> bool:
    try:
        read_picture(path, limits)
    except VideoFault:
        return False
    return True


def _of_size(picture: "Picture", info: VideoInfo) -> NDArray[np.uint8]:
    """RGB (H, W, 3) of the clip's size: a picture of another one is scaled to fit, between black bars."""
    if picture.size != (info.width, info.height):
        from PIL import ImageOps  # noqa: PLC0415

        picture = ImageOps.pad(picture, (info.width, info.height))
    return np.asarray(picture)
