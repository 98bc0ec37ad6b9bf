"""The gate: may this detector be registered? A pure decision, and the one way in which it is shown."""

import math
from collections.abc import Mapping

from rich.box import SIMPLE_HEAD
from rich.table import Table

from components.metric_names import title
from components.params import Bounds
from components.values import Frozen


class Rule(Frozen):
    """One figure of the winner on test videos with its bounds; a value of None is not defined."""

    name: str
    value: float | None
    min: float | None = None
    max: float | None = None
    passed: bool

    @property
    def shown(self) -> str:
        """The value with three decimals."""
        return "not defined" if self.value is None else f"{self.value:.3f}"

    @property
    def required(self) -> str:
        """The bounds, such as `≥ 0.800`."""
        bounds = (("≥", self.min), ("≤", self.max))
        return " and ".join(f"{sign} {bound:.3f}" for sign, bound in bounds if bound is not None)


class GateReport(Frozen):
    """`reports/gate.json`: the gate passes when every rule does."""

    passed: bool
    rules: tuple[Rule, ...]
    winner: str

    @property
    def verdict(self) -> str:
        """The outcome in one word."""
        return "passed" if self.passed else "failed"

    @property
    def broken(self) -> str:
        """The rules that do not hold, such as `AUC 0.500 (required ≥ 0.800)`."""
        rules = (rule for rule in self.rules if not rule.passed)
        return ", ".join(f"{title(rule.name)} {rule.shown} (required {rule.required})" for rule in rules)

    @property
    def reason(self) -> str:
        """What the verdict means for the model, as a sentence."""
        if self.passed:
            return "It may be registered: every rule holds on test videos, which had no part in any choice."
        return f"It is not registered: on test videos {self.broken}."

    def rows(self) -> list[dict[str, str]]:
        """A table row per rule, as cells by their headings."""
        return [
            {
                "Rule": title(rule.name),
                "On test videos": rule.shown,
                "Required": rule.required,
                "Verdict": "passed" if rule.passed else "failed",
            }
            for rule in self.rules
        ]


def decide(winner: str, figures: Mapping[str, float | None], rules: Mapping[str, Bounds]) -> GateReport:
    """Hold a candidate's figures on test videos against the rules of params.yaml.

    A value that equals a bound passes; one that is missing, None or NaN fails.
    """
    decided = tuple(_rule(name, figures.get(name), bounds) for name, bounds in rules.items())
    return GateReport(passed=all(rule.passed for rule in decided), rules=decided, winner=winner)


def _rule(name: str, value: float | None, bounds: Bounds) -> Rule:
    if value is None or math.isnan(value):
        return Rule(name=name, value=None, min=bounds.min, max=bounds.max, passed=False)
    low = -math.inf if bounds.min is None else bounds.min
    high = math.inf if bounds.max is None else bounds.max
    return Rule(name=name, value=value, min=bounds.min, max=bounds.max, passed=low <= value <= high)


def as_table(report: GateReport) -> Table:
    """The rules for a terminal."""
    table = Table(title=f"Gate {report.verdict}: {report.winner}", box=SIMPLE_HEAD)
    rows = report.rows()
    for heading in rows[0]:
        table.add_column(heading, justify="left" if heading == "Rule" else "right")
    for row, rule in zip(rows, report.rules, strict=True):
        table.add_row(*row.values(), style="" if rule.passed else "bold red")
    return table
