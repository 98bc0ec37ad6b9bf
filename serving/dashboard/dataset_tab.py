"""The part of the page that shows what the data are."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from components.errors import UnmaskError
from components.ingest.statistics.results import Statistics
from components.project import Project
from serving.dashboard import dataset_reports as reports
from serving.dashboard.dataset_reports import DatasetReports


def draw_dataset(project: Project) -> None:
    """Key figures, balance, formats, sample frames, and what takes no part."""
    try:
        documents = reports.read_dataset_reports(project)
    except UnmaskError as error:
        st.error(str(error))
        return
    if documents.failures:
        st.error(f"`validate` stops here: these do not hold: {'; '.join(documents.failures)}.")
    if documents.statistics is None:
        st.info("The data are not described yet: `unmask run` or `dvc repro describe` does it.")
    else:
        draw_key_figures(documents.statistics)
        draw_leaks(documents.statistics, documents.splits or {})
        show_balance(documents.statistics, documents.figures)
        show_formats(documents.statistics, documents.figures)
    show_contact_sheet(documents.contact_sheet)
    draw_quarantine(documents)
    draw_notes(documents)


def draw_key_figures(statistics: Statistics) -> None:
    """The first things to know, side by side."""
    figures = reports.key_figures(statistics.total)
    for column, (name, (value, caption)) in zip(st.columns(len(figures)), figures.items(), strict=True):
        column.metric(name, value)
        column.caption(caption)


def draw_leaks(statistics: Statistics, splits: Mapping[str, Any]) -> None:
    """Draws what stands in two splits, if ingest has looked."""
    if rows := reports.leak_rows(splits):
        st.warning("Some videos tie two splits: figures on test videos may flatter. `validate` names them.")
        st.table(rows, border="horizontal", hide_index=True)
    elif proof := reports.proof(splits, statistics):
        (st.success if reports.names_everybody(statistics) else st.warning)(proof)


def show_balance(statistics: Statistics, figures: tuple[Path, ...]) -> None:
    """Shows how many real and fake videos each split and each dataset holds."""
    st.subheader("Splits", anchor=False)
    st.table(reports.split_rows(statistics), border="horizontal", hide_index=True)
    st.subheader("Datasets", anchor=False)
    st.dataframe(reports.dataset_rows(statistics), hide_index=True, width="stretch")
    st.caption("All videos, also those that are broken or left out.")
    for name in ("balance", "methods"):
        for path in figures:
            if path.stem == name:
                st.image(path, width=860)


def show_formats(statistics: Statistics, figures: tuple[Path, ...]) -> None:
    """Shows what the files are like, and whether that gives the label away."""
    st.subheader("Files", anchor=False)
    st.table(reports.format_display_rows(statistics.formats), border="horizontal", hide_index=True)
    st.caption(
        "“Tells real from fake”: how often this property alone is right, learnt on training videos and "
        "held against all others, both classes weighing the same. 50% is chance. Far above it, a detector "
        "may learn the file format in place of the forgery."
    )
    for path in figures:
        if path.stem == "formats":
            st.image(path, width="stretch")


def show_contact_sheet(sheet: Path | None) -> None:
    """Samples frames of every label and method."""
    st.subheader("Frames", anchor=False)
    if sheet is None:
        st.info("No contact sheet yet: `dvc repro describe` takes a frame of a few videos of each kind.")
        return
    st.image(sheet, width="stretch")
    st.caption("A frame from the middle of a few videos of each frequent kind; their contents decide which.")


def draw_quarantine(documents: DatasetReports) -> None:
    """The videos that cannot be used, and why."""
    st.subheader("Quarantine", anchor=False)
    if not documents.quarantined:
        st.caption("No video is known to be broken.")
        return
    st.dataframe(list(documents.quarantined), hide_index=True, width="stretch")
    if len(documents.quarantined) == reports.MAX_QUARANTINED:
        st.caption(f"The first {reports.MAX_QUARANTINED:,}; reports/quarantine.csv holds them all.")


def draw_notes(documents: DatasetReports) -> None:
    """Draws how the datasets were read."""
    if rows := reports.note_rows(documents.splits or {}):
        st.subheader("Notes", anchor=False)
        # Names in notes are whatever somebody called a file; a table would render them as Markdown.
        for row in rows:
            st.text(f"{row['Dataset']}: {row['Note']}")
