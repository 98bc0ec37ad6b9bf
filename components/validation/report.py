"""What came of the suite: `validation.json`, and the lines for a person. Pure.

The report holds no time and no run id: the stage `faces` depends on its bytes.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd
from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult

from components.splits.audit import Leak
from components.validation.checkpoint import MAX_VIDEOS
from components.validation.suite import Check, Severity
from components.values import Frozen


class ExpectationResult(Frozen):
    """How one expectation came out.

    Attributes:
        observed: what the expectation saw: a figure of the whole column, or how many videos break it.
        videos: ids of videos that break it, the first `MAX_VIDEOS` in order.
        leaks: what stands in two splits, with both sides, the first `MAX_VIDEOS` in order.
    """

    name: str
    remedy: str
    expectation: str
    column: str | None
    severity: Severity
    success: bool
    observed: float | str
    videos: tuple[str, ...]
    leaks: tuple[str, ...] = ()

    @property
    def found(self) -> str:
        return self.observed if isinstance(self.observed, str) else f"{self.observed:g}"

    def line(self) -> str:
        """Returns what does not hold, who breaks it, and what to do."""
        names, shown = (self.leaks, 2) if self.leaks else (self.videos, 5)
        # Of very many only the first are known here: no count of the rest would be true.
        more = ("…",) if len(names) > shown else ()
        named = f": {', '.join((*names[:shown], *more))}" if names else ""
        return f"not so: {self.name} (found {self.found}{named}); {self.remedy}"


class Report(Frozen):
    """`reports/validation/validation.json`."""

    success: bool
    videos: int
    expectations: tuple[ExpectationResult, ...]

    def failures(self, severity: Severity) -> list[ExpectationResult]:
        """Expectations of this severity that do not hold."""
        return [v for v in self.expectations if not v.success and v.severity == severity]


def make_report(
    frame: pd.DataFrame,
    checks: Sequence[Check],
    result: ExpectationSuiteValidationResult,
    leaks: Sequence[Leak] = (),
) -> Report:
    """Sums up what Great Expectations found; `success` means that all critical expectations hold."""
    verdicts = tuple(_verdict(frame, leaks, *pair) for pair in zip(checks, result.results, strict=True))
    success = all(verdict.success for verdict in verdicts if verdict.severity == "critical")
    return Report(success=success, videos=len(frame), expectations=verdicts)


def _verdict(
    frame: pd.DataFrame, leaks: Sequence[Leak], check: Check, result: ExpectationValidationResult
) -> ExpectationResult:
    offenders = [] if result.success else sorted(set(_offenders(frame, check, result.result)))
    return ExpectationResult(
        name=check.name,
        remedy=check.remedy,
        expectation=check.expectation.expectation_type,
        column=getattr(check.expectation, "column", None),
        severity=check.severity,
        success=bool(result.success),
        observed=_observed(result),
        videos=tuple(offenders[:MAX_VIDEOS]),
        leaks=tuple(str(leak) for leak in leaks if leak.kind == check.leak)[:MAX_VIDEOS],
    )


def _observed(result: ExpectationValidationResult) -> float | str:
    details: dict[str, Any] = result.result
    if "unexpected_count" in details:
        return f"{details['unexpected_count']} of {details['element_count']} videos"
    if isinstance(details.get("observed_value"), int | float):
        return round(float(details["observed_value"]), 6)
    if "details" in details:
        missing = details["details"].get("mismatched", {}).get("missing", [])
        return f"no column {', '.join(missing)}" if missing else "all columns"
    return next(_exceptions(result.exception_info), "nothing")


def _exceptions(info: dict[str, Any]) -> Iterator[str]:
    """Messages of an expectation that could not be evaluated: one for each of its metrics."""
    for metric in info.values():
        if isinstance(metric, dict) and metric.get("exception_message"):
            yield " ".join(metric["exception_message"].split())


def _offenders(frame: pd.DataFrame, check: Check, details: dict[str, Any]) -> list[str]:
    if check.culprits:
        return [str(video_id) for video_id in frame.query(check.culprits)["video_id"]]
    return [str(row["video_id"]) for row in details.get("partial_unexpected_index_list") or ()]
