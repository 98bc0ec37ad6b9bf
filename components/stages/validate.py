"""The stage `validate`: holds the manifest against the suite, writes the reports, then checks the outcome."""

import shutil
import sys
from pathlib import Path

from components.documents import write_document
from components.errors import ValidationError
from components.params import Params
from components.project import Project
from components.splits.audit import find_leaks
from components.tables import MANIFEST, read_table
from components.validation.checkpoint import run_suite
from components.validation.data_docs import render_page
from components.validation.frame import make_frame
from components.validation.leaks import write_leaks
from components.validation.report import Report, make_report
from components.validation.suite import make_suite


def run(project: Project, params: Params) -> None:
    """Writes `validation.json`, `leaks.csv` and Data Docs to reports/validation, then checks the outcome.

    Raises:
        StageError: there is no manifest.
        ValidationError: a critical expectation does not hold; the reports are there all the same.
    """
    rows = read_table(project.manifest, MANIFEST)
    leaks = find_leaks(rows)
    frame, checks = make_frame(rows, leaks), make_suite(params.validate_)
    result = run_suite(frame, checks)
    report = make_report(frame, checks, result, leaks)
    page = _write(project.reports / "validation", report, render_page(result, report))
    write_leaks(project.reports / "validation" / "leaks.csv", leaks, rows)
    for verdict in report.failures("warning"):
        sys.stderr.write(f"warning: {verdict.line()}\n")
    holding = sum(verdict.success for verdict in report.expectations)
    sys.stderr.write(f"{holding} of {len(checks)} expectations hold; see {page}\n")
    _check(report, project.manifest, page)


def _write(folder: Path, report: Report, page: str) -> Path:
    """Replaces the folder's content; returns the page's path."""
    shutil.rmtree(folder, ignore_errors=True)
    docs = folder / "data_docs" / "index.html"
    docs.parent.mkdir(parents=True)
    write_document(report, folder / "validation.json")
    docs.write_text(page, encoding="utf-8")
    return docs


def _check(report: Report, manifest: Path, page: Path) -> None:
    broken = report.failures("critical")
    if broken:
        lines = "".join(f"\n  {verdict.line()}" for verdict in broken)
        total = len(report.expectations)
        raise ValidationError(
            f"{manifest}: {len(broken)} of {total} expectations do not hold, these below (see {page}){lines}"
        )
