"""`reports/quarantine.csv`: the videos that cannot be used, and why. Pure."""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

QUARANTINE_COLUMNS = ("path", "dataset", "status", "reason")


def quarantine(rows: Iterable[Mapping[str, Any]]) -> str:
    """Returns the file's text: a line for each broken video, by path; only the header where there is none.

    Args:
        rows: of `components.tables.MANIFEST`.
    """
    broken = sorted((row for row in rows if row["status"] != "ok"), key=lambda row: str(row["path"]))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(QUARANTINE_COLUMNS)
    writer.writerows([row[column] for column in QUARANTINE_COLUMNS] for row in broken)
    return text.getvalue()
