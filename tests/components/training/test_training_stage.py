import csv
import logging
import re
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from components.errors import ParamsError, StageError, TrainingError
from components.models import load_candidate
from components.models.simple_cnn import SimpleCNN
from components.params import Params
from components.params.networks import EfficientnetBilstm
from components.params.training import EarlyStopping, Optimizer
from components.project import Project
from components.stages.train import run
from components.tables import FACES, PREDICTIONS, read_table, write_table
from components.training import fit as fitting
from components.training.history import Epoch
from components.training.module import ClipClassifier


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Project:
    shutil.copytree(made / "artifacts", tmp_path / "artifacts")
    return Project(tmp_path)


def outputs(project: Project) -> dict[str, bytes]:
    files = [*project.candidate("simple_cnn").iterdir(), project.history("simple_cnn")]
    return {file.name: file.read_bytes() for file in files}


@pytest.fixture(scope="module")
def undisturbed(made: Path, params: Params, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a training yields that nobody kills."""
    root = tmp_path_factory.mktemp("undisturbed")
    shutil.copytree(made / "artifacts", root / "artifacts")
    with pytest.MonkeyPatch.context() as patch:
        silent = nullcontext(SimpleNamespace(log=lambda metrics, step: None))
        patch.setattr("components.tracking.runs.live_run", lambda *_: silent)
        run(Project(root), params, "simple_cnn")
    return outputs(Project(root))


def test_writes_what_later_stages_read(project: Project, params: Params, curves: Any) -> None:
    run(project, params, "simple_cnn")
    model, info = load_candidate(project.candidate("simple_cnn"))
    assert (info.name, info.size, info.frames, info.seed) == ("simple_cnn", 32, (3, 3), 7)
    assert info.crop == params.faces.digest
    assert (info.parameters, info.trainable_parameters) == (422_530, 422_530)
    assert (info.pretrained, info.epochs) == ("random", 6)
    assert not model.training

    rows = read_table(project.candidate("simple_cnn") / "predictions.parquet", PREDICTIONS)
    ids = [row["video_id"] for row in rows]
    assert ids == sorted(ids)
    assert {(row["split"], row["label"], row["method"]) for row in rows} == {
        (split, label, method) for split in ("val", "test") for label, method in ((0, "none"), (1, "swap"))
    }
    assert len(rows) == 8
    assert all(row["group"] == f"g-{row['video_id']}" for row in rows)

    with project.history("simple_cnn").open() as file:
        history = list(csv.DictReader(file))
    assert list(history[0]) == list(Epoch._fields)
    assert [row["epoch"] for row in history] == list("123456")
    best = min(history, key=lambda row: float(row["val_loss"]))
    assert int(best["epoch"]) == info.best_epoch

    assert curves.opened == [("simple_cnn", info.training)]
    assert [step for step, _ in curves.logged] == list(range(1, 7))
    assert curves.logged[2][1]["val_loss"] == float(history[2]["val_loss"])
    assert not list(project.scratch.rglob("*.ckpt"))


def test_logits_are_those_of_the_best_epoch(undisturbed: dict[str, bytes], tmp_path: Path) -> None:
    """The loss of the validation rows is the smallest of the history."""
    (tmp_path / "predictions.parquet").write_bytes(undisturbed["predictions.parquet"])
    rows = read_table(tmp_path / "predictions.parquet", PREDICTIONS)
    val = [row for row in rows if row["split"] == "val"]
    logits = torch.tensor([row["logit"] for row in val])
    labels = torch.tensor([float(row["label"]) for row in val])
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels)
    history = csv.DictReader(undisturbed["history.csv"].decode().splitlines())
    smallest = min(float(row["val_loss"]) for row in history)
    assert float(loss) == pytest.approx(smallest, rel=1e-4)


class Killed(BaseException):
    """Ends a training where it stands."""


def kill_in_validation(patch: pytest.MonkeyPatch, epoch: int) -> None:
    def validation_step(self: ClipClassifier, batch: object, batch_idx: int) -> None:
        if self.current_epoch == epoch:
            raise Killed
        original(self, batch, batch_idx)

    original = ClipClassifier.validation_step
    patch.setattr(ClipClassifier, "validation_step", validation_step)


def kill_after_fitting(patch: pytest.MonkeyPatch, _: int) -> None:
    def best_epoch(*_: object) -> None:
        raise Killed

    patch.setattr(fitting, "best_epoch", best_epoch)


@pytest.mark.parametrize(
    ("kill", "epoch"), [(kill_in_validation, 0), (kill_in_validation, 4), (kill_after_fitting, 0)]
)
def test_a_killed_training_goes_on_to_the_same_result(
    project: Project,
    params: Params,
    curves: Any,
    undisturbed: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
    kill: Any,
    epoch: int,
) -> None:
    with monkeypatch.context() as patch:
        kill(patch, epoch)
        with pytest.raises(Killed):
            run(project, params, "simple_cnn")
    torch.rand(5)  # a generator that has moved on
    run(project, params, "simple_cnn")
    assert outputs(project) == undisturbed
    steps = [step for step, _ in curves.logged]
    assert sorted(set(steps)) == steps  # an epoch that was finished is not trained again


def test_a_finished_training_is_not_repeated_where_nobody_had_noted_it(
    project: Project, params: Params, curves: Any, undisturbed: dict[str, bytes]
) -> None:
    """DVC removes a stage's outputs before it runs it, and may be killed before it notes that it has."""
    run(project, params, "simple_cnn")
    before = len(curves.logged)
    shutil.rmtree(project.candidate("simple_cnn"))
    shutil.rmtree(project.history("simple_cnn").parent)
    run(project, params, "simple_cnn")
    assert len(curves.logged) == before
    assert outputs(project) == undisturbed
    assert project.curves("simple_cnn").is_file()


def test_what_earlier_trainings_left_goes(
    project: Project, changed: Callable[..., Params], curves: Any
) -> None:
    run(project, changed(epochs=1), "simple_cnn")
    other = project.scratch / "training" / f"simple_cnn-b-{'0' * 16}"
    other.mkdir()
    first = [path.name for path in other.parent.iterdir() if path != other]
    run(project, changed(epochs=2), "simple_cnn")
    kept = [path.name for path in other.parent.iterdir()]
    assert other.name in kept
    assert len(kept) == 2
    assert not set(first) & set(kept)


def test_the_rate_was_halved_meanwhile(undisturbed: dict[str, bytes]) -> None:
    """Else the tests above would prove nothing about the schedule."""
    rows = list(csv.DictReader(undisturbed["history.csv"].decode().splitlines()))
    assert float(rows[-1]["lr"]) < float(rows[2]["lr"])


def test_where_weights_came_from_outlives_a_kill(
    project: Project, params: Params, curves: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        kill_in_validation(patch, 2)
        patch.setattr(SimpleCNN, "origin", "loaded")
        with pytest.raises(Killed):
            run(project, params, "simple_cnn")
    run(project, params, "simple_cnn")
    assert load_candidate(project.candidate("simple_cnn"))[1].pretrained == "loaded"


def test_a_stopped_training_stays_stopped(
    project: Project, changed: Callable[..., Params], curves: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty = changed(early_stopping=EarlyStopping(metric="loss", patience=1))
    with monkeypatch.context() as patch:
        kill_after_fitting(patch, 0)
        with pytest.raises(Killed):
            run(project, hasty, "simple_cnn")
    before = len(curves.logged)
    run(project, hasty, "simple_cnn")
    assert before == len(curves.logged) < hasty.candidates["simple_cnn"].epochs


def test_unknown_candidate(project: Project, params: Params) -> None:
    with pytest.raises(
        ParamsError, match=r"params\.yaml: no candidate 'resnet'; candidates holds simple_cnn"
    ):
        run(project, params, "resnet")


def test_a_candidate_may_have_any_name(project: Project, params: Params, curves: Any) -> None:
    renamed = params.model_copy(update={"candidates": {"mine": params.candidates["simple_cnn"]}})
    run(project, renamed, "mine")
    _, info = load_candidate(project.candidate("mine"))
    assert (info.name, info.network.name) == ("mine", "simple_cnn")


def test_a_network_that_cannot_take_clips_of_different_lengths(
    project: Project, changed: Callable[..., Params], curves: Any
) -> None:
    lstm = EfficientnetBilstm(name="efficientnet_bilstm")
    told = r"params\.yaml: candidates\.simple_cnn: efficientnet_bilstm: frames \[2, 6\]: .* set one number"
    with pytest.raises(ParamsError, match=told):
        run(project, changed(network=lstm, frames=(2, 6)), "simple_cnn")


def test_stage_before_was_not_run(project: Project, params: Params) -> None:
    project.faces.unlink()
    with pytest.raises(StageError, match=r"faces\.parquet: not there yet"):
        run(project, params, "simple_cnn")


def test_clips_of_other_settings_are_refused(project: Project, params: Params) -> None:
    other = params.model_copy(update={"faces": params.faces.model_copy(update={"margin": 0.5})})
    told = rf"faces\.parquet: of crop digest {params.faces.digest}, params\.yaml makes {other.faces.digest}; "
    with pytest.raises(StageError, match=told + "run dvc repro faces"):
        run(project, other, "simple_cnn")
    assert not project.candidate("simple_cnn").exists()


def test_class_without_faces(project: Project, params: Params) -> None:
    rows = read_table(project.faces, FACES)
    hidden = [
        row | {"status": "no_face", "clip": None} if row["video_id"].startswith("fake/val") else row
        for row in rows
    ]
    write_table(hidden, FACES, project.faces)
    with pytest.raises(TrainingError, match="not one fake video of split val has a face clip"):
        run(project, params, "simple_cnn")


def test_divergence_is_told(project: Project, changed: Callable[..., Params], curves: Any) -> None:
    wild = Optimizer(name="adamw", lr=1e30, weight_decay=0.0)
    with pytest.raises(TrainingError, match=r"training diverged.*lower this candidate's optimizer\.lr"):
        run(project, changed(optimizer=wild), "simple_cnn")


def test_leaves_no_folder_of_lightning_behind(
    project: Project,
    changed: Callable[..., Params],
    curves: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    run(project, changed(epochs=1), "simple_cnn")
    assert list(Path().iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".unmask",
        "artifacts",
        "elsewhere",
        "reports",
    ]


def test_a_line_for_each_epoch_where_nobody_watches(
    project: Project,
    changed: Callable[..., Params],
    curves: Any,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with caplog.at_level(logging.INFO):
        run(project, changed(epochs=2), "simple_cnn")
    assert re.search(r"epoch 1/2: train loss \d\.\d", caplog.text)
    assert re.search(r"epoch 2/2: train loss \d\.\d", caplog.text)
    assert re.search(
        r"best epoch \d, by loss: .* in training, 0\.\d+ in validation: gap [+-]0\.\d+", caplog.text
    )
    assert "lightning" not in caplog.text.lower()
    assert capfd.readouterr().out == ""


def test_a_gpu_that_is_full_is_told_in_one_line(
    project: Project, params: Params, curves: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fit(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate 2 GiB")

    monkeypatch.setattr("components.stages.train.fit", fit)
    with pytest.raises(
        TrainingError, match="simple_cnn: the GPU's memory is full; lower batch_size"
    ) as error:
        run(project, params, "simple_cnn")
    assert "\n" not in str(error.value)
