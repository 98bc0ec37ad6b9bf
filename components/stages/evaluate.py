"""Stage `evaluate`: compares the candidates, writes the reports and names the winner."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track

from components.bundle import Calibration
from components.documents import write_document
from components.evaluation.bars import draw_candidates, draw_slices
from components.evaluation.calibration import calibrate
from components.evaluation.comparison import Contender, fit_decision, make_contender, rank
from components.evaluation.dataset import count_splits, videos_with_clip
from components.evaluation.figures import (
    draw_confusion,
    draw_reliability,
    draw_roc,
    draw_scores,
    draw_training,
)
from components.evaluation.leaderboard import leaderboard, leaderboard_table, write_rows
from components.evaluation.metrics import roc
from components.evaluation.predictions import Predictions, read_predictions
from components.evaluation.slices import properties, slice_rows, slices
from components.evaluation.summary import crown, summarise
from components.evaluation.trained import Trained, read_trained
from components.params import EvaluateParams, Params
from components.project import ENSEMBLE, Project
from components.tables import MANIFEST, read_faces, read_table


def run(project: Project, params: Params) -> None:
    """Evaluates every candidate of `params.yaml`.

    Reads the manifest, the faces table and each candidate's predictions. Writes `artifacts/winner.json`,
    `reports/evaluation.json`, `leaderboard.csv`, `slices.csv`, `roc/`, `confusion.csv` and `figures/`;
    prints the leaderboard.

    Raises:
        StageError: an input is missing, clips are of another crop digest, or predictions are not of the
            present videos.
    """
    manifest = read_table(project.manifest, MANIFEST)
    faces = read_faces(project.faces, params.faces.digest)
    expected = videos_with_clip(manifest, faces)
    predictions = {
        name: read_predictions(project.candidate(name) / "predictions.parquet", expected)
        for name in (*params.candidates, *([ENSEMBLE] if params.ensemble.members else []))
    }
    contenders = compare_candidates(predictions, params.evaluate)

    counts, confidence = count_splits(manifest, faces), params.evaluate.confidence
    unusable = sum(row["status"] != "ok" for row in manifest)
    trained = {contender.name: read_trained(project, contender.name) for contender in contenders}
    figures = {name: parts.figures for name, parts in trained.items()}
    board = leaderboard(contenders, counts["test"], figures, confidence)
    winner = contenders[0]
    parts = slices(winner, properties(manifest, faces, winner.test.videos), params.evaluate)
    evaluation = summarise(contenders, counts, unusable, figures, parts, params.evaluate)
    write_document(evaluation, project.evaluation)
    write_document(crown(winner, counts["test"], confidence), project.winner)
    write_rows(board, project.reports / "leaderboard.csv")
    write_rows(slice_rows(parts), project.reports / "slices.csv")
    write_plots(project.reports, contenders)
    draw(project, contenders, trained, confidence)
    draw_candidates(evaluation, project.reports / "figures" / "candidates.png")
    draw_slices(evaluation, project.reports / "figures" / "slices.png")
    Console().print(leaderboard_table(board, confidence))


def compare_candidates(
    predictions: dict[str, dict[str, Predictions]], params: EvaluateParams
) -> list[Contender]:
    """Settle everything on validation videos, then measure on test videos; best candidate first."""
    decisions = {name: fit_decision(splits["val"]) for name, splits in predictions.items()}
    order = rank(decisions, params.select_by)
    progress = track(order, "bootstrap", console=Console(stderr=True))
    return [make_contender(name, decisions[name], predictions[name]["test"], params) for name in progress]


def write_plots(reports: Path, contenders: Sequence[Contender]) -> None:
    """The tables behind DVC's plots: the ROC curves of all, the winner's verdicts."""
    for contender in contenders:
        curve = zip(*roc(contender.test.labels, contender.probabilities), strict=True)
        points = [{"fpr": round(float(fpr), 6), "tpr": round(float(tpr), 6)} for fpr, tpr in curve]
        # A file each: DVC would join the curves of one file into one line.
        write_rows(points, reports / "roc" / f"{contender.name}.csv")
    names, winner = ("real", "fake"), contenders[0]
    verdicts = zip(winner.test.labels, winner.called, strict=True)
    write_rows(
        [{"actual": names[label], "predicted": names[called]} for label, called in verdicts],
        reports / "confusion.csv",
    )


def draw(
    project: Project, contenders: Sequence[Contender], trained: Mapping[str, Trained], confidence: float
) -> None:
    """The figures of scores and of trainings, into `reports/figures`."""
    folder, winner = project.reports / "figures", contenders[0]
    labels, scores = winner.test.labels, winner.probabilities
    histories = {result.name: project.history(result.name) for result in contenders}
    draw_roc(contenders, confidence, folder / "roc.png")
    draw_confusion(winner.name, labels, winner.called, folder / "confusion.png")
    draw_scores(winner.name, labels, scores, winner.decision.threshold, folder / "scores.png")
    draw_reliability(
        winner.name,
        labels,
        {"before calibration": calibrate(Calibration(), winner.test.logits), "calibrated": scores},
        folder / "reliability.png",
    )
    there = {name: path for name, path in histories.items() if path.is_file()}
    chosen = {name: result.epoch for name, result in trained.items() if result.epoch is not None}
    draw_training(there, chosen, folder / "training_curves.png")
