from typing import Any

import pytest

from components.scores import VideoScore
from serving.dashboard.verdict_card import explanation, facts, percent, probability_gauge, verdict_card

OK: dict[str, Any] = {
    "path": "clip.mp4", "verdict": "fake", "probability": 0.75, "status": "ok", "reason": None,
    "frames": 8, "face_share": 0.875, "fallback": None, "faces": (), "seconds": 1.26, "model_version": "3",
}  # fmt: skip
FACE: dict[str, Any] = {
    "probability": 0.75, "decisive": True, "face_share": 0.875, "box_side": 100.0, "start": 0.25, "end": 4.0,
    "box": (100, 50, 200, 150),
}  # fmt: skip
BYSTANDER = FACE | {"probability": 0.0004, "decisive": False, "start": 1.5, "box": (300, 60, 340, 100)}
NO_FACE = OK | {
    "verdict": "undetermined", "probability": None, "status": "no_face", "face_share": 0.0,
    "reason": "no face in any of 8 frames",
}  # fmt: skip


def score(**changes: Any) -> VideoScore:
    return VideoScore(**(OK | changes))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "The probability that the face is a forgery, 75.0%, reaches the threshold of 50.0%."),
        (
            {"verdict": "real", "probability": 0.12},
            "The probability that the face is a forgery, 12.0%, stays below the threshold of 50.0%.",
        ),
        (
            {"faces": (FACE, BYSTANDER)},
            "The probability that the most suspicious of 2 faces is a forgery, 75.0%, "
            "reaches the threshold of 50.0%.",
        ),
        (
            {"fallback": "center"},
            "The probability that the picture is a forgery, 75.0%, reaches the threshold of 50.0%.",
        ),
        (
            NO_FACE,
            "No face could be followed through this video, so there is nothing to score. "
            "Reported: no face in any of 8 frames. No probability is given.",
        ),
        (
            NO_FACE | {"status": "undecodable", "reason": None},
            "This file could not be read as a video, or as a picture. No probability is given.",
        ),
    ],
)
def test_a_person_is_told_why(changes: dict[str, Any], told: str) -> None:
    assert explanation(score(**changes), 0.5) == told


def test_facts_of_a_scored_video() -> None:
    assert facts(score(), 0.5) == {
        "Probability of fake": "75.0%",
        "Threshold": "50.0%",
        "Status": "OK",
        "Face visible in": "88% of 8 frames",
        "Time": "1.3 s",
    }


def test_facts_of_a_video_that_could_not_be_opened() -> None:
    found = facts(score(**NO_FACE | {"status": "undecodable", "frames": 0}), 0.5)
    assert found["Probability of fake"] == "none"
    assert found["Status"] == "Not decodable"
    assert found["Face visible in"] == "no frames seen"


def test_a_scored_video_shows_its_probability_on_the_gauge() -> None:
    card = verdict_card(score(), 0.5)
    assert '<div class="card fake">' in card
    assert probability_gauge(0.75, 0.5) in card
    assert "width:75.0%" in card
    assert "left:50.0%" in card


def test_an_undetermined_video_shows_nothing_like_a_score() -> None:
    card = verdict_card(score(**NO_FACE), 0.5)
    assert '<div class="card undetermined">' in card
    assert "gauge" not in card


def test_each_of_several_faces_is_told() -> None:
    card = verdict_card(score(faces=(FACE, BYSTANDER)), 0.5)
    assert card.count("<tr") == 3
    for cell in (
        "1, at 150, 100 px",
        "0.2 – 4.0 s",
        "88%",
        "75.0%, decides",
        "2, at 320, 80 px",
        "&lt; 0.1%",
    ):
        assert f"<td>{cell}</td>" in card
    assert card.index('<tr class="decisive">') < card.index("150, 100") < card.index("320, 80")


@pytest.mark.parametrize("faces", [(), (FACE,)])
def test_one_face_needs_no_table(faces: tuple[Any, ...]) -> None:
    assert "<table" not in verdict_card(score(faces=faces), 0.5)


@pytest.mark.parametrize("fallback", [None, "center"])
def test_what_was_scored_without_a_face_carries_a_warning(fallback: str | None) -> None:
    card = verdict_card(score(fallback=fallback), 0.5)
    assert ('class="warning">No usable face was found.' in card) == bool(fallback)


def test_a_single_picture_carries_a_warning() -> None:
    card = verdict_card(score(path="a.png", frames=1, face_share=1.0), 0.5)
    assert '<p class="warning">This is a single picture' in card
    assert "100% of 1 frame<" in card
    assert "single picture" not in verdict_card(score(frames=1), 0.5)


def test_names_and_reasons_are_text() -> None:
    card = verdict_card(score(**NO_FACE | {"path": "<script>.mp4", "reason": "<b>&"}), 0.5)
    assert "&lt;script&gt;.mp4" in card
    assert "&lt;b&gt;&amp;" in card


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0.0, "0.0%"),
        (0.0004, "< 0.1%"),
        (0.5, "50.0%"),
        (0.3322, "33.2%"),
        (0.9999, "> 99.9%"),
        (1.0, "100.0%"),
    ],
)
def test_rounding_never_claims_certainty(share: float, shown: str) -> None:
    assert percent(share) == shown
