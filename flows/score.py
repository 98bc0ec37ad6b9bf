"""The batch scoring flow: what is missing or changed is scored, shard by shard."""

from pathlib import Path
from typing import Literal

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from components.project import Project
from flows.crashed import watched
from flows.environment import find_project, prepare
from flows.failure import call, fails_in_one_line
from serving.batch.plan import SHARD_SIZE, Shard, plan_batch
from serving.batch.run import scan_library, score_shard
from serving.batch.store import BatchSummary, ScoreStore
from serving.champion import open_scorer
from serving.scorer import Scorer


@task(name="shard", task_run_name="{shard.name}", cache_policy=NO_CACHE)
@fails_in_one_line
def score_task(scorer: Scorer, source: Path, shard: Shard, store: ScoreStore) -> int:
    """Scores one shard and writes its rows in one step."""
    scores = score_shard(scorer, source, shard, store)
    return len(scores)


@flow(name="batch-scoring", flow_run_name="batch-scoring", persist_result=False, validate_parameters=False)
@fails_in_one_line
def batch_scoring(
    source: str,
    output: str,
    project: str | None = None,
    model: str = "champion",
    bundle: str | None = None,
    provider: Literal["auto", "cuda", "cpu"] = "auto",
    workers: int = 0,
    shard_size: int = SHARD_SIZE,
) -> BatchSummary:
    """Scores a folder of videos; exactly one row per video and model version, however often it is run.

    Args:
        source: folder of videos.
        output: folder for the scores; `scores.parquet` and `scores.csv` are written at the end.
        project: the project folder; by default the one that holds the current folder.
        model: alias or version number in the registry.
        bundle: a bundle folder to score with instead.
        provider: where ONNX Runtime computes.
        workers: processes that decode; 0 is one per core.
        shard_size: videos per shard.

    Raises:
        DataError: the source holds no videos, or `output` holds the scores of another source.
        BusyError: another job writes to `output`.
        RegistryError: there is no such model.
    """
    home = find_project(Path(project) if project else None)
    prepare(home)
    logger = get_run_logger()
    folder = Path(source)
    library = scan_library(folder)
    for line in library.left_out:
        logger.warning(line)
    with (
        watched(home),
        open_scorer(
            Path(bundle) if bundle else None, provider=provider, workers=workers, alias=model, project=home
        ) as scorer,
        ScoreStore(Path(output), folder, scorer.model_version, scorer.bundle.digest) as store,
    ):
        work = plan_batch(library.videos, store.rows(), shard_size)
        store.forget(work.stale)
        logger.info(
            "%d videos, %d done before, %d shards to score", len(library.videos), work.done, len(work.shards)
        )
        for shard in work.shards:
            call(score_task, scorer, folder, shard, store)
        store.publish()
        summary = store.summary()
    create_markdown_artifact(closing_lines(summary, output), key="batch-scoring", description=source)
    return summary


def pending(
    project: Project, source: Path, output: Path, model: str, bundle: Path | None, shard_size: int
) -> str:
    """Returns what a job would do, without doing it.

    Raises:
        DataError: the source holds no videos, or `output` holds the scores of another source.
        RegistryError: there is no such model.
    """
    library = scan_library(source)
    with open_scorer(bundle, provider="cpu", workers=1, alias=model, project=project) as scorer:
        store = ScoreStore(output, source, scorer.model_version, scorer.bundle.digest)
    store.check_source()
    work = plan_batch(library.videos, store.rows(), shard_size)
    todo = sum(len(shard.videos) for shard in work.shards)
    lines = "".join(f"{line}\n" for line in library.left_out)
    return (
        f"{lines}{len(library.videos)} videos, model version {store.model_version}: {work.done} done before, "
        f"{todo} to score ({len(work.stale)} of them changed) in {len(work.shards)} shards"
    )


def closing_lines(summary: BatchSummary, output: str) -> str:
    """Returns a summary as Markdown."""
    lines = [f"# {summary.videos} videos in {output}", "", "| | videos |", "| --- | --- |"]
    counts = {**summary.verdicts, **{f"status {name}": n for name, n in summary.statuses.items()}}
    if summary.fallbacks:
        counts["scored without a face (fallback center)"] = summary.fallbacks
    return "\n".join([*lines, *(f"| {name} | {n} |" for name, n in counts.items())])
