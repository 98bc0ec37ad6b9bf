import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from components.project import Project
from components.tables import FACES, MANIFEST, write_table
from components.tracking.runs import CROP, DATA, ORIGIN, TRAINING_KEY, ensure_run, flat, live_run
from components.tracking.store import connect


def runs(project: Project) -> list[Run]:
    return list(MlflowClient().search_runs([connect(project)]))


def losses(run_id: str) -> list[float]:
    return [point.value for point in MlflowClient().get_metric_history(run_id, "loss")]


def write_history(project: Project, candidate: str) -> None:
    history = project.history(candidate)
    history.parent.mkdir(parents=True)
    history.write_text("epoch,loss,lr\n1,0.7,0.1\n2,0.5,0.1\n", encoding="utf-8")


def test_epochs_are_logged_live(project: Project) -> None:
    with live_run("cnn", {"lr": 0.1}, "key", project) as run:
        run.log({"loss": 0.7}, 0)
        assert MlflowClient().get_run(run.run_id).info.status == "RUNNING"
        run.log({"loss": 0.5}, 1)
    assert losses(run.run_id) == [0.7, 0.5]
    told = MlflowClient().get_run(run.run_id)
    assert (told.info.status, told.info.run_name) == ("FINISHED", "cnn")
    assert told.data.params == {"lr": "0.1"}
    assert told.data.tags[TRAINING_KEY] == "key"


def test_an_interrupted_training_goes_on_in_its_run(project: Project) -> None:
    interrupted = live_run("cnn", {}, "key", project)
    first = interrupted.__enter__()
    first.log({"loss": 0.7}, 0)
    assert not interrupted.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert MlflowClient().get_run(first.run_id).info.status == "KILLED"
    with live_run("cnn", {}, "key", project) as second:
        second.log({"loss": 0.5}, 1)
    assert first.run_id == second.run_id
    assert losses(second.run_id) == [0.7, 0.5]


def test_a_finished_training_is_not_written_over(project: Project) -> None:
    with live_run("cnn", {}, "key", project) as first:
        pass
    with live_run("cnn", {}, "key", project) as second:
        pass
    assert first.run_id != second.run_id


def test_an_unreachable_store_costs_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/no/such/folder/mlflow.db")
    (tmp_path / "no").touch()
    with live_run("cnn", {}, "key", Project(tmp_path)) as run:
        run.log({"loss": 0.7}, 0)
    assert "training goes on" in caplog.text


def test_a_live_run_is_found_again(project: Project) -> None:
    with live_run("cnn", {}, "key", project) as run:
        run.log({"loss": 0.7}, 0)
    write_history(project, "cnn")
    assert ensure_run(project, "cnn", {}, "key") == run.run_id
    assert len(runs(project)) == 1


def test_a_missing_run_is_rebuilt_from_the_stages_files(project: Project) -> None:
    write_history(project, "cnn")
    run_id = ensure_run(project, "cnn", {"lr": 0.1}, "key")
    assert losses(run_id) == [0.7, 0.5]
    assert MlflowClient().get_run(run_id).info.status == "FINISHED"
    assert ensure_run(project, "cnn", {"lr": 0.1}, "key") == run_id


def test_a_run_that_misses_epochs_is_rebuilt(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise MlflowException("503: try again")

    with live_run("cnn", {}, "key", project) as run:
        run.log({"loss": 0.7}, 0)
        with monkeypatch.context() as patch:
            patch.setattr(MlflowClient, "log_batch", fail)
            run.log({"loss": 0.5}, 1)
    write_history(project, "cnn")
    rebuilt = ensure_run(project, "cnn", {}, "key")
    assert rebuilt != run.run_id
    assert losses(rebuilt) == [0.7, 0.5]


def test_sections_become_names_that_mlflow_takes() -> None:
    told = {"lr": 0.1, "loss": {"name": "focal", "gamma": 2.0}, "mix": {"Celeb-DF (v2)": 2}, "empty": {}}
    assert flat(told) == {
        "lr": "0.1",
        "loss.name": "focal",
        "loss.gamma": "2.0",
        "mix.Celeb-DF _v2_": "2",
        "empty": "{}",
    }


def write_tables(project: Project) -> None:
    blank = dict.fromkeys(MANIFEST.names)
    rows = [
        blank | {"video_id": name, "dataset": name[0], "split": split, "label": label, "sha256": name}
        for name, split, label in (("a1", "train", "fake"), ("a2", "val", "real"), ("b1", "train", "fake"))
    ]
    write_table([*rows, blank | {"video_id": "a3", "dataset": "a"}], MANIFEST, project.manifest)
    write_table([dict.fromkeys(FACES.names) | {"crop_digest": "c0ffee"}], FACES, project.faces)


@pytest.mark.parametrize("live", [True, False], ids=["live", "rebuilt"])
def test_a_run_tells_its_data_and_shows_its_curves(project: Project, live: bool) -> None:
    write_tables(project)
    write_history(project, "cnn")
    project.curves("cnn").write_bytes(b"a picture")
    project.candidate("cnn").mkdir(parents=True)
    (project.candidate("cnn") / "candidate.json").write_text('{"pretrained": "bundled"}')
    if live:
        with live_run("cnn", {"loss": {"name": "focal"}}, "key", project):
            pass
    run_id = ensure_run(project, "cnn", {"loss": {"name": "focal"}}, "key")
    told = MlflowClient().get_run(run_id)
    assert told.data.params == {"loss.name": "focal", "videos.train.fake": "2", "videos.val.real": "1"}
    assert told.data.tags[CROP] == "c0ffee"
    assert len(told.data.tags[DATA]) == 64
    assert {given.dataset.name: given.dataset.profile for given in told.inputs.dataset_inputs} == {
        "a": '{"train.fake": 1, "val.real": 1}',
        "b": '{"train.fake": 1}',
    }
    assert [file.path for file in MlflowClient().list_artifacts(run_id)] == ["candidate.json", "curves.png"]
    assert told.data.tags[ORIGIN] == "bundled"


def test_what_the_machine_does_is_logged(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.05")
    with live_run("cnn", {}, "key", project) as run:
        run.log({"loss": 0.7}, 0)
        time.sleep(0.5)
    told = MlflowClient().get_run(run.run_id).data.metrics
    assert told["system/cpu_utilization_percentage"] >= 0
    assert told["loss"] == 0.7


def test_or_not(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.05")
    monkeypatch.setenv("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", "false")
    with live_run("cnn", {}, "key", project) as run:
        time.sleep(0.3)
    assert not MlflowClient().get_run(run.run_id).data.metrics


@pytest.mark.slow
def test_two_trainings_may_make_the_store_at_once(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from components.project import Project; "
        "from components.tracking.runs import live_run\n"
        f"with live_run('cnn', {{}}, 'key', Project(Path({str(tmp_path)!r}))) as run: print(run.run_id)"
    )
    environment = {**os.environ, "MLFLOW_TRACKING_URI": ""}
    both = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    ids = [process.communicate(timeout=200)[0].strip() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert all(ids)
