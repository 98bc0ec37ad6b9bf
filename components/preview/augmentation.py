"""`unmask augment-preview`: what training makes of a project's clips before the network sees them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from components.errors import DataError
from components.faces.in_crop import in_crop
from components.faces.store import ClipStore
from components.params import AugmentationParams, Params, TrainingParams
from components.preview.sheet import Strip, check_suffix, draw_sheet
from components.project import Project
from components.tables import MANIFEST, read_faces, read_table
from components.training.augmentation import augmentation
from components.training.self_blended import self_blend
from components.training.videos import LABELS, Video, join, of_split
from components.values import Frozen

DRAWS = 7
"""Beside the untouched clip."""

DRAWS_ALONE = 3
"""Draws of each change by itself."""

MOST_VIDEOS = 24
"""On a sheet."""

NO_BREAK = "\N{NO-BREAK SPACE}"

Pictures = NDArray[np.uint8]


def preview(
    project: Project,
    params: Params,
    path: Path,
    names: Sequence[str] = (),
    candidate: str | None = None,
    rows: int = 4,
    seed: int = 0,
) -> None:
    """Draws clips of the training split, untouched and as training may see them.

    Args:
        project: where tables and clips are.
        params: of params.yaml.
        path: the PNG to write.
        names: of videos; by default some of each class are chosen.
        candidate: whose augmentation; by default that of all.
        rows: how many videos are chosen.
        seed: of all that is drawn.

    Raises:
        ParamsError: there is no such candidate, or the augmentation asks for more px than a clip has.
        StageError: the clips have not been cut yet, or not as params.yaml says.
        DataError: no clip to show, a name that is none of the training split, or no place to write to.
    """
    check_suffix(path)
    training = params.training if candidate is None else params.candidate(candidate)
    videos = _videos(project, params.faces.digest)
    shown = videos_named(videos, names) if names else choose_videos(videos, rows, seed)
    store, strengths = ClipStore(project.clips), training.augmentation
    strips = [*_alone(store, shown[0], strengths, seed)]
    strips += [_augmented(store, video, strengths, (seed, row)) for row, video in enumerate(shown)]
    strips += [_self_blended(store, video, params, training, seed) for video in _genuine(shown)[:1]]
    title = f"Augmentation of {candidate or 'all candidates'}, seed {seed}"
    draw_sheet(strips, title, in_words(strengths), path)


def _videos(project: Project, crop_digest: str) -> list[Video]:
    videos = join(read_table(project.manifest, MANIFEST), read_faces(project.faces, crop_digest))
    if train := of_split(videos, "train"):
        return train
    raise DataError(
        f"{project.faces}: not one video of split train has a face clip; "
        "add videos, or change ingest's shares in params.yaml"
    )


def videos_named(videos: Sequence[Video], names: Sequence[str]) -> list[Video]:
    """Returns videos by their id (`real/p003_a`) or their file (`data/real/p003_a.mp4`).

    Raises:
        DataError: none of these videos is called so, or too many are named.
    """
    if len(names) > MOST_VIDEOS:
        raise DataError(f"{len(names)} videos are named, at most {MOST_VIDEOS} fit on a sheet; name fewer")
    by_name = {video.video_id: video for video in videos}
    by_name |= {f"data/{video.video_id}": video for video in videos}
    matches = [by_name.get(name) or by_name.get(str(PurePath(name).with_suffix(""))) for name in names]
    for name, video in zip(names, matches, strict=True):
        if video is None:
            raise DataError(
                f"{name}: no video of the training split with a face clip is called so; "
                f"name one as the manifest does, such as {videos[0].video_id}"
            )
    return [video for video in matches if video]


def choose_videos(videos: Sequence[Video], rows: int, seed: int) -> list[Video]:
    """Chooses as many genuine videos as fakes where there are enough, and every method before any twice."""
    order = [videos[index] for index in np.random.default_rng(seed).permutation(len(videos))]
    genuine, fakes = _genuine(order), _methods_in_turn(of_split(order, "train", LABELS["fake"]))
    forged = min(len(fakes), max(rows // 2, rows - len(genuine)))
    return [*genuine[: rows - forged], *fakes[:forged]]


def _genuine(videos: Sequence[Video]) -> list[Video]:
    return of_split(videos, "train", LABELS["real"])


def _methods_in_turn(videos: Sequence[Video]) -> list[Video]:
    seen = Counter[str]()
    turn: dict[str, int] = {}
    for video in videos:
        turn[video.video_id] = seen[video.method]
        seen[video.method] += 1
    return sorted(videos, key=lambda video: turn[video.video_id])


def switched_on(params: AugmentationParams) -> dict[str, AugmentationParams]:
    """Returns each change that may happen, by itself and without a chance that it does not."""
    off = AugmentationParams(flip=0.0, brightness=0.0, contrast=0.0, shift=0.0)
    on = {}
    for name, value in params:
        if value != getattr(off, name) and getattr(value, "chance", 1.0) > 0:
            on[name] = off.model_copy(update={name: _certain(name, value)})
    return on


def _certain(name: str, value: Any) -> Any:
    if isinstance(value, Frozen):
        return value.model_copy(update={"chance": 1.0})
    return 1.0 if name in ("flip", "grey", "erasing") else value


def setting_line(name: str, value: Any, between: str = " ") -> str:
    """Returns a change in words: "rotation 15", "jpeg 30–100 (chance 0.5)"."""
    settings = value.model_dump(exclude_none=True) if isinstance(value, Frozen) else {"": value}
    chance = settings.pop("chance", 1.0)
    words = [name.replace("_", " "), *map(_span, settings.values())]
    odds = [] if chance == 1 else [f"(chance{NO_BREAK}{chance:g})"]
    return between.join([*words, *odds])


def in_words(params: AugmentationParams) -> str:
    """Returns all that may happen."""
    on = [setting_line(name, getattr(params, name), NO_BREAK) for name in switched_on(params)]
    return " · ".join(on) or "training.augmentation of params.yaml switches nothing on"


def _span(value: Any) -> str:
    return "–".join(f"{end:g}" for end in np.atleast_1d(value))


def _alone(store: ClipStore, video: Video, params: AugmentationParams, seed: int) -> Iterator[Strip]:
    """Yields each change by itself, drawn a few times of one picture."""
    clip = _frames(store, video, (0,))
    kinds = switched_on(params)
    columns = {
        setting_line(name, getattr(only, name), "\n"): np.concatenate(
            [_drawn(clip, only, (seed, place, draw)) for draw in range(DRAWS_ALONE)]
        )
        for place, (name, only) in enumerate(kinds.items())
    }
    remaining = iter(columns.items())
    title = f"Each change by itself, drawn {DRAWS_ALONE} times of {video.video_id}"
    while some := dict(islice(remaining, DRAWS)):
        yield Strip(title, None, ("untouched", *some), (_pictures(clip), *some.values()))
        title = ""


def _augmented(store: ClipStore, video: Video, params: AugmentationParams, seed: tuple[int, int]) -> Strip:
    """Returns the first and the last frame of a clip, as they are and in several draws."""
    clip = _frames(store, video, (0, -1))
    draws = [_drawn(clip, params, (*seed, draw)) for draw in range(DRAWS)]
    kind = video.method if video.label else "genuine"
    captions = ("untouched", *(f"draw {draw + 1}" for draw in range(DRAWS)))
    return Strip(f"{video.video_id} ({kind})", bool(video.label), captions, (_pictures(clip), *draws))


def _self_blended(
    store: ClipStore, video: Video, params: Params, training: TrainingParams, seed: int
) -> Strip:
    """A genuine clip forged by blending it over itself: two frames, and the first one's mask below them."""
    face = store.read(video.clip).main
    ends = [0, len(face.crops) - 1]
    boxes, landmarks = in_crop(face.boxes[ends], face.landmarks[ends], params.faces)
    clip = torch.from_numpy(face.crops[ends]).permute(0, 3, 1, 2)
    columns = [_pictures(clip)]
    for draw in range(DRAWS):
        forged, mask = self_blend(clip, landmarks, np.random.default_rng((seed, draw)), boxes)
        shown = (255 * mask[:1, :, :, None]).byte().expand(-1, -1, -1, 3).numpy()
        columns.append(np.concatenate([_pictures(forged), shown]))
    share = f"self_blended: {training.self_blended:g}"
    title = f"Forgeries of {video.video_id} by self-blending, before their augmentation ({share})"
    captions = ("genuine", *(f"forgery {draw + 1}" for draw in range(DRAWS)))
    return Strip(title, True, captions, tuple(columns))


def _frames(store: ClipStore, video: Video, places: Sequence[int]) -> Tensor:
    """Returns frames of a video's main face, uint8 (T, 3, S, S)."""
    stored = store.shape(video.clip)[1]
    crops = store.read_crops(video.clip, [place % stored for place in places], 1)[0]
    return torch.from_numpy(crops).permute(0, 3, 1, 2)


def _drawn(clip: Tensor, params: AugmentationParams, seed: Sequence[int]) -> Pictures:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(np.random.default_rng(seed).integers(2**63)))
        return _pictures(augmentation(params, clip.shape[-1])(clip))


def _pictures(clip: Tensor) -> Pictures:
    """Returns (T, 3, S, S) to (T, S, S, 3)."""
    pictures: Pictures = clip.permute(0, 2, 3, 1).numpy()
    return pictures
