from pathlib import Path
from typing import Any

import pytest

from components.errors import ParamsError, TrainingError
from components.params import Params
from components.project import Project
from components.tables import FACES, MANIFEST, write_table
from components.training.videos import Video, join, of_split, read_videos


def manifest(video_id: str, **other: Any) -> dict[str, Any]:
    row = {
        "video_id": video_id,
        "dataset": "data",
        "group": "g",
        "split": "train",
        "label": "fake",
        "method": "swap",
        "status": "ok",
    }
    return row | other


def face(video_id: str, **other: Any) -> dict[str, Any]:
    return {"video_id": video_id, "status": "ok", "clip": f"{video_id}.npz", "fallback": None} | other


def test_rows_are_joined_and_ordered_by_id() -> None:
    found = join([manifest("b"), manifest("a", label="real", method="none")], [face("a"), face("b")])
    assert found == [
        Video("a", "g", "train", 0, "none", "a.npz"),
        Video("b", "g", "train", 1, "swap", "b.npz"),
    ]


@pytest.mark.parametrize(
    ("row", "clip"),
    [
        (manifest("a", status="undecodable", split=None), face("a", status="undecodable", clip=None)),
        (manifest("a"), face("a", status="no_face", clip=None)),
        (manifest("a"), face("b")),
        (manifest("a", split=None), face("a")),
        (manifest("a", split=None, label=None, excluded="unlabelled"), face("a")),
    ],
)
def test_without_split_or_clip_a_video_is_left_out(row: dict[str, Any], clip: dict[str, Any]) -> None:
    assert join([row], [clip]) == []


@pytest.mark.parametrize(("split", "taken"), [("train", 0), ("val", 1), ("test", 1)])
def test_what_shows_no_face_is_predicted_but_not_learnt_from(split: str, taken: int) -> None:
    assert len(join([manifest("a", split=split)], [face("a", fallback="center")])) == taken


def test_split_and_class() -> None:
    videos = join(
        [manifest("a"), manifest("b", label="real"), manifest("c", split="val")], [face(key) for key in "abc"]
    )
    assert [video.video_id for video in of_split(videos, "train")] == ["a", "b"]
    assert [video.video_id for video in of_split(videos, "train", 0)] == ["b"]


BOTH = [("train", "real"), ("train", "fake"), ("val", "real"), ("val", "fake")]


def project_of(root: Path, params: Params, kinds: list[tuple[str, str]]) -> Project:
    project = Project(root)
    rows = [
        manifest(f"{split}-{label}", split=split, label=label, dataset="a" if label == "real" else "b")
        for split, label in kinds
    ]
    write_table(rows, MANIFEST, project.manifest)
    faces = [face(row["video_id"], crop_digest=params.faces.digest) for row in rows]
    write_table(faces, FACES, project.faces)
    return project


@pytest.mark.parametrize(
    ("settings", "used"),
    [
        ({}, {"train-real", "train-fake", "val-real", "val-fake"}),
        ({"self_blended": 0.5}, {"train-real", "train-fake", "val-real", "val-fake"}),
        ({"self_blended": 1.0, "learn_from": "genuine"}, {"train-real", "val-real", "val-fake"}),
    ],
)
def test_what_is_learnt_from(
    tmp_path: Path, params: Params, settings: dict[str, Any], used: set[str]
) -> None:
    learning = params.candidates["simple_cnn"].model_copy(update=settings)
    found = read_videos(project_of(tmp_path, params, BOTH), params.faces.digest, learning)
    assert {video.video_id for video in found} == used


@pytest.mark.parametrize(
    ("missing", "self_blended", "told"),
    [
        (("train", "fake"), 0.0, "not one fake video of split train"),
        (("train", "fake"), 0.5, None),
        (("train", "real"), 0.5, "not one real video of split train"),
        (("val", "fake"), 1.0, "not one fake video of split val"),
        (("val", "real"), 1.0, "not one real video of split val"),
    ],
)
def test_which_classes_a_split_needs(
    tmp_path: Path, params: Params, missing: tuple[str, str], self_blended: float, told: str | None
) -> None:
    learning = params.candidates["simple_cnn"].model_copy(update={"self_blended": self_blended})
    project = project_of(tmp_path, params, [kind for kind in BOTH if kind != missing])
    if told is None:
        assert len(read_videos(project, params.faces.digest, learning)) == 3
    else:
        with pytest.raises(TrainingError, match=told):
            read_videos(project, params.faces.digest, learning)


def test_mix_names_datasets_that_are_there(tmp_path: Path, params: Params) -> None:
    learning = params.candidates["simple_cnn"].model_copy(update={"mix": {"a": 2.0, "celeb": 1.0}})
    with pytest.raises(ParamsError, match=r"params\.yaml: mix names celeb; training videos are of a, b"):
        read_videos(project_of(tmp_path, params, BOTH), params.faces.digest, learning)
