"""The page, a script that Streamlit runs from top to bottom for every interaction.

In a project folder: `python -m streamlit run serving/dashboard/app.py`. `UNMASK_BUNDLE` names a bundle folder
to score with in place of the champion.
"""

import os
from html import escape
from pathlib import Path

import streamlit as st
from streamlit.typing import UploadedFile

from components.errors import UnmaskError
from components.evaluation.gate import GateReport
from components.evaluation.results import Evaluation
from components.project import Project
from components.scores import VideoScore
from components.video.formats import VIDEO_SUFFIXES
from components.video.picture_files import PICTURE_SUFFIXES
from serving.champion import open_scorer
from serving.dashboard import reports
from serving.dashboard.dataset_tab import draw_dataset
from serving.dashboard.uploads import on_disk
from serving.dashboard.verdict_card import percent, verdict_card
from serving.scorer import Scorer

MAX_UPLOAD_MB = 512  # the API's limit


def main() -> None:
    """Draws the page."""
    st.set_page_config(page_title="Unmask", layout="wide")
    st.html(Path(__file__).with_name("page.css"))
    st.title("Unmask")
    st.caption("Is the face in this video a forgery?")
    scoring, comparison, dataset = st.tabs(["Score", "Leaderboard", "Dataset"])
    with scoring:
        draw_scoring()
    with comparison:
        draw_leaderboard(Project())
    with dataset:
        draw_dataset(Project())


def draw_scoring() -> None:
    """Uploads and their verdicts, and the model behind them."""
    try:
        scorer = opened_scorer(os.environ.get("UNMASK_BUNDLE"))
    except UnmaskError as error:
        st.error(str(error))
        return
    videos, model = st.columns([5, 3], gap="large")
    with videos:
        draw_verdicts(scorer)
    with model:
        draw_model(scorer)


@st.cache_resource(show_spinner="Opening the model …", on_release=Scorer.close)
def opened_scorer(bundle: str | None) -> Scorer:
    """Returns the scorer of a bundle folder or of the champion, opened once for all visitors.

    Raises:
        UnmaskError: see `serving.champion.open_scorer`; not cached, so that the next visit tries again.
    """
    return open_scorer(Path(bundle)) if bundle else open_scorer(project=Project())


def draw_verdicts(scorer: Scorer) -> None:
    """The upload field, and a card for each uploaded video."""
    uploads = st.file_uploader(
        "Videos to score",
        type=sorted(suffix.removeprefix(".") for suffix in VIDEO_SUFFIXES | PICTURE_SUFFIXES),
        accept_multiple_files=True,
        max_upload_size=MAX_UPLOAD_MB,
        help="They are scored on this machine and deleted afterwards.",
    )
    if not uploads:
        st.info(
            "Upload one or more videos of a talking person, or pictures, which tell less. "
            "What cannot be scored says why."
        )
        return
    # Streamlit runs the script again for every click: what has its score keeps it.
    scores: dict[str, VideoScore] = st.session_state.setdefault("scores", {})
    try:
        score_new(scorer, [upload for upload in uploads if upload.file_id not in scores], scores)
    except UnmaskError as error:
        st.error(str(error))
    for upload in uploads:
        if upload.file_id in scores:
            st.html(verdict_card(scores[upload.file_id], scorer.bundle.info.threshold))
    st.caption("A probability, not a proof: read it beside the figures of the model.")


def score_new(scorer: Scorer, uploads: list[UploadedFile], scores: dict[str, VideoScore]) -> None:
    """Scores uploads into `scores`, by file id, under a progress bar."""
    if not uploads:
        return
    bar = st.progress(0.0, "Scoring …")
    with on_disk(uploads) as paths:
        for done, (upload, score) in enumerate(zip(uploads, scorer.score(paths), strict=True), start=1):
            scores[upload.file_id] = score.model_copy(update={"path": upload.name})
            bar.progress(done / len(uploads), f"Scored {done} of {len(uploads)}")
    bar.empty()


def draw_model(scorer: Scorer) -> None:
    """Draws which model answers, and how good it was on test videos."""
    info = scorer.bundle.info
    with st.container(border=True, key="model"):
        st.subheader("The model", anchor=False)
        st.markdown(f"**{info.candidate}**, version `{scorer.model_version}`")
        gate = "passed" if info.gate_passed else "did not pass"
        st.caption(f"It {gate} the gate. A video is called fake from {percent(info.threshold)} on.")
        st.table(reports.metric_rows(info.metrics), border="horizontal", hide_index=True)
        st.caption("In brackets: the bootstrap interval. Computed with " + scorer.provider + ".")


def draw_leaderboard(project: Project) -> None:
    """The candidates of the last run, the gate's verdict and the figures."""
    try:
        documents = reports.read_reports(project)
    except UnmaskError as error:
        st.error(str(error))
        return
    if documents.evaluation is None:
        st.info("No comparison yet: `unmask run` trains the candidates and compares them.")
    if documents.gate is not None:
        draw_gate(documents.gate)
    if documents.evaluation is not None:
        draw_comparison(documents.evaluation)
    draw_figures(documents.figures)


def draw_gate(gate: GateReport) -> None:
    """The gate's verdict and its rules."""
    st.html(
        f'<div class="card {gate.verdict}"><div class="about">{escape(gate.winner)}</div>'
        f'<div class="headline">Gate {gate.verdict}</div><p>{escape(gate.reason)}</p></div>'
    )
    st.table(gate.rows(), border="horizontal", hide_index=True)


def draw_comparison(evaluation: Evaluation) -> None:
    """All candidates, and the winner by method of forgery."""
    st.subheader("Candidates", anchor=False)
    st.table(reports.leaderboard_rows(evaluation), border="horizontal", hide_index=True)
    st.caption("The winner is chosen on validation videos; test videos show people that no candidate saw.")
    if rows := reports.method_display_rows(evaluation):
        st.subheader(f"{evaluation.winner} by method of forgery", anchor=False)
        st.table(rows, border="horizontal", hide_index=True)


def draw_figures(figures: tuple[Path, ...]) -> None:
    """The figures of the report, which carry their own titles; the wide one alone, the others in pairs."""
    wide = [path for path in figures if path.stem == "training_curves"]
    others = [path for path in figures if path not in wide]
    if figures:
        st.subheader("Figures", anchor=False)
    for index in range(0, len(others), 2):
        for column, path in zip(st.columns(2, gap="medium"), others[index : index + 2], strict=False):
            column.image(path, width="stretch")
    for path in wide:
        st.image(path, width="stretch")


if __name__ == "__main__":
    main()
