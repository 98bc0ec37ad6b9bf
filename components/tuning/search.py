"""The whole of a search: what is tried, the trials, and what came of them."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.errors import ParamsError
from components.faces.policy import CropPolicy
from components.params import CandidateParams, Params, load_params
from components.params.edit import write_settings
from components.params.tuning import TuneParams
from components.project import Project
from components.training.clips import learning_clips
from components.training.identity import training_digest
from components.training.videos import Video, read_videos
from components.tuning.report import best_sections, report_folder, write_study_report
from components.tuning.results import Tried, caveats, finished, ranked, tried
from components.tuning.space import Space, present, space_of
from components.tuning.study import (
    begin,
    earlier_trials,
    held,
    open_study,
    other_studies,
    study_name,
)
from components.tuning.trial import Bench
from components.tuning.work import OnTrial, work, work_side_by_side

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SearchPlan:
    """What would be tried, and what has been."""

    candidate: str
    study: str  # its name
    settings: CandidateParams  # the candidate's own, with as many epochs as a trial may have
    policy: CropPolicy  # of the clips
    tune: TuneParams
    space: Space
    present: Mapping[
        str, Any
    ]  # what of the space the settings are; some are missing where it does not hold them
    trials: Sequence[Tried]  # so far
    others: Sequence[str]  # studies of this candidate that cannot be gone on with
    target: int  # trials in all
    videos: Sequence[Video]  # of training and validation


@dataclass(frozen=True)
class SearchOutcome:
    """What a search has found."""

    trials: Sequence[Tried]
    files: Sequence[Path]
    caveats: Sequence[str]  # empty where no trial is complete

    @property
    def found(self) -> bool:
        return bool(self.caveats)


def plan_search(project: Project, params: Params, candidate: str, more: int | None = None) -> SearchPlan:
    """Looks at everything that a search needs, and begins nothing.

    Args:
        project: where tables, clips and studies are.
        params: of the project.
        candidate: a key of `candidates`.
        more: so many trials beyond those that have finished; None is up to `tune.trials` in all.

    Raises:
        ParamsError: no such candidate or setting, or a value that it refuses.
        StageError: there are no clips yet.
    """
    space = space_of(params, candidate)
    current = params.candidates[candidate]
    settings = current.model_copy(
        update={"epochs": min(current.epochs, params.tune.epochs or current.epochs)}
    )
    videos = [
        video
        for video in read_videos(project, params.faces.digest, settings)
        if video.split in ("train", "val")
    ]
    name = study_name(candidate, training_digest(candidate, settings, videos), space, params.tune.metric)
    trials = tried(earlier_trials(project, name))
    return SearchPlan(
        candidate=candidate,
        study=name,
        settings=settings,
        policy=params.faces,
        tune=params.tune,
        space=space,
        present=present(space, settings),
        trials=trials,
        others=other_studies(project, candidate, name),
        target=params.tune.trials if more is None else len(finished(trials)) + more,
        videos=videos,
    )


def search(project: Project, planned: SearchPlan, on_trial: OnTrial, jobs: int = 1) -> SearchOutcome:
    """Runs the trials that are missing, and writes the report.

    Args:
        project: the project folder.
        planned: of `plan_search`.
        on_trial: gets each finished trial.
        jobs: processes that run trials side by side.

    Raises:
        BusyError: another process does the same.
        UnmaskError: settings that cannot be trained.
    """
    from components.tracking.studies import StudyRun, study_run  # noqa: PLC0415 - mlflow takes seconds to import

    settings = {
        "space": {key: span.model_dump() for key, span in planned.space.items()},
        **planned.tune.model_dump(),
    }
    run = StudyRun(project, planned.candidate, planned.study)
    with held(project, planned.study):
        study = open_study(project, planned.study, planned.tune, planned.settings.epochs)
        begin(study, planned.present, planned.space)
        with study_run(run, settings) as opened:
            bench = _bench(project, planned, opened)
            try:
                if jobs == 1:
                    work(bench, planned.target, on_trial)
                else:
                    work_side_by_side(bench, planned.target, jobs, on_trial)
            finally:
                outcome = _outcome(bench)
    return outcome


def apply(project: Project, planned: SearchPlan, trials: Sequence[Tried]) -> bool:
    """Writes the best settings into params.yaml; False where the present ones are the best.

    Raises:
        ParamsError: a recipe says what candidates are, or params.yaml was changed during the search and no
            longer holds this one.
    """
    params = load_params(project.params)
    if params.recipe is not None:
        raise ParamsError(
            f"{project.params}: recipe {params.recipe} says what candidates are, not this file; nothing was "
            "written, the settings stand in best.yaml"
        )
    if planned.candidate not in params.candidates:
        raise ParamsError(
            f"{project.params}: candidates.{planned.candidate} is gone since the search began; nothing was "
            "written, the settings stand in best.yaml"
        )
    sections = best_sections(planned.candidate, trials, planned.space, planned.tune.metric)
    if sections:
        write_settings(project.params, sections)
    return bool(sections)


def _bench(project: Project, planned: SearchPlan, run: Any) -> Bench:
    train, val = learning_clips(project, planned.policy, planned.settings, planned.videos)
    return Bench(
        project=project,
        candidate=planned.candidate,
        study=planned.study,
        settings=planned.settings,
        tune=planned.tune,
        space=planned.space,
        train=train,
        val=val,
        run=run,
    )


def _outcome(bench: Bench) -> SearchOutcome:
    from components.tracking.studies import log_outcome  # noqa: PLC0415 - mlflow takes seconds to import

    study = open_study(bench.project, bench.study, bench.tune, bench.settings.epochs)
    trials, metric = tried(study.get_trials()), bench.tune.metric
    folder = report_folder(bench.project, bench.candidate)
    files = write_study_report(folder, bench.candidate, study, trials, bench.space, metric, len(bench.val))
    best = next(iter(ranked(trials, metric)), None)
    if best is None:
        return SearchOutcome(trials, files, [])
    log_outcome(bench.run, {f"best_{key}": value for key, value in best.best.items()}, files)
    return SearchOutcome(trials, files, caveats(trials, metric, len(bench.val)))
