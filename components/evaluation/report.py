"""`reports/report.html`: one page for people, self-contained, that says what the gate decided and why."""

import base64
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from components.evaluation.gate import GateReport
from components.evaluation.leaderboard import shown
from components.evaluation.results import Evaluation
from components.evaluation.slices import MIN_SLICE_VIDEOS, PROPERTIES
from components.evaluation.winner import Winner
from components.metric_names import title

FIGURES = {
    "roc": "How many fakes each candidate finds, for every rate of false alarms.",
    "confusion": "The winner's verdicts at its threshold.",
    "scores": "The winner's calibrated probabilities by class.",
    "reliability": "Does a stated probability come true as often as it says?",
    "training_curves": "Losses and validation AUC over the epochs; the dot is the epoch that was kept.",
}
"""Those at the end of the page, with what they show."""

BESIDE_TABLES = ("candidates", "slices")

TRAINING = {
    "parameters": "Parameters",
    "trainable_parameters": "of them trained",
    "train_accuracy": "Accuracy in training",
    "accuracy_gap": "Gap to validation",
}
"""What is said about a candidate's training where any candidate knows it."""

SPLIT_TITLES = {"train": "training", "val": "validation", "test": "test"}

NAMED = 20
"""Videos that the page names where there are many of a kind."""


def write_report(reports: Path, gate: GateReport, winner: Winner, evaluation: Evaluation) -> None:
    """Renders the page, with those of the figures that are there."""
    page = render_report(gate, winner, evaluation, _embedded(reports / "figures"))
    (reports / "report.html").write_text(page, encoding="utf-8")


def render_report(gate: GateReport, winner: Winner, evaluation: Evaluation, figures: dict[str, str]) -> str:
    """Renders the page as HTML.

    Args:
        gate: the verdict.
        winner: its figures with intervals.
        evaluation: all candidates.
        figures: data URIs by the figures' names.
    """
    environment = Environment(
        loader=PackageLoader("components.evaluation", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"shown": shown, "counted": counted, "figure_title": title}
    environment.globals |= {"captions": FIGURES, "titles": SPLIT_TITLES, "named": NAMED}
    environment.globals |= {"properties": PROPERTIES, "least": MIN_SLICE_VIDEOS}
    results = evaluation.candidates.values()
    training = {
        name: meaning
        for name, meaning in TRAINING.items()
        if any(name in result.trained for result in results)
    }
    template = environment.get_template("report.html.j2")
    return template.render(
        gate=gate, winner=winner, evaluation=evaluation, figures=figures, training=training
    )


def counted(value: float | None) -> str:
    """Returns a count with spaces between its thousands, or any other figure as `shown`."""
    return f"{value:,}".replace(",", "\N{NO-BREAK SPACE}") if isinstance(value, int) else shown(value)


def _embedded(folder: Path) -> dict[str, str]:
    paths = {name: folder / f"{name}.png" for name in (*FIGURES, *BESIDE_TABLES)}
    return {
        name: f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"
        for name, path in paths.items()
        if path.is_file()
    }
