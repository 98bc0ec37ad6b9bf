"""What is asked of Optuna, without any training."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.pruners import HyperbandPruner, MedianPruner, NopPruner
from optuna.trial import TrialState

from components.errors import BusyError
from components.params.tuning import Choices, Hyperband, Median, NoPruner, Range, Span, TuneParams
from components.project import Project
from components.tuning.results import line, ranked, tried
from components.tuning.study import (
    begin,
    begun,
    claim,
    earlier_trials,
    held,
    open_study,
    other_studies,
    pruner,
    requeue,
    shared,
    study_name,
)

SPACE: dict[str, Span] = {
    "x": Range(low=1e-5, high=1e-1, log=True),
    "n": Range(low=1, high=9),
    "kind": Choices(choices=("a", [1, 2])),
}
TUNE = TuneParams(random=3, pruner=NoPruner(name="none"))


def worth(suggested: Mapping[str, Any]) -> float:
    return float(suggested["x"] + suggested["n"] + (suggested["kind"] == "a"))


def go_on(
    study: optuna.Study, target: int, seed: int = 5, interrupt: Callable[[int], bool] = lambda n: False
) -> None:
    tune = TUNE.model_copy(update={"seed": seed})
    while (trial := claim(study, SPACE, tune, target, nullcontext)) is not None:
        if interrupt(trial.number):
            trial.report(0.5, 0)
            raise KeyboardInterrupt
        study.tell(trial, worth(trial.params))


def suggestions(study: optuna.Study) -> list[dict[str, Any]]:
    return [trial.params for trial in begun(study.get_trials())]


@pytest.fixture
def fresh(project: Project) -> Callable[[str], optuna.Study]:
    return lambda name: open_study(project, name, TUNE, 5)


@pytest.mark.usefixtures("light")
def test_the_same_seed_suggests_the_same(fresh: Callable[[str], optuna.Study]) -> None:
    one, same, other = fresh("one"), fresh("same"), fresh("other")
    go_on(one, 8)
    go_on(same, 8)
    go_on(other, 8, seed=6)
    assert suggestions(one) == suggestions(same)
    assert suggestions(one)[0] != suggestions(other)[0]
    assert len({str(suggested) for suggested in suggestions(one)}) == 8


def test_an_interrupted_study_suggests_what_an_undisturbed_one_does(
    fresh: Callable[[str], optuna.Study],
) -> None:
    whole, broken = fresh("whole"), fresh("broken")
    go_on(whole, 7)
    for stop in (0, 6):  # the heir of trial 0 is trial 1
        with pytest.raises(KeyboardInterrupt):
            go_on(broken, 7, interrupt=lambda number, stop=stop: number == stop)  # type: ignore[misc]
        broken = fresh("broken")  # as after a kill: nobody has told the study
        begin(broken, {}, SPACE)
    go_on(broken, 7)
    assert suggestions(broken) == suggestions(whole)
    told = tried(broken.get_trials())
    assert [one.number for one in told if one.end == "interrupted"] == [0, 6]
    assert [one.value for one in told if one.end == "complete"] == [t.value for t in whole.get_trials()]
    assert told[1].epochs == told[7].epochs == 1  # reported before the interruption, remembered by the heir


@pytest.mark.usefixtures("light")
def test_a_trial_is_put_back_once(fresh: Callable[[str], optuna.Study]) -> None:
    study = fresh("one")
    with pytest.raises(KeyboardInterrupt):
        go_on(study, 3, interrupt=lambda number: True)
    tell, study.tell = study.tell, lambda *_, **__: None  # type: ignore[method-assign, assignment, return-value]
    requeue(study, 0)  # killed before the trial is told
    study.tell = tell  # type: ignore[method-assign]
    begin(study, {}, SPACE)
    assert [trial.state for trial in study.get_trials()] == [TrialState.FAIL, TrialState.WAITING]


@pytest.mark.usefixtures("light")
def test_the_first_trial_is_of_the_present_settings_where_they_are_in_the_space(
    fresh: Callable[[str], optuna.Study],
) -> None:
    own = {"x": 0.01, "n": 3, "kind": "[1, 2]"}
    inside, outside = fresh("inside"), fresh("outside")
    begin(inside, own, SPACE)
    begin(inside, own, SPACE)
    begin(outside, {"x": 0.01}, SPACE)
    go_on(inside, 2)
    go_on(outside, 2)
    assert suggestions(inside)[0] == own
    assert [one.present for one in tried(inside.get_trials())] == [True, False]
    assert [one.present for one in tried(outside.get_trials())] == [False, False]


@pytest.mark.parametrize(
    ("told", "made"),
    [
        (Median(), MedianPruner),
        (Hyperband(name="hyperband", least_epochs=30), HyperbandPruner),
        (NoPruner(name="none"), NopPruner),
    ],
)
def test_pruners(told: Any, made: type) -> None:
    assert isinstance(pruner(told, epochs=9), made)


def test_a_study_is_named_by_what_makes_trials_comparable() -> None:
    named = study_name("cnn", "digest", SPACE, "auc")
    assert named == study_name("cnn", "digest", dict(reversed(SPACE.items())), "auc")
    others = [
        study_name("bilstm", "digest", SPACE, "auc"),
        study_name("cnn", "other", SPACE, "auc"),
        study_name("cnn", "digest", {**SPACE, "n": Range(low=1, high=8)}, "auc"),
        study_name("cnn", "digest", SPACE, "f1"),
    ]
    assert len({named, *others}) == 5


def test_studies_of_a_candidate_are_found_without_making_any(project: Project, tmp_path: Path) -> None:
    for name in ("cnn-1", "cnn-2", "cnn-wide-3"):
        open_study(project, name, TUNE, 5)
    assert other_studies(project, "cnn", "cnn-2") == ["cnn-1"]
    assert earlier_trials(project, "cnn-4") == []
    empty = Project(tmp_path / "empty")
    assert (earlier_trials(empty, "cnn-1"), other_studies(empty, "cnn", "cnn-1")) == ([], [])
    assert not empty.root.exists()


def test_a_study_is_held_by_one_process_with_its_workers(project: Project) -> None:
    busy = pytest.raises(BusyError, match="another process tunes this")
    with (
        held(project, "cnn-1"),
        shared(project, "cnn-1"),
        held(project, "cnn-2"),
        busy,
        held(project, "cnn-1"),
    ):
        pass
    with shared(project, "cnn-1"), pytest.raises(BusyError), held(project, "cnn-1"):
        pass  # of a worker that outlived its process


@pytest.mark.usefixtures("light")
def test_a_trial_has_ended_only_when_the_study_was_told(fresh: Callable[[str], optuna.Study]) -> None:
    study = fresh("one")
    trial = claim(study, SPACE, TUNE, 1, nullcontext)
    assert trial is not None
    trial.set_user_attr("end", "complete")
    assert tried(study.get_trials())[0].end == "running"
    requeue(study, 0)
    assert [one.end for one in tried(study.get_trials())] == ["interrupted", "waiting"]


@pytest.mark.usefixtures("light")
def test_lines_name_the_best_so_far_by_the_metric(fresh: Callable[[str], optuna.Study]) -> None:
    study = fresh("one")
    go_on(study, 3)
    trials = tried(study.get_trials())
    by_auc, by_loss = ranked(trials, "auc"), ranked(trials, "loss")
    assert by_auc == by_loss[::-1]
    best = by_loss[0]
    assert f"; best {best.value:.4f} in trial {best.number}" in line(trials[2], trials, "loss", 9)
    assert line(trials[2], trials, "loss", 9).startswith("3 of 9: trial 2 complete after 0 epochs loss ")
