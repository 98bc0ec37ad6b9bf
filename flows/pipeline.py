"""The training flow: one Prefect task per DVC stage, then record, register and promote.

DVC owns the graph and the cache, so tasks keep no cache of their own. The pattern is that of prefect-dbt's
orchestrator, where dbt owns the graph and Prefect makes a task per node.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture
from prefect.states import Completed
from prefect.task_runners import ThreadPoolTaskRunner

from components.documents import read_document
from components.errors import GateError, StageError
from components.evaluation.gate import GateReport
from components.params import load_params
from components.params.resolved import write_resolved
from components.project import Project
from components.providers import cuda_devices
from flows.children import end_children
from flows.crashed import watched
from flows.data import needs_pull, pull
from flows.environment import find_project, prepare
from flows.failure import call, fails_in_one_line
from flows.graph import Stage, downstream, read_graph, relayed, run_stage, stale_stages
from flows.locks import DVC_RWLOCK, forget_dead, project_lock
from flows.promote import Promotion, promote, record, register_winner

GATE, FACES, TRAIN = "gate", "faces", "train@"
NOT_READY = "NotReady"
"""Prefect's name for the state of a task whose upstream has not completed."""

GIB_PER_JOB = 3
"""Memory to leave for each stage that runs side by side with others."""


@task(name="stage", task_run_name="{name}", cache_policy=NO_CACHE)
@fails_in_one_line
def reproduce(name: str, root: str, stale: bool) -> State[Any] | None:
    """Runs one DVC stage, unless DVC has said that nothing changed."""
    logger = get_run_logger()
    if not stale:
        return Completed(name="Cached", message="unchanged since the last run")
    run_stage(name, Path(root), logger.info)
    return None


@task(name="pull", task_run_name="pull data", cache_policy=NO_CACHE)
@fails_in_one_line
def pull_task(root: str) -> None:
    """Brings the videos that data.dvc names from the DVC remote."""
    pull(Path(root), get_run_logger().info)


@task(name="check", task_run_name="check candidates", cache_policy=NO_CACHE)
@fails_in_one_line
def check_task(root: str) -> None:
    """Finds out what is wrong with candidates before hours go into their clips."""
    relayed(["components", "check"], Path(root), get_run_logger().info, "candidates")


@task(name="record", task_run_name="record test metrics", cache_policy=NO_CACHE)
@fails_in_one_line
def record_task(root: str) -> None:
    """Logs the test metrics of all candidates to their MLflow runs, whatever the gate decides."""
    record(Project(Path(root)))


@task(name="register", task_run_name="register", cache_policy=NO_CACHE)
@fails_in_one_line
def register_task(root: str) -> str:
    """Registers the bundle as a model version; the same bundle is the same version."""
    version = register_winner(Project(Path(root)))
    get_run_logger().info("bundle is version %s of the model", version)
    return version


@task(name="promote", task_run_name="promote", cache_policy=NO_CACHE)
@fails_in_one_line
def promote_task(root: str, version: str) -> Promotion:
    """Makes the challenger the champion if it beats the present one on the same test videos."""
    outcome = promote(Project(Path(root)), version)
    get_run_logger().info("%s", outcome.reason)
    return outcome


@flow(name="training", flow_run_name="training", persist_result=False, validate_parameters=False)
@fails_in_one_line
def training(project: str | None = None, jobs: int = 0) -> Promotion:
    """From labelled videos to a registered detector.

    Args:
        project: the project folder; by default the one that holds the current folder.
        jobs: stages that may run side by side; 0 chooses by cores and memory, or 1 where a GPU trains.

    Raises:
        DataError: there are no videos, and the DVC remote has none either.
        GateError: the winner did not pass the gate; nothing was registered.
        StageError: a stage failed.
    """
    home = find_project(Path(project) if project else None)
    prepare(home)
    with watched(home), project_lock(home, say=get_run_logger().info):
        return train(home, jobs)


def train(home: Project, jobs: int) -> Promotion:
    """Returns the steps of the flow."""
    root = str(home.root)
    forget_dead(home.root / DVC_RWLOCK)
    write_resolved(home)
    stages = read_graph(home.root)
    if needs_pull(home.root):
        call(pull_task, root)
    stale = stale_stages(home.root, stages)
    connect_store(home)
    if FACES in stale and any(name.startswith(TRAIN) for name in stale):
        call(check_task, root)
    threads = load_params(home.params).training.num_threads
    alone = trains_alone(cuda_devices(), os.environ.get("UNMASK_TRAIN_DEVICES", ""))
    jobs = jobs or room(threads, os.cpu_count() or 1, memory_gib(), alone)
    gated = downstream(GATE, stages)
    run_stages([stage for stage in stages if stage.name not in gated], root, stale, jobs)
    call(record_task, root)
    check_gate(home)
    run_stages([stage for stage in stages if stage.name in gated], root, stale, jobs)
    version = call(register_task, root)
    outcome = call(promote_task, root, version)
    create_markdown_artifact(summary(home, outcome), key="training-summary", description=outcome.reason)
    return outcome


def connect_store(project: Project) -> None:
    """Makes MLflow's tables before anything trains, and finds out now if its server is away.

    Raises:
        RegistryError: MLflow cannot be reached.
    """
    from components.tracking.store import connect

    connect(project)


def room(threads: int, cores: int, memory: float, alone: bool) -> int:
    """Returns how many stages may run side by side.

    Args:
        threads: of a training; 0: all cores.
        cores: of the machine.
        memory: of the machine, GiB.
        alone: whether a training needs what there is one of.
    """
    by_cores = cores // threads if threads and not alone else 1
    return max(1, min(by_cores, int(memory // GIB_PER_JOB)))


def trains_alone(devices: int | None, setting: str) -> bool:
    """Whether trainings would share a GPU, whose memory may not be enough, or take several devices each.

    Args:
        devices: that the driver offers.
        setting: `UNMASK_TRAIN_DEVICES`.
    """
    return bool(devices) or setting not in ("", "1")


def memory_gib() -> float:
    """Physical memory of this machine, GiB."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3


def run_stages(stages: Sequence[Stage], root: str, stale: Iterable[str], jobs: int) -> None:
    """Runs stages in order, `jobs` at a time where the graph allows it."""
    futures: dict[str, PrefectFuture[Any]] = {}
    pool: ThreadPoolTaskRunner[Any] = ThreadPoolTaskRunner(max_workers=jobs)
    with pool as runner:
        for stage in stages:
            futures[stage.name] = runner.submit(
                reproduce,
                parameters={
                    "name": stage.name,
                    "root": root,
                    "stale": stage.name in stale,
                },
                wait_for=[futures[name] for name in stage.upstream if name in futures],
            )
        try:
            for future in futures.values():
                future.wait()
        except BaseException:
            end_children()  # the pool waits for its threads, and they for their stages
            raise
    check_completed({name: future.state for name, future in futures.items()})


def check_completed(states: Mapping[str, State[Any]]) -> None:
    """Raises what ended the first stage that has not completed: what follows would take a former run's files.

    A stage that waited for a failed one is not ready: it is told of only where no cause is known.

    Raises:
        StageError: a stage failed, or ended in any other state, such as Cancelled.
    """
    incomplete = [(name, state) for name, state in states.items() if not state.is_completed()]
    for name, state in sorted(incomplete, key=lambda one: one[1].name == NOT_READY):
        if state.is_failed() or state.is_crashed():
            state.result()
        raise StageError(f"stage {name}: did not complete ({state.name})")


def check_gate(project: Project) -> None:
    """Stops here if the winner did not pass.

    Raises:
        GateError: carries each broken rule; its exit code is 3.
    """
    report = read_document(GateReport, project.gate)
    create_table_artifact(table=report.rows(), key="gate", description=f"Winner: {report.winner}")
    if not report.passed:
        raise GateError(
            f"gate: {report.winner} failed: {report.broken}; nothing was registered, see {project.gate}"
        )


def summary(project: Project, outcome: Promotion) -> str:
    """Returns what a person wants to see of a run, as Markdown."""
    evaluation = json.loads(project.evaluation.read_text(encoding="utf-8"))
    lines = [f"# {evaluation['winner']} is version {outcome.version}", "", outcome.reason, ""]
    lines += ["| candidate | val AUC | test AUC | test F1 |", "| --- | --- | --- | --- |"]
    for name, figures in evaluation["candidates"].items():
        val, test = figures["val"], figures["test"]
        figures_shown = " | ".join(shown(value) for value in (val["auc"], test["auc"], test["f1"]))
        lines.append(f"| {name} | {figures_shown} |")
    rules = read_document(GateReport, project.gate).rows()
    lines += ["", f"| {' | '.join(rules[0])} |", "| --- | --- | --- | --- |"]
    lines += [f"| {' | '.join(rule.values())} |" for rule in rules]
    return "\n".join(lines)


def shown(value: float | None) -> str:
    """Returns a figure with three digits; a figure can be undefined, such as an AUC over one class."""
    return "undefined" if value is None else f"{value:.3f}"
