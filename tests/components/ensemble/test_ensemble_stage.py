import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from components.ensemble import fit
from components.errors import ParamsError, StageError
from components.models import CandidateInfo, load_candidate, save_candidate
from components.models.simple_cnn import SimpleCNN
from components.params import Params
from components.params.document import checked
from components.params.ensemble import EnsembleParams
from components.params.networks import SimpleCnn
from components.project import ENSEMBLE, Project
from components.stages.ensemble import run
from components.tables import PREDICTIONS, read_table
from components.training.dataset import ClipDataset
from components.training.predict import predict
from components.training.videos import read_videos


@pytest.fixture
def project(made: Path, tmp_path: Path, params: Params) -> Project:
    shutil.copytree(made / "artifacts", tmp_path / "artifacts")
    project = Project(tmp_path)
    for seed, name in enumerate("ab"):
        torch.manual_seed(seed)
        model = SimpleCNN()
        save_candidate(project.candidate(name), model, about(name, params.faces.digest))
    return project


def about(name: str, crop: str) -> CandidateInfo:
    return CandidateInfo(
        name=name,
        network=SimpleCnn(name="simple_cnn"),
        input_size=None,
        methods=(),
        size=32,
        crop=crop,
        frames=(3, 3),
        parameters=422_530,
        trainable_parameters=422_530,
        pretrained="random",
        epochs=1,
        best_epoch=1,
        seed=1,
        training=name,
    )


@pytest.fixture
def together(params: Params) -> Params:
    candidates = dict.fromkeys("ab", params.candidates["simple_cnn"])
    ensemble = EnsembleParams(members=("a", "b"))
    return params.model_copy(update={"candidates": candidates, "ensemble": ensemble})


def logits(project: Project, split: str) -> list[float]:
    rows = read_table(project.candidate(ENSEMBLE) / "predictions.parquet", PREDICTIONS)
    return [row["logit"] for row in rows if row["split"] == split]


def test_test_videos_are_scored_by_the_network_validation_videos_by_weights_without_them(
    project: Project, together: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    unseen = np.array([10.0, 20.0, 30.0, 40.0])
    monkeypatch.setattr(fit, "held_out", lambda *_: unseen)
    run(project, together)
    model, info = load_candidate(project.candidate(ENSEMBLE))
    videos = read_videos(project, together.faces.digest, together.candidates["a"])
    test = [video for video in videos if video.split == "test"]
    store = fit.clip_store(project, together.candidates["a"], videos)
    expected = [row["logit"] for row in predict(model, ClipDataset(test, store), test, 8)]
    assert logits(project, "test") == pytest.approx(expected)
    assert logits(project, "val") == unseen.tolist()
    assert [member.name for member in info.members] == ["a", "b"]
    assert info.crop == together.faces.digest


def test_the_same_members_give_the_same_bytes(project: Project, together: Params) -> None:
    def written() -> dict[str, bytes]:
        run(project, together)
        return {file.name: file.read_bytes() for file in project.candidate(ENSEMBLE).iterdir()}

    first = written()
    assert set(first) == {"candidate.json", "predictions.parquet", "weights.safetensors"}
    assert written() == first


def test_without_members_what_was_there_is_removed(
    project: Project, together: Params, params: Params
) -> None:
    run(project, together)
    run(project, params)
    assert [file.name for file in project.candidate(ENSEMBLE).iterdir()] == ["README"]


def test_members_of_another_crop_policy_are_refused(project: Project, together: Params) -> None:
    save_candidate(project.candidate("b"), SimpleCNN(), about("b", "0123456789ab"))
    with pytest.raises(StageError, match=r"b: trained on clips of crop digest 0123456789ab"):
        run(project, together)


@pytest.mark.parametrize(
    ("members", "told"),
    [
        (["simple_cnn", "other"], "ensemble.members: no candidate 'other'; candidates holds simple_cnn"),
        (["simple_cnn"], "ensemble.members = ['simple_cnn']: name at least two, each once, or none"),
        (["simple_cnn", "simple_cnn"], "name at least two, each once, or none"),
    ],
)
def test_members_that_cannot_be(params: Params, members: list[str], told: str) -> None:
    content: Any = params.model_dump(mode="json", by_alias=True)
    with pytest.raises(ParamsError) as caught:
        checked(content | {"ensemble": {"members": members}}, Path("params.yaml"))
    assert told in str(caught.value)
