"""The gate: may this detector be registered? A pure decision."""

import math
from collections.abc import Mapping

from rich.box import SIMPLE_HEAD
from rich.table import Table

from components.params import GateParams
from components.video.limits import Frozen


class Rule(Frozen):
    """One figure of the winner on test videos against its minimum; None is a figure that is not defined."""

    name: str
    value: float | None
    minimum: float
    passed: bool


class GateVerdict(Frozen):
    """All rules; the gate passes when every one does."""

    passed: bool
    rules: tuple[Rule, ...]


class GateReport(GateVerdict):
    """`reports/gate.json`."""

    winner: str


def decide(metrics: Mapping[str, float], thresholds: GateParams) -> GateVerdict:
    """Holds figures against their minima; a value equal to its minimum passes, a missing one or NaN fails."""
    rules = tuple(
        _rule(name, metrics.get(name, math.nan), minimum) for name, minimum in thresholds.model_dump().items()
    )
    return GateVerdict(passed=all(rule.passed for rule in rules), rules=rules)


def _rule(name: str, value: float, minimum: float) -> Rule:
    # A comparison with NaN is false, so a figure that is not defined can never pass.
    return Rule(
        name=name, value=None if math.isnan(value) else value, minimum=minimum, passed=value >= minimum
    )


def as_table(report: GateReport) -> Table:
    """Returns the rules for a terminal."""
    table = Table(title=f"Gate {'passed' if report.passed else 'failed'}: {report.winner}", box=SIMPLE_HEAD)
    table.add_column("rule")
    for heading in ("test value", "minimum", "verdict"):
        table.add_column(heading, justify="right")
    for rule in report.rules:
        verdict = "[green]passed[/]" if rule.passed else "[bold red]failed[/]"
        value = "not defined" if rule.value is None else f"{rule.value:.3f}"
        table.add_row(rule.name, value, f"{rule.minimum:.3f}", verdict)
    return table
