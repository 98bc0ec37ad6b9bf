"""Two talking heads that cross, or meet and part: two tracks, and nobody takes the other's place."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from components.detectors.mtcnn import Mtcnn
from components.detectors.settings import MtcnnPolicy
from components.faces.appearance import looks
from components.faces.clip import Clip, Faces, Origin
from components.faces.extract import extract
from components.faces.policy import CropPolicy
from components.video.limits import Limits
from components.video.sampling import Consecutive, Even, Every, Sampling
from sample.paint import paint_head
from sample.person import draw_person
from sample.render import render_rgb
from sample.scene import draw_scene
from sample.talking import draw_motion

FPS, SECONDS = 25, 4
WIDTH, HEIGHT = 640, 360
SCALE = 0.6
SMALL = (int(320 * SCALE), int(240 * SCALE))
LEVELS = {"cross": (215, 185), "meet": (200, 200)}
"""Where each person's face is from the film's upper edge, px; the first passes in front of the second."""

TOO_NEAR = 25
"""Px between two faces from which on their places do not tell who is seen."""

BADGES = ((0, 220, 0), (220, 0, 220))
"""Of each person, worn on the chest, where the tracker does not look: whose it is tells who is seen."""

BADGE = (-12, 50, 12, 62)
"""Where a badge is from the middle of the face: left, top, right, bottom, px."""

WORN = (-28, -33, 28, 39)
"""About where the detector's box is from the middle of the face, px."""

MARGIN = 1.0
"""Of crops that show the chest."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Actor:
    """Frames of one person, what of them is the person, and where the face is."""

    frames: list[NDArray[np.uint8]]  # (H, W, 3)
    cover: Floats  # (H, W, 1), 0 to 1
    places: Floats  # (T, 2) of the face, px


def film_actor(number: int) -> Actor:
    rng = np.random.default_rng([8, number])
    person = draw_person(2026, number)
    scene = draw_scene(person, 320, 240, rng)
    motion = draw_motion(scene, np.arange(20) / FPS, rng)
    shots = [
        cv2.resize(frame, SMALL, interpolation=cv2.INTER_AREA)
        for frame, _ in render_rgb(paint_head(person), scene, motion, rng)
    ]
    cover = np.zeros((240, 320), np.float32)
    x, y, unit = round(scene.centre[0]), round(scene.centre[1]), scene.unit
    cv2.ellipse(cover, (x, y), (round(1.1 * unit), round(1.45 * unit)), 0, 0, 360, 1.0, -1)
    cv2.ellipse(cover, (x, 250), (round(2 * unit), round(1.3 * unit)), 0, 0, 360, 1.0, -1)
    soft = cv2.resize(cv2.GaussianBlur(cover, (0, 0), 2), SMALL)[..., None]
    places = SCALE * np.array([(pose.x, pose.y) for pose in motion.poses], np.float32)
    return Actor(shots, soft, places)


def wear(actor: Actor, colour: tuple[int, int, int]) -> Actor:
    """The same person with a badge."""
    frames = [frame.copy() for frame in actor.frames]
    for frame, place in zip(frames, actor.places, strict=True):
        left, top, right, bottom = np.rint(np.tile(place, 2) + BADGE).astype(int).tolist()
        cv2.rectangle(frame, (left, top), (right, bottom), colour, -1)
    return replace(actor, frames=frames)


def way(plot: str, person: int, time: float) -> float:
    """Across the film, px: from one side to the other, or to the middle and back."""
    gone = time / SECONDS
    share = 0.12 + 0.76 * (gone if plot == "cross" else min(gone, 1 - gone))
    return WIDTH * (share if person == 0 else 1 - share)


def corner(plot: str, actor: Actor, person: int, time: float) -> tuple[int, int]:
    """Where the upper left of an actor's frame goes, px."""
    still = actor.places.mean(axis=0)
    return round(way(plot, person, time) - float(still[0])), round(LEVELS[plot][person] - float(still[1]))


def shot(index: int, count: int) -> int:
    """Forth and back through the frames that there are."""
    return min(index % (2 * count - 2), (2 * count - 2) - index % (2 * count - 2))


def paste(picture: NDArray[np.float32], actor: Actor, index: int, at: tuple[int, int]) -> None:
    frame = actor.frames[shot(index, len(actor.frames))]
    left, right = max(0, at[0]), min(WIDTH, at[0] + SMALL[0])
    top, bottom = at[1], min(HEIGHT, at[1] + SMALL[1])
    inner = (slice(0, bottom - top), slice(left - at[0], right - at[0]))
    region = picture[top:bottom, left:right]
    region += actor.cover[inner] * (frame[inner] - region)


@pytest.fixture(scope="module")
def actors() -> tuple[Actor, Actor]:
    """The two that look most alike among the first eight people of the sample."""
    return wear(film_actor(0), BADGES[0]), wear(film_actor(6), BADGES[1])


@pytest.fixture(scope="module")
def films(actors: tuple[Actor, Actor], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("films")
    return {plot: film(actors, plot, folder / f"{plot}.mp4") for plot in ("cross", "meet")}


def film(actors: tuple[Actor, Actor], plot: str, path: Path) -> Path:
    wall = np.random.default_rng(0).integers(60, 180, (6, 10, 3), np.uint8)
    room = cv2.resize(wall, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    with av.open(path, "w") as container:
        stream: Any = container.add_stream("libx264", rate=FPS, options={"crf": "20", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for index in range(FPS * SECONDS):
            picture = room.copy()
            for person in (1, 0):
                paste(picture, actors[person], index, corner(plot, actors[person], person, index / FPS))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture.astype(np.uint8), "rgb24")))
        container.mux(stream.encode())
    return path


def person_at(plot: str, actors: tuple[Actor, Actor], box: Floats, time: float) -> int | None:
    """Who is nearest to a box; None where both are at the same place."""
    index = round(time * FPS)
    places = [
        actor.places[shot(index, len(actor.frames))] + corner(plot, actor, person, index / FPS)
        for person, actor in enumerate(actors)
    ]
    if np.linalg.norm(places[0] - places[1]) < TOO_NEAR:
        return None
    return int(np.argmin([np.linalg.norm((box[:2] + box[2:]) / 2 - place) for place in places]))


def person_of_crop(crop: NDArray[np.uint8]) -> int | None:
    """By the badge; None where none is seen."""
    middle = crop[:, crop.shape[1] // 4 : -crop.shape[1] // 4].astype(int)  # others may stand next to it
    areas = [(np.abs(middle - badge).max(axis=2) < 70).sum() for badge in BADGES]
    return int(np.argmax(areas)) if max(areas) > 0.005 * crop.shape[0] ** 2 else None


CASES: dict[str, tuple[str, Sampling]] = {
    "cross, seen now and then": ("cross", Even(frames=12)),
    "cross, seen at some places": ("cross", Consecutive(policy="clip", places=4, frames=8)),
    "cross, followed": ("cross", Every(policy="every", step=2, most=64)),
    "meet, seen now and then": ("meet", Even(frames=8)),
    "meet, followed": ("meet", Every(policy="every", step=2, most=64)),
}


@dataclass(frozen=True)
class Seen:
    """What was found in a film, and who that is."""

    faces: Faces
    people: list[set[int]]  # in each clip


@pytest.fixture(scope="module", params=CASES)
def seen(
    request: pytest.FixtureRequest, films: dict[str, Path], actors: tuple[Actor, Actor], detector: Path
) -> Seen:
    plot, sampling = CASES[request.param]
    policy = CropPolicy(sampling=sampling, size=64, margin=MARGIN, tracks="all")
    return look_at(films, plot, policy, actors, detector)


def look_at(
    films: dict[str, Path], plot: str, policy: CropPolicy, actors: tuple[Actor, Actor], detector: Path
) -> Seen:
    faces = extract(films[plot], policy, Limits(), Mtcnn(detector, MtcnnPolicy()))
    assert isinstance(faces, Faces)
    return Seen(faces, [people_in(plot, actors, faces, clip) for clip in faces.clips])


def people_in(plot: str, actors: tuple[Actor, Actor], faces: Faces, clip: Clip) -> set[int]:
    """By where the boxes are."""
    own = [index for index, origin in enumerate(clip.origins) if origin != Origin.REPEATED]
    found = {person_at(plot, actors, clip.boxes[index], faces.times[index]) for index in own}
    return {person for person in found if person is not None}


def test_each_clip_is_of_one_person(seen: Seen) -> None:
    assert sorted(map(list, seen.people)) == [[0], [1]]


def test_each_crop_shows_that_person(seen: Seen) -> None:
    for clip, people in zip(seen.faces.clips, seen.people, strict=True):
        shown = [person_of_crop(crop) for crop in clip.crops]
        assert sum(person in people for person in shown) >= 0.9 * len(shown)  # one may be half hidden


def test_the_tracker_does_not_see_badges() -> None:
    bare = film_actor(0)
    worn = wear(bare, BADGES[0])
    for before, after, place in zip(bare.frames, worn.frames, bare.places, strict=True):
        box = (np.tile(place, 2) + WORN)[None].astype(np.float32)
        assert (before != after).any()
        assert np.array_equal(looks(before, box), looks(after, box))


def test_both_are_there_for_most_of_the_film(seen: Seen) -> None:
    assert [clip.face_share > 0.7 for clip in seen.faces.clips] == [True, True]


def test_the_main_face_is_one_of_them(
    films: dict[str, Path], actors: tuple[Actor, Actor], detector: Path
) -> None:
    seen = look_at(films, "cross", CropPolicy(sampling=Even(frames=12), size=64), actors, detector)
    assert seen.people in ([{0}], [{1}])
    assert seen.faces.tracks == 2
