import csv
import json
from html.parser import HTMLParser

import pytest

from components.documents import read_document
from components.evaluation.results import Evaluation
from components.params import Bounds, Params
from components.project import Project
from components.stages.evaluate import run
from components.stages.gate import run as run_gate
from components.tables import FACES, MANIFEST, read_table, write_table


class Page(HTMLParser):
    """Collects text and the addresses that a browser would load."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.text, self.loaded = "", []
        self.feed(content)

    def handle_starttag(self, tag, attrs) -> None:
        self.loaded += [value for key, value in attrs if key in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def evaluated(project: Project, params: Params) -> Project:
    run(project, params)
    return project


def page_of(project: Project, params: Params, **rules: Bounds) -> Page:
    run_gate(project, params.model_copy(update={"gate": params.gate | rules}))
    return Page((project.reports / "report.html").read_text(encoding="utf-8"))


def test_needs_nothing_from_outside(drawn: None, evaluated: Project, params: Params) -> None:
    page = page_of(evaluated, params)
    assert len(page.loaded) == 7
    assert all(address.startswith("data:image/png;base64,") for address in page.loaded)


def test_says_what_was_decided_and_why(evaluated: Project, params: Params) -> None:
    assert "It may be registered" in page_of(evaluated, params).text
    failed = page_of(evaluated, params, coverage=Bounds(min=1.0), log_loss=Bounds(max=0.1)).text
    told = (
        "not registered: on test videos Coverage 0.958 (required ≥ 1.000), Log loss 0.186 (required ≤ 0.100)."
    )
    assert told in " ".join(failed.split())
    for word in (*params.candidates, "selfblend", "swap", "flicker", "Groups of people"):
        assert word in failed


def test_says_that_no_person_stands_in_two_splits_where_all_are_named(
    evaluated: Project, params: Params
) -> None:
    assert "No person stands in two splits. 1 further video" in page_of(evaluated, params).text


def test_claims_nothing_about_people_whom_nobody_named(project: Project, params: Params) -> None:
    rows = read_table(project.manifest, MANIFEST)
    unnamed = [row | {"identities": [f"unnamed:{row['group']}"]} for row in rows[:7]]
    write_table([*unnamed, *rows[7:]], MANIFEST, project.manifest)
    run(project, params)
    text = page_of(project, params).text
    assert "7 of 60 videos name nobody: for them splits are disjoint by file and content only." in text
    assert "No person" not in text


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (0, []),
        (1, ["in 1 test video, and the middle of the frame was taken: real/p018. Coverage"]),
        (22, ["in 22 test videos, ", "real/p026 and 2 more, which reports/evaluation.json names. Coverage"]),
    ],
)
def test_names_the_videos_that_were_scored_without_a_face(
    project: Project, params: Params, count: int, told: list[str]
) -> None:
    rows = read_table(project.faces, FACES)
    scored = [row for row in rows if row["status"] == "ok" and row["video_id"][-3:] >= "018"]  # of test
    chosen = sorted(scored, key=lambda row: (row["video_id"][-3:], row["video_id"][0] == "f"))[:count]
    write_table(
        [row | {"fallback": "center"} if row in chosen else row for row in rows], FACES, project.faces
    )
    run(project, params)
    text = " ".join(page_of(project, params).text.split())
    assert ("Scored without one" in text) == ("No usable face was found" in text) == bool(told)
    for line in told:
        assert line in text


def test_tells_errors_by_what_recordings_are_like(evaluated: Project, params: Params) -> None:
    text = " ".join(page_of(evaluated, params).text.split())
    for line in (
        "Colourfulness of the face",
        "33 to 45",
        "0.4 to 0.6",
        "96 to 192",
        "0.1 to 0.3",
        "240 to 480",
    ):
        assert line in text
    assert "of 11: 0." in text  # genuine ones called fake, with their rate: one of twelve shows no face


def test_tells_what_trainings_have_written_down(project: Project, params: Params) -> None:
    for place, name in enumerate(params.candidates):
        content = {"best_epoch": 3, "parameters": 1_234_567 + place, "trainable_parameters": 1000}
        (project.candidate(name) / "candidate.json").write_text(json.dumps(content))
    history = project.history("simple_cnn")
    lines = history.read_text().splitlines()
    added = ["train_accuracy,val_accuracy", *[f"{0.4 + epoch / 10:.3f},0.6" for epoch in range(1, 9)]]
    history.write_text("\n".join(map(",".join, zip(lines, added, strict=True))))
    run(project, params)
    best = read_document(Evaluation, project.evaluation).candidates["simple_cnn"].trained
    assert best == {
        "parameters": 1_234_567,
        "trainable_parameters": 1000,
        "train_accuracy": 0.7,
        "accuracy_gap": pytest.approx(0.1),
    }
    with (project.reports / "leaderboard.csv").open(newline="") as file:
        board = {row["candidate"]: row for row in csv.DictReader(file)}
    assert board["simple_cnn"]["accuracy_gap"] == "0.1"
    assert board["resnet18_average"]["parameters"] == "1234568"
    assert board["resnet18_average"]["accuracy_gap"] == ""
    text = page_of(project, params).text
    assert "1\N{NO-BREAK SPACE}234\N{NO-BREAK SPACE}567" in text
    assert "Gap to validation" in text


def test_stands_without_figures(evaluated: Project, params: Params) -> None:
    page = page_of(evaluated, params)
    assert page.loaded == []
    assert "Gate" in page.text


def test_names_from_the_data_are_escaped(evaluated: Project, params: Params) -> None:
    content = evaluated.evaluation.read_text()
    evaluated.evaluation.write_text(content.replace('"swap"', '"<script>alert(1)</script>"'))
    page_of(evaluated, params)
    assert "<script>" not in (evaluated.reports / "report.html").read_text()
