"""Searches in a tiny project: most with a scripted training, one with real ones."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from mlflow import MlflowClient
from mlflow.entities import Run
from optuna.storages import InMemoryStorage

from components.errors import ParamsError, TrainingError
from components.params import Params, load_params, merged
from components.params.tuning import Median
from components.project import Project
from components.tracking.store import connect
from components.tuning.results import finished
from components.tuning.search import SearchOutcome, apply, plan_search, search

SHIPPED = Path(__file__).parents[3] / "params.yaml"
Tuned = Callable[..., Params]


def tune(project: Project, params: Params, more: int | None = None) -> SearchOutcome:
    return search(project, plan_search(project, params, "simple_cnn", more), lambda one, trials: None)


def told(trials: Any) -> list[tuple[Any, ...]]:
    """Of trials that have ended, what an interruption must not change."""
    return [(one.end, one.value, one.epochs, one.best, one.suggested) for one in finished(trials)]


def runs(project: Project) -> list[Run]:
    return list(MlflowClient().search_runs([connect(project)], order_by=["attributes.start_time"]))


def test_real_trainings_are_searched_reported_and_tracked(project: Project, tuned: Tuned) -> None:
    params = tuned(trials=3)
    seen: list[int] = []
    planned = plan_search(project, params, "simple_cnn")
    outcome = search(project, planned, lambda one, trials: seen.append(one.number))
    assert seen == [0, 1, 2]
    assert [(one.end, one.epochs, one.present) for one in outcome.trials] == [
        ("complete", 2, True),
        ("complete", 2, False),
        ("complete", 2, False),
    ]
    assert all(one.value == one.best["val_auc"] for one in outcome.trials)
    assert "4 validation videos" in outcome.caveats[0]
    assert not list(project.scratch.rglob("*.ckpt"))

    parent, *children = runs(project)
    assert parent.info.run_name == "tune simple_cnn"
    assert all(child.data.tags["mlflow.parentRunId"] == parent.info.run_id for child in children)
    assert [child.info.status for child in children] == ["FINISHED"] * 3
    curve = MlflowClient().get_metric_history(children[1].info.run_id, "val_loss")
    assert [point.step for point in curve] == [1, 2]
    assert float(children[1].data.params["optimizer.lr"]) == outcome.trials[1].suggested["optimizer.lr"]

    again = plan_search(project, params, "simple_cnn")
    assert told(again.trials) == told(outcome.trials)
    assert plan_search(project, params, "simple_cnn", more=2).target == 5


def interrupt_once(training: int, epoch: int) -> Callable[[int, int], None]:
    def at(now: int, reached: int) -> None:
        if (now, reached) == (training, epoch):
            raise KeyboardInterrupt

    return at


@pytest.mark.usefixtures("light")
@pytest.mark.parametrize("at", [(0, 0), (2, 1)])
def test_an_interrupted_search_goes_on_as_if_nothing_had_happened(
    project: Project,
    tuned: Tuned,
    scripted: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    at: tuple[int, int],
) -> None:
    scripted(interrupt_once(*at))
    with pytest.raises(KeyboardInterrupt):
        tune(project, tuned())
    training = scripted()
    outcome = tune(project, tuned())
    assert training.trainings[0][1] == list(range(at[1], 2))  # from its checkpoint on
    assert [one.end for one in outcome.trials].count("interrupted") == 1
    assert len(training.trainings) == 4 - at[0]

    storage = InMemoryStorage()
    monkeypatch.setattr("components.tuning.study._storage", lambda project: storage)
    assert told(tune(project, tuned()).trials) == told(outcome.trials)


@pytest.mark.usefixtures("in_memory")
def test_the_run_of_an_interrupted_trial_goes_on(
    project: Project, tuned: Tuned, scripted: Callable[..., Any]
) -> None:
    scripted(interrupt_once(1, 1))
    with pytest.raises(KeyboardInterrupt):
        tune(project, tuned(trials=2))
    assert sorted(run.info.status for run in runs(project)) == ["FINISHED", "KILLED", "KILLED"]
    scripted()
    tune(project, tuned(trials=2))
    found = runs(project)
    assert len(found) == 3
    assert {run.info.status for run in found} == {"FINISHED"}
    curve = MlflowClient().get_metric_history(found[2].info.run_id, "val_auc")
    assert [point.step for point in curve] == [1, 2]


@pytest.mark.usefixtures("light")
def test_a_trial_that_falls_behind_is_ended_and_its_checkpoints_go(
    project: Project, tuned: Tuned, scripted: Callable[..., Any]
) -> None:
    space = {"simple_cnn": {"optimizer.lr": {"choices": [0.001, 0.00001]}}}
    pruner = Median(startup=1, warmup_epochs=1)
    training = scripted()
    outcome = tune(project, tuned(space=space, pruner=pruner, epochs=4, trials=6, random=6))
    ends = {one.suggested["optimizer.lr"]: (one.end, one.epochs) for one in outcome.trials}
    assert ends == {0.001: ("complete", 4), 0.00001: ("pruned", 2)}
    fell = next(epochs for rate, epochs in training.trainings if rate == 0.00001)
    assert len(fell) == 1  # it was ended before it came to the second epoch's checkpoint
    assert not list(project.scratch.rglob("last.ckpt"))


def exhausted(training: int, epoch: int) -> None:
    if training == 0 and epoch == 1:
        raise torch.OutOfMemoryError


@pytest.mark.usefixtures("light")
@pytest.mark.parametrize(
    ("at", "choices", "end"),
    [(lambda training, epoch: None, [0.05, 0.06], "diverged"), (exhausted, [0.002, 0.0021], "out of memory")],
)
def test_settings_that_cannot_be_trained_here_do_not_end_the_search(
    project: Project, tuned: Tuned, scripted: Callable[..., Any], at: Any, choices: list[float], end: str
) -> None:
    space = {"simple_cnn": {"optimizer.lr": {"choices": [*choices, 0.003]}}}
    scripted(at)
    outcome = tune(project, tuned(space=space, trials=8, random=8))
    ends = [one.end for one in outcome.trials]
    assert end in ends
    assert "complete" in ends
    assert all(one.value is None for one in outcome.trials if one.end == end)


@pytest.mark.usefixtures("light")
def test_an_error_ends_the_search_and_keeps_what_was_found(
    project: Project, tuned: Tuned, scripted: Callable[..., Any]
) -> None:
    def at(training: int, epoch: int) -> None:
        if training == 1:
            raise TrainingError("weights are out of reach")

    scripted(at)
    with pytest.raises(TrainingError, match="out of reach"):
        tune(project, tuned())
    assert [one.end for one in plan_search(project, tuned(), "simple_cnn").trials] == ["complete", "failed"]
    assert (project.reports / "tune" / "simple_cnn" / "best.yaml").exists()


@pytest.mark.usefixtures("in_memory", "untracked")
def test_the_report_says_what_was_found_and_how_far_to_trust_it(
    project: Project, tuned: Tuned, scripted: Callable[..., Any]
) -> None:
    scripted()
    outcome = tune(project, tuned(trials=10, random=8))
    folder = project.reports / "tune" / "simple_cnn"
    assert outcome.files == [
        folder / name for name in ("best.yaml", "history.png", "importance.png", "trials.csv")
    ]
    with (folder / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["trial"] for row in rows] == [str(number) for number in range(10)]
    values = [float(row["value"]) for row in rows if row["value"]]
    best = max((row for row in rows if row["end"] == "complete"), key=lambda row: float(row["value"]))
    text = (folder / "best.yaml").read_text()
    assert f"validation AUC {max(values):.4f}" in text
    assert "with the present settings" in text
    assert "optimistic" in text
    assert yaml.safe_load(text) == {
        "candidates": {
            "simple_cnn": {
                "optimizer": {"lr": float(best["optimizer.lr"])},
                "batch_size": int(best["batch_size"]),
            }
        }
    }


@pytest.mark.usefixtures("light")
@pytest.mark.parametrize(("spread", "written"), [([0.003, 0.004], True), ([0.001, 0.1], False)])
def test_the_best_settings_are_applied_unless_they_are_the_present_ones(
    project: Project, tuned: Tuned, scripted: Callable[..., Any], spread: list[float], written: bool
) -> None:
    project.params.write_text(SHIPPED.read_text(encoding="utf-8"), encoding="utf-8")
    params = tuned(space={"simple_cnn": {"optimizer.lr": {"choices": [0.001, *spread]}}}, trials=6, random=6)
    scripted()
    outcome = tune(project, params)
    assert apply(project, plan_search(project, params, "simple_cnn"), outcome.trials) == written
    text = project.params.read_text(encoding="utf-8")
    change = {"candidates": {"simple_cnn": {"optimizer": {"lr": 0.003}}}} if written else {}
    assert yaml.safe_load(text) == merged(yaml.safe_load(SHIPPED.read_text(encoding="utf-8")), change)
    assert text.count("#") == SHIPPED.read_text(encoding="utf-8").count("#")
    assert load_params(project.params).candidates["simple_cnn"].optimizer.lr == (0.003 if written else 0.001)


@pytest.mark.usefixtures("light")
def test_a_candidate_that_went_away_meanwhile_is_not_written(
    project: Project, tuned: Tuned, scripted: Callable[..., Any]
) -> None:
    params = tuned(space={"simple_cnn": {"optimizer.lr": {"choices": [0.001, 0.003]}}}, trials=3, random=3)
    scripted()
    outcome = tune(project, params)
    renamed = SHIPPED.read_text(encoding="utf-8").replace("  simple_cnn:\n", "  another:\n", 1)
    project.params.write_text(renamed, encoding="utf-8")
    with pytest.raises(ParamsError, match=r"candidates\.simple_cnn is gone since the search began"):
        apply(project, plan_search(project, params, "simple_cnn"), outcome.trials)
    assert project.params.read_text(encoding="utf-8") == renamed


@pytest.mark.usefixtures("light")
def test_validation_videos_that_do_not_tell_trials_apart_are_named(
    project: Project, tuned: Tuned, scripted: Callable[..., Any]
) -> None:
    space = {"simple_cnn": {"batch_size": [2, 9]}}
    scripted()
    outcome = tune(project, tuned(space=space, trials=3))
    assert any("2 more trials are as good" in sentence for sentence in outcome.caveats)
    assert "Nothing was better than the present settings" in outcome.files[0].read_text()


def test_nothing_is_made_by_looking(project: Project, tuned: Tuned) -> None:
    before = sorted(project.root.rglob("*"))
    planned = plan_search(project, tuned(), "simple_cnn")
    assert (planned.target, planned.trials, planned.others) == (4, [], [])
    assert planned.settings.epochs == 2
    assert {video.split for video in planned.videos} == {"train", "val"}
    assert sorted(project.root.rglob("*")) == before
    with pytest.raises(ParamsError, match="no candidate 'cnn'"):
        plan_search(project, tuned(), "cnn")


@pytest.mark.usefixtures("light")
def test_a_search_in_which_nothing_was_complete_says_so(
    project: Project, tuned: Tuned, scripted: Callable[..., Any]
) -> None:
    scripted()
    space = {"simple_cnn": {"optimizer.lr": [0.05, 0.09]}}
    outcome = tune(project, tuned(space=space, trials=2))
    assert [one.end for one in outcome.trials] == ["diverged", "diverged"]
    assert not outcome.found
    assert [file.name for file in outcome.files] == ["trials.csv"]
