"""Runs a suite with Great Expectations: no project of its own on the disk, no progress bar, no telemetry."""

import json
from collections.abc import Sequence
from typing import Any

import great_expectations as gx
import pandas as pd
from great_expectations.core import ExpectationSuiteValidationResult
from great_expectations.data_context import EphemeralDataContext
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)

from components.validation.suite import Check

MAX_VIDEOS = 20
"""So many offending videos are named for each expectation: a hundred thousand may break one."""

RESULT_FORMAT: dict[str, Any] = {
    "result_format": "SUMMARY",
    "partial_unexpected_count": MAX_VIDEOS,
    "unexpected_index_column_names": ["video_id"],
    "return_unexpected_index_query": False,
}


def run_suite(frame: pd.DataFrame, checks: Sequence[Check]) -> ExpectationSuiteValidationResult:
    """Holds a data frame against the checks.

    Returns:
        Great Expectations' own result, one entry for each check and in the checks' order, and with nothing in
        it that differs from run to run.
    """
    asset = _context().data_sources.add_pandas("manifest").add_dataframe_asset("manifest")
    batch = asset.add_batch_definition_whole_dataframe("manifest").get_batch({"dataframe": frame})
    suite = gx.ExpectationSuite(name="manifest", expectations=[_described(check) for check in checks])
    return _settled(batch.validate(suite, result_format=RESULT_FORMAT), checks)


def _context() -> EphemeralDataContext:
    return gx.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            store_backend_defaults=InMemoryStoreBackendDefaults(),
            progress_bars=ProgressBarsConfig(globally=False),
            analytics_enabled=False,
        ),
    )


def _described(check: Check) -> Any:
    return check.expectation.copy(
        update={
            "severity": check.severity,
            "description": check.name,
            "notes": check.remedy,
        }
    )


def _settled(
    result: ExpectationSuiteValidationResult, checks: Sequence[Check]
) -> ExpectationSuiteValidationResult:
    """Great Expectations orders results by its own graph, dates them, and leaves numpy's numbers in them."""
    by_name = {
        entry.expectation_config.description: entry for entry in result.results if entry.expectation_config
    }
    result.results = [by_name[check.name] for check in checks]
    result.meta = {"great_expectations_version": gx.__version__}
    for entry in result.results:
        for metric in entry.exception_info.values():
            if isinstance(metric, dict):  # a traceback names this machine's folders
                metric["exception_traceback"] = metric["exception_message"]
        entry.result = json.loads(json.dumps(entry.to_json_dict()["result"]))
    return result
