from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from components.errors import DataError, ParamsError, StageError
from components.faces.store import ClipStore
from components.params import AugmentationParams, Params
from components.preview.augmentation import choose_videos, in_words, preview, switched_on, videos_named
from components.preview.sheet import Strip, draw_sheet
from components.project import Project
from components.tables import FACES, write_table
from components.training.videos import Video

OFF: dict[str, Any] = {"flip": 0.0, "brightness": 0.0, "contrast": 0.0, "shift": 0.0}
SIDE, PITCH, EDGE = 128, 136, 32
"""Of pictures of 32 px on a sheet, from one to the next, and of its rim, px."""


def with_augmentation(params: Params, **strengths: Any) -> Params:
    changed = params.training.model_copy(update={"augmentation": AugmentationParams(**OFF | strengths)})
    return params.model_copy(update={"training": changed})


def sheet(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) RGB."""
    return np.asarray(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB), np.uint8)


def tiles(drawn: NDArray[np.uint8], column: int) -> list[NDArray[np.uint8]]:
    """The pictures of a column, from above, each as it was before it was enlarged."""
    left = EDGE + column * PITCH
    full = (drawn[:, left : left + SIDE] != 255).any(2).mean(1) > 0.9  # rows that are no paper
    tops = np.flatnonzero(full & ~np.roll(full, 1))
    return [drawn[top : top + SIDE : 4, left : left + SIDE : 4] for top in tops]


def video(name: str, label: int, method: str = "none") -> Video:
    return Video(name, f"g-{name}", "train", label, method, f"{name}.safetensors")


def test_clips_are_shown_pixel_for_pixel(made: Path, params: Params, tmp_path: Path) -> None:
    preview(Project(made), with_augmentation(params), tmp_path / "new" / "sheet.png", ["real/train0"])
    drawn = sheet(tmp_path / "new" / "sheet.png")
    crops = ClipStore(Project(made).clips).read_crops("real-train0.npz")[0]
    for column in range(8):  # nothing is switched on: all draws are the untouched clip
        found = tiles(drawn, column)[:2]
        assert [np.array_equal(*pair) for pair in zip(found, crops[[0, -1]], strict=True)] == [True, True]


def test_a_sheet_shows_each_change_then_clips_then_forgeries(
    made: Path, params: Params, tmp_path: Path
) -> None:
    path = tmp_path / "sheet.png"
    preview(Project(made), with_augmentation(params, flip=0.25, erasing=0.25), path, rows=2)
    untouched, flipped, erased, *_, last = (tiles(sheet(path), column) for column in range(8))
    assert len(untouched) == 1 + 2 * 2 + 2  # alone, two clips, the genuine one again
    assert np.array_equal(flipped[0], untouched[0][:, ::-1])  # by itself, whatever its chance
    assert all((picture == 0).all(2).any() for picture in erased[:3])
    assert len(last) == 2 * 2 + 3  # two clips, and two frames of a forgery above its mask
    *frames, mask = last[4:]
    assert np.array_equal(frames[0][mask[..., 0] == 0], untouched[5][mask[..., 0] == 0])
    assert not np.array_equal(frames[0], untouched[5])


def test_the_seed_decides_the_sheet(made: Path, params: Params, tmp_path: Path) -> None:
    noisy = with_augmentation(params, gaussian_noise={"chance": 1.0})
    names = ["real/train0"]
    for place, seed in enumerate((0, 0, 1)):
        preview(Project(made), noisy, tmp_path / f"{place}.png", names, seed=seed)
    first, again, other = ((tmp_path / f"{place}.png").read_bytes() for place in range(3))
    assert first == again != other


def test_a_candidate_brings_its_own_augmentation(
    made: Path, params: Params, changed: Callable[..., Params], tmp_path: Path
) -> None:
    sheets = {}
    own = changed(augmentation=AugmentationParams(**OFF))
    for name, asked in {"all": None, "own": "simple_cnn"}.items():
        preview(Project(made), own, tmp_path / f"{name}.png", ["fake/train0"], asked)
        sheets[name] = tiles(sheet(tmp_path / f"{name}.png"), 1)
    assert len(sheets["own"]) == 2  # the clip, and nothing to show by itself
    assert len(sheets["all"]) == 5


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        ({"path": "sheet.jpg"}, DataError, r"--out .*sheet.jpg: unknown picture format '.jpg'; use .png"),
        ({"path": ""}, DataError, "is a folder; name a file"),
        ({"path": "file/sheet.png"}, DataError, "--out .*sheet.png: .*; name another folder"),
        ({"candidate": "absent"}, ParamsError, "no candidate 'absent'; candidates holds simple_cnn"),
        ({"names": ["absent"]}, DataError, "absent: no video of the training split .* such as fake/train0"),
        ({"names": ["real/val0"]}, DataError, "real/val0: no video of the training split"),
        ({"names": ["real/train0"] * 25}, DataError, "25 videos are named, at most 24 fit on a sheet"),
    ],
)
def test_mistakes_are_told(
    made: Path,
    params: Params,
    tmp_path: Path,
    arguments: dict[str, Any],
    error: type[Exception],
    told: str,
) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / arguments.pop("path", "sheet.png")
    with pytest.raises(error, match=told):
        preview(Project(made), params, path, **arguments)
    assert not (tmp_path / "sheet.png").exists()


def test_a_crop_that_no_clip_has_is_told(made: Path, params: Params, tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match="crop = 33"):
        preview(Project(made), with_augmentation(params, crop=33), tmp_path / "sheet.png")


def test_without_clips_the_remedy_is_told(made: Path, params: Params, tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"manifest.parquet: not there yet; run the stage that makes it"):
        preview(Project(tmp_path), params, tmp_path / "sheet.png")
    project = Project(tmp_path)
    project.artifacts.mkdir()
    project.manifest.write_bytes(Project(made).manifest.read_bytes())
    write_table([], FACES, project.faces)
    with pytest.raises(DataError, match="not one video of split train has a face clip; add videos"):
        preview(project, params, tmp_path / "sheet.png")


@pytest.mark.parametrize(
    ("genuine", "fakes", "rows", "expected"),
    [
        (5, 5, 4, (2, 2)),
        (5, 5, 3, (2, 1)),
        (5, 5, 1, (1, 0)),
        (1, 5, 4, (1, 3)),
        (5, 1, 4, (3, 1)),
        (0, 3, 2, (0, 2)),
        (3, 0, 2, (2, 0)),
        (1, 1, 4, (1, 1)),
    ],
)
def test_both_classes_are_chosen(genuine: int, fakes: int, rows: int, expected: tuple[int, int]) -> None:
    videos = [video(f"r{number}", 0) for number in range(genuine)]
    videos += [video(f"f{number}", 1) for number in range(fakes)]
    for seed in range(5):
        labels = [shown.label for shown in choose_videos(videos, rows, seed)]
        assert (labels.count(0), labels.count(1)) == expected


def test_every_method_is_shown_before_any_twice() -> None:
    videos = [video(f"{method}{number}", 1, method) for method in ("a", "b", "c") for number in range(9)]
    for seed in range(5):
        assert {shown.method for shown in choose_videos(videos, 3, seed)} == {"a", "b", "c"}
    assert len({choose_videos(videos, 1, seed)[0].video_id for seed in range(9)}) > 3


@pytest.mark.parametrize("name", ["set.1/a.b", "data/set.1/a.b", "data/set.1/a.b.mp4", "set.1/a.b.mp4"])
def test_videos_are_named_by_id_or_file(name: str) -> None:
    videos = [video("set.1/a", 0), video("set.1/a.b", 0)]
    assert videos_named(videos, [name]) == videos[1:]


@pytest.mark.parametrize(
    ("strengths", "told"),
    [
        ({}, "training.augmentation of params.yaml switches nothing on"),
        ({"flip": 0.5, "jpeg": {"chance": 0.0, "quality": [1, 1]}}, "flip 0.5"),
        ({"rotation": 15, "scale": [0.9, 1.1]}, "rotation 15 · scale 0.9–1.1"),
        ({"crop": 380, "jpeg": {"chance": 0.5}}, "jpeg 30–100 (chance 0.5) · crop 380"),
        ({"iso_noise": {"chance": 1.0}}, "iso noise 300–3000"),
        ({"iso_noise": {"chance": 1.0, "colour_shift": [0.01, 0.05]}}, "iso noise 300–3000 0.01–0.05"),
        ({"blur": {"chance": 1.0, "kernel": [3, 3], "sigma": [0.1, 2]}}, "blur 3–3 0.1–2"),
    ],
)
def test_strengths_in_words(strengths: Mapping[str, Any], told: str) -> None:
    words = in_words(AugmentationParams(**OFF | strengths))
    assert words.replace("\N{NO-BREAK SPACE}", " ") == told


def test_a_change_by_itself_is_certain() -> None:
    params = AugmentationParams(
        **OFF | {"flip": 0.1, "hue": 0.2, "grey": 0.1, "blur": {"chance": 0.3, "kernel": [5, 5]}}
    )
    only = switched_on(params)
    assert list(only) == ["flip", "hue", "grey", "blur"]
    assert only["grey"] == AugmentationParams(**OFF | {"grey": 1.0})
    assert only["flip"] == AugmentationParams(**OFF | {"flip": 1.0})
    assert only["hue"] == AugmentationParams(**OFF | {"hue": 0.2})
    assert only["blur"] == AugmentationParams(**OFF | {"blur": {"chance": 1.0, "kernel": [5, 5]}})


def test_large_pictures_are_shrunk_and_crops_enlarged_to_the_size_of_the_others(tmp_path: Path) -> None:
    whole, part = (np.full((1, side, side, 3), 90, np.uint8) for side in (412, 380))
    strip = Strip("a $title$", None, ("untouched", "crop\n380"), (whole, part))
    draw_sheet([strip], "title", "", tmp_path / "sheet.png")
    grey = (sheet(tmp_path / "sheet.png") == 90).all(2)
    assert grey.sum() == pytest.approx(2 * 256**2, rel=0.001)
