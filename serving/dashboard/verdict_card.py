"""What the page says of one video, as HTML: pure functions of a score."""

from html import escape

from components.scores import FaceScore, VideoScore
from components.video.limits import Status

WHY = {
    "no_face": "No face could be followed through this video, so there is nothing to score.",
    "undecodable": "This file could not be read as a video, or as a picture.",
    "too_short": "This video shows too few different pictures to score.",
    "too_large": "This video is larger or longer than what is accepted.",
}
"""In a person's words, by status; the score's own reason follows."""

FALLBACK = (
    "No usable face was found. The middle of the frame was scored instead, for which this detector is not "
    "made: trust this number less."
)

PICTURE = (
    "This is a single picture. The detector learnt from videos, of which several frames tell more than one: "
    "trust this number less."
)

STATUSES: dict[Status, str] = {
    "ok": "OK",
    "no_face": "No face",
    "undecodable": "Not decodable",
    "too_short": "Too short",
    "too_large": "Too large",
}


def verdict_card(score: VideoScore, threshold: float) -> str:
    """A card with the verdict, what it rests on, and nothing that looks like a score where there is none."""
    gauge = "" if score.probability is None else probability_gauge(score.probability, threshold)
    return (
        f'<div class="card {score.verdict}"><div class="about">{escape(score.path)}</div>'
        f'<div class="headline">{score.verdict.capitalize()}</div>'
        f"<p>{escape(explanation(score, threshold))}</p>{warning(score)}{gauge}"
        f"{facts_list(facts(score, threshold))}{face_table(score)}</div>"
    )


def explanation(score: VideoScore, threshold: float) -> str:
    """Returns why the verdict is what it is, in one or two sentences."""
    if score.probability is None:
        reason = f" Reported: {score.reason}." if score.reason else ""
        return f"{WHY.get(score.status, 'This video got no score.')}{reason} No probability is given."
    relation = "reaches" if score.verdict == "fake" else "stays below"
    what = f"the most suspicious of {len(score.faces)} faces" if len(score.faces) > 1 else "the face"
    return (
        f"The probability that {'the picture' if score.fallback else what} is a forgery, "
        f"{percent(score.probability)}, {relation} the threshold of {percent(threshold)}."
    )


def warning(score: VideoScore) -> str:
    """Warns that no face was scored, or only a picture, where that is so; else returns nothing."""
    warnings = (PICTURE if score.is_picture else "", FALLBACK if score.fallback else "")
    return "".join(f'<p class="warning">{escape(text)}</p>' for text in filter(None, warnings))


def face_table(score: VideoScore) -> str:
    """Returns a row for each face, where there are several."""
    if len(score.faces) < 2:
        return ""
    head = "".join(
        f"<th>{title}</th>" for title in ("Face", "Seen", "Share of frames", "Probability of fake")
    )
    rows = "".join(face_row(number, face) for number, face in enumerate(score.faces, start=1))
    return f'<table class="faces"><tr>{head}</tr>{rows}</table>'


def face_row(number: int, face: FaceScore) -> str:
    """Returns one face: where it is to be found, and what is said about it."""
    x, y = (face.box[0] + face.box[2]) // 2, (face.box[1] + face.box[3]) // 2
    cells = (
        f"{number}, at {x}, {y} px",
        f"{face.start:.1f} – {face.end:.1f} s",
        f"{face.face_share:.0%}",
        f"{percent(face.probability)}{', decides' if face.decisive else ''}",
    )
    kind = ' class="decisive"' if face.decisive else ""
    return f"<tr{kind}>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def facts(score: VideoScore, threshold: float) -> dict[str, str]:
    """Returns the figures under a verdict, as they are shown."""
    frames = "1 frame" if score.frames == 1 else f"{score.frames} frames"
    share = f"{score.face_share:.0%} of {frames}" if score.frames else "no frames seen"
    return {
        "Probability of fake": "none" if score.probability is None else percent(score.probability),
        "Threshold": percent(threshold),
        "Status": STATUSES[score.status],
        "Face visible in": share,
        "Time": f"{score.seconds:.1f} s",
    }


def facts_list(named: dict[str, str]) -> str:
    """Returns names and values side by side."""
    pairs = (f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in named.items())
    return f"<dl>{''.join(pairs)}</dl>"


def probability_gauge(probability: float, threshold: float) -> str:
    """Returns a bar from 0 to 1 that is filled to the probability, with a mark at the threshold."""
    return (
        f'<div class="gauge"><div class="filled" style="width:{probability:.1%}"></div>'
        f'<div class="threshold" style="left:{threshold:.1%}"><span>threshold</span></div></div>'
    )


def percent(share: float) -> str:
    """Returns one decimal; certainty is never claimed by rounding."""
    if 0.0 < share < 0.001:
        return "< 0.1%"
    if 0.999 < share < 1.0:
        return "> 99.9%"
    return f"{share:.1%}"
