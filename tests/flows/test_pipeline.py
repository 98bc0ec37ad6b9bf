"""The training flow, with real DVC, Prefect and MLflow, over stages that cost nothing."""

import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from mlflow import MlflowClient

from components.bundle import BundleInfo, Calibration, open_bundle, seen_digest
from components.documents import write_document
from components.errors import GateError
from components.evaluation.gate import decide
from components.params import Bounds
from components.project import Project
from components.tables import MANIFEST, read_table
from components.tracking import registry
from components.tracking.runs import CANDIDATE
from components.tracking.store import connect
from flows.promote import Promotion, auc, probabilities, promote, register_winner
from tests.components.sandbox.processes import eventually
from tests.flows.conftest import rewrite

if TYPE_CHECKING:
    from conftest import StubProject

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("threads", "cores", "memory", "alone", "jobs"),
    [
        (1, 2, 24.0, False, 2),
        (0, 16, 64.0, False, 1),
        (4, 16, 64.0, False, 4),
        (1, 16, 7.0, False, 2),
        (4, 2, 24.0, False, 1),
        (1, 8, 1.0, False, 1),
        (1, 16, 64.0, True, 1),
    ],
)
def test_stages_run_side_by_side_where_there_is_room(
    threads: int, cores: int, memory: float, alone: bool, jobs: int
) -> None:
    from flows.pipeline import room

    assert room(threads, cores, memory, alone) == jobs


@pytest.mark.parametrize(
    ("devices", "told", "alone"),
    [(None, "", False), (0, "1", False), (2, "", True), (1, "1", True), (None, "2", True)],
)
def test_trainings_do_not_share_a_gpu(devices: int | None, told: str, alone: bool) -> None:
    from flows.pipeline import trains_alone

    assert trains_alone(devices, told) is alone


def test_a_run_shows_every_gate_rule_in_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from flows import pipeline
    from flows.display import print_gate

    project = Project(tmp_path)
    report = decide("a", {"eer": 0.25}, {"eer": Bounds(max=0.2), "auc": Bounds(min=0.5, max=0.9)})
    write_document(report, project.gate)
    project.evaluation.write_text('{"winner": "a", "candidates": {}}', encoding="utf-8")

    drawn: list[dict[str, str]] = []
    monkeypatch.setattr(pipeline, "create_table_artifact", lambda table, **_: drawn.extend(table))
    with pytest.raises(GateError) as caught:
        pipeline.check_gate(project)
    assert drawn == report.rows()
    assert str(caught.value) == (
        "gate: a failed: Equal error rate 0.250 (required ≤ 0.200), AUC not defined (required ≥ 0.500 and "
        f"≤ 0.900); nothing was registered, see {project.gate}"
    )
    print_gate(project.gate)
    printed, page = capsys.readouterr().out, pipeline.summary(project, Promotion("1", False, "why"))
    for row in report.rows():
        assert f"| {' | '.join(row.values())} |" in page
        assert all(cell in printed for cell in row.values())


def calibrate(bundle: Path, slope: float) -> None:
    """Give a bundle another slope, which makes it another model; a negative one turns its ranking around."""
    file = bundle / "bundle.json"
    info = BundleInfo.model_validate_json(file.read_text(encoding="utf-8"))
    calibration = Calibration(slope=slope, intercept=-120 * slope)
    file.write_text(info.model_copy(update={"calibration": calibration}).model_dump_json(), encoding="utf-8")


def better_slope(bundle: Path, data: Path) -> float:
    """The sign with which brightness ranks the test videos better than chance."""
    calibrate(bundle, 0.1)
    found = probabilities(open_bundle(bundle), [str(path) for path in sorted(data.glob("*/*.mp4"))])
    area = auc([Path(path).parent.name == "fake" for path in found], list(found.values()))
    assert area is not None
    assert area != 0.5
    return 0.1 if area > 0.5 else -0.1


def measured(project: Project) -> dict[str, list[tuple[str, float]]]:
    """Of each candidate's only run."""
    runs = MlflowClient().search_runs([connect(project)])
    told = {run.data.tags[CANDIDATE]: run.data.metrics for run in runs}
    assert len(told) == len(runs)
    return {
        name: sorted(item for item in metrics.items() if item[0].startswith("test_"))
        for name, metrics in told.items()
    }


@pytest.mark.timeout(900)  # four runs, each of a dozen processes, which may wait for a core
def test_the_same_command_goes_on_once_what_failed_is_mended(
    stub_project: "StubProject",
) -> None:
    project, prepared = stub_project.project, stub_project.root / "prepared"
    evaluation = (prepared / "evaluation.json").read_bytes()
    (prepared / "evaluation.json").unlink()
    stub_project.set_gate(0.5)

    stage = stub_project.unmask("run")
    assert stage.returncode == 2
    assert "epoch of b" in stage.stderr
    assert stage.stderr.splitlines()[-1].startswith("error: ")

    (prepared / "evaluation.json").write_bytes(evaluation)
    gate = stub_project.unmask("run")
    assert gate.returncode == 3
    assert "epoch of" not in gate.stderr
    assert "AUC 0.500 (required ≥ 0.800)" in gate.stderr
    assert "0.500" in gate.stdout  # the table
    assert not project.bundle.exists()
    assert registry.version_behind(registry.CHALLENGER, project) is None
    # What failed can be compared all the same.
    assert measured(project) == {"a": [("test_auc", 0.9), ("test_f1", 0.8)], "b": [("test_auc", 0.9)]}

    stub_project.set_gate(0.9)
    done = stub_project.unmask("run")
    assert done.returncode == 0, done.stderr
    assert "version 1 is the first champion" in done.stdout
    champion = registry.resolve_alias(project=project)
    assert champion.version == "1"
    assert champion.digest == open_bundle(project.bundle).digest
    assert registry.version_behind(registry.CHALLENGER, project) == "1"
    assert "Traceback" not in "".join(told.stderr for told in (stage, gate, done))

    again = stub_project.unmask("run")
    assert again.returncode == 0, again.stderr
    assert "version 1 is the champion already" in again.stdout
    assert "epoch of" not in again.stdout + again.stderr
    (run,) = MlflowClient().search_runs([connect(project)], f"tags.`{CANDIDATE}` = 'b'")
    assert len(MlflowClient().get_metric_history(run.info.run_id, "test_auc")) == 1  # not logged twice
    assert registry.version_behind(registry.CHAMPION, project) == "1"


def test_ctrl_c_ends_a_run_in_one_line_and_all_that_it_has_started(stub_project: "StubProject") -> None:
    begun = stub_project.root / "begun"
    graph = (stub_project.root / "dvc.yaml").read_text(encoding="utf-8")
    waiting = graph.replace(
        "cmd: cp prepared/manifest", f"cmd: touch {begun}; sleep 99; cp prepared/manifest"
    )
    (stub_project.root / "dvc.yaml").write_text(waiting, encoding="utf-8")
    with stub_project.start("run") as run:
        assert eventually(begun.exists)
        flow_run = stub_project.living_flow_run()
        family = psutil.Process(run.pid).children(recursive=True)
        refused = stub_project.unmask("run", "--no-wait")
        os.killpg(run.pid, signal.SIGINT)
        _, told = run.communicate(timeout=60)
    assert refused.returncode == 2
    assert f"process {run.pid} (" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert run.returncode == 130
    assert told.splitlines()[-1] == "interrupted; run the same command again to go on"
    for noise in ("Crash", "Traceback", "ERROR", "Cancelled"):
        assert noise not in told
    assert len(family) >= 3  # the supervisor, DVC, the stage
    assert not any(process.is_running() for process in family)
    assert stub_project.flow_run(flow_run)["state_type"] == "CANCELLED"


def test_the_better_one_is_the_champion(stub_project: "StubProject") -> None:
    bundle, project = stub_project.root / "prepared" / "bundle", stub_project.project
    better = better_slope(bundle, stub_project.root / "data")

    def outcome(slope: float) -> str:
        """As the flow does it after the export; without its processes, which take most of the time."""
        calibrate(bundle, slope)
        shutil.rmtree(project.bundle)
        shutil.copytree(bundle, project.bundle)
        return promote(project, register_winner(project)).reason

    project.bundle.mkdir()
    rewrite(bundle, gate_passed=False)
    with pytest.raises(GateError, match="did not pass its gate; it is not registered"):
        outcome(better)
    assert registry.version_behind(registry.CHALLENGER, project) is None
    rewrite(bundle, gate_passed=True)
    shutil.copytree(stub_project.root / "prepared" / "a", project.candidate("a"))
    shutil.copy(stub_project.root / "prepared" / "manifest.parquet", project.manifest)
    assert "version 1 is the first champion" in outcome(-better)

    assert "version 2 replaces champion 1" in outcome(better)
    assert registry.version_behind(registry.CHAMPION, project) == "2"

    assert "version 3 stays challenger of 2" in outcome(-better / 2)
    assert registry.version_behind(registry.CHAMPION, project) == "2"
    assert registry.version_behind(registry.CHALLENGER, project) == "3"

    # A model that has seen the test videos is not compared on them.
    manifest = read_table(project.manifest, MANIFEST)
    (bundle / "seen.txt").write_text("".join(f"{seen_digest(row['sha256'])}\n" for row in manifest))
    assert "version 4 cannot be compared with champion 2" in outcome(better * 2)
    assert registry.version_behind(registry.CHAMPION, project) == "2"


def test_dry_run_changes_nothing(stub_project: "StubProject") -> None:
    told = stub_project.unmask("run", "--dry-run")
    assert told.returncode == 0, told.stderr
    assert "run   train@a" in told.stdout
    assert not (stub_project.root / "dvc.lock").exists()


def test_a_run_without_videos_says_what_to_do(stub_project: "StubProject") -> None:
    shutil.rmtree(stub_project.root / "data")
    failed = stub_project.unmask("run", "--dry-run")
    assert failed.returncode == 2
    assert "unmask sample-data" in failed.stderr


def test_a_pull_that_fails_ends_the_run(stub_project: "StubProject") -> None:
    shutil.rmtree(stub_project.root / "data")
    tracked = "outs:\n- md5: 0123456789abcdef0123456789abcdef.dir\n  hash: md5\n  path: data\n"
    (stub_project.root / "data.dvc").write_text(tracked, encoding="utf-8")
    config = stub_project.root / ".dvc" / "config"
    remote = (
        "[core]\nanalytics = false\nno_scm = true\nremote = local\n['remote \"local\"']\nurl = ../nowhere\n"
    )
    config.write_text(remote, encoding="utf-8")
    failed = stub_project.unmask("run")
    assert failed.returncode == 2
    assert "no videos there; add a dataset" in failed.stderr.strip().splitlines()[-1]
    assert "Running stage" not in failed.stderr
