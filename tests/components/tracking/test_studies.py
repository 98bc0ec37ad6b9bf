"""Runs of a study, in a real store."""

from pathlib import Path

import pytest
from mlflow import MlflowClient

from components.project import Project
from components.tracking.studies import STATE, STUDY, StudyRun, log_outcome, study_run, trial_run


def status(run_id: str) -> str:
    return str(MlflowClient().get_run(run_id).info.status)


def test_trials_are_children_of_their_study_and_say_how_they_ended(project: Project) -> None:
    ends = {"complete": "FINISHED", "pruned": "KILLED", "diverged": "FAILED"}
    with study_run(StudyRun(project, "cnn", "cnn-1"), {"metric": "auc"}) as study:
        for number, (end, expected) in enumerate(ends.items()):
            with trial_run(study, number, {"optimizer.lr": 0.1}) as run:
                assert status(run.run_id) == "RUNNING"
                run.log({"val_auc": 0.5}, 0)
                run.end(end, {"val_auc": 0.5} if end == "complete" else {})
            child = MlflowClient().get_run(run.run_id)
            assert (child.info.status, child.data.tags[STATE]) == (expected, end)
            assert child.data.tags["mlflow.parentRunId"] == study.run_id
            assert child.data.params == {"optimizer.lr": "0.1"}
            assert child.data.metrics.get("best_val_auc") == (0.5 if end == "complete" else None)
        assert status(study.run_id) == "RUNNING"
    parent = MlflowClient().get_run(study.run_id)
    assert (parent.info.status, parent.data.tags[STUDY], parent.data.params) == (
        "FINISHED",
        "cnn-1",
        {"metric": "auc"},
    )


def test_an_interrupted_study_and_its_trial_go_on_in_their_runs(project: Project, tmp_path: Path) -> None:
    told = StudyRun(project, "cnn", "cnn-1")
    with pytest.raises(KeyboardInterrupt), study_run(told, {}) as study, trial_run(study, 0, {}) as first:
        raise KeyboardInterrupt
    assert (status(study.run_id), status(first.run_id)) == ("KILLED", "KILLED")
    with study_run(told, {}) as again, trial_run(again, 1, {}, earlier=first.run_id) as second:
        second.end("complete", {})
    assert (again.run_id, second.run_id) == (study.run_id, first.run_id)
    assert (status(study.run_id), status(first.run_id)) == ("FINISHED", "FINISHED")
    with study_run(told, {}) as again, trial_run(again, 2, {}, earlier="of another store") as third:
        assert third.run_id not in ("", first.run_id)
    assert status(third.run_id) == "FAILED"  # nobody said how it ended

    file = tmp_path / "best.yaml"
    file.touch()
    log_outcome(again, {"best_val_auc": 0.75}, [file])
    run = MlflowClient().get_run(study.run_id)
    assert run.data.metrics == {"best_val_auc": 0.75}
    assert [one.path for one in MlflowClient().list_artifacts(study.run_id)] == ["best.yaml"]


def test_without_a_store_trials_go_on(
    project: Project, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    project.params.touch()  # a file where a folder would have to be
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{project.params}/mlflow.db")
    with study_run(StudyRun(project, "cnn", "cnn-1"), {}) as study, trial_run(study, 0, {}) as run:
        run.log({"val_auc": 0.5}, 0)
        run.end("complete", {})
    log_outcome(study, {}, [])
    assert (study.run_id, run.run_id) == ("", "")
    assert caplog.text.count("the search goes on without MLflow") == 1
