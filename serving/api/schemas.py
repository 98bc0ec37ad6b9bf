"""What the API answers with, besides `components.scores.VideoScore`."""

from typing import Any, Literal

from components.bundle import Interval, Provenance
from components.scores import FaceScore, VideoScore, example
from components.values import Frozen
from serving.scorer import Scorer


class Live(Frozen):
    """The process answers."""

    status: Literal["live"] = "live"


class Ready(Frozen):
    """A model is loaded."""

    status: Literal["ready"] = "ready"
    model_version: str


class Model(Frozen):
    """The model that scores, and how good it was on test videos."""

    version: str
    candidate: str
    threshold: float
    labels: tuple[str, str]
    metrics: dict[str, Interval]
    gate_passed: bool
    crop_digest: str
    provenance: Provenance
    provider: str


class Problem(Frozen):
    """Why a request got no answer."""

    detail: str


def describe_model(scorer: Scorer) -> Model:
    """Returns what `GET /v1/model` says of an opened bundle."""
    info = scorer.bundle.info
    return Model(
        version=scorer.model_version,
        candidate=info.candidate,
        threshold=info.threshold,
        labels=info.labels,
        metrics=info.metrics,
        gate_passed=info.gate_passed,
        crop_digest=info.crop.digest,
        provenance=info.provenance,
        provider=scorer.provider,
    )


def problem(description: str, example: str) -> dict[str, Any]:
    """Returns an OpenAPI response that carries a `Problem`."""
    content = {"application/json": {"example": {"detail": example}}}
    return {"model": Problem, "description": description, "content": content}


_SCORED = example(VideoScore)
_FACE = example(FaceScore)
_BYSTANDER = _FACE | {
    "probability": 0.0412, "decisive": False, "face_share": 0.625, "box_side": 54.5,
    "start": 1.5, "end": 4.1, "box": [560, 141, 614, 197],
}  # fmt: skip
_SEVERAL = _SCORED | {"path": "interview.mp4", "faces": [_FACE, _BYSTANDER]}
_FALLBACK = _SCORED | {
    "path": "sky.mp4", "verdict": "real", "probability": 0.2264, "face_share": 0.0, "fallback": "center",
    "faces": [],
}  # fmt: skip
_UNDETERMINED = _SCORED | {
    "path": "sky.mp4", "verdict": "undetermined", "probability": None, "status": "no_face",
    "reason": "a face in 0 of 8 frames", "face_share": 0.0, "faces": [], "seconds": 0.42,
}  # fmt: skip

SCORE_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The verdict. A video without one is an answer too: its status says why.",
        "content": {
            "application/json": {
                "examples": {
                    "scored": {"summary": "A verdict", "value": _SCORED},
                    "several": {
                        "summary": "Several faces, under a model that scores each; the highest decides",
                        "value": _SEVERAL,
                    },
                    "fallback": {
                        "summary": "No face, under a model that then scores the middle of the frame",
                        "value": _FALLBACK,
                    },
                    "undetermined": {"summary": "No face in the video", "value": _UNDETERMINED},
                }
            }
        },
    },
    400: problem("The body is not a form that can be read", "Missing boundary in multipart."),
    408: problem("The upload stalled", "no byte of the upload for 30 s"),
    413: problem("The upload is larger than this server takes", "larger than 536870912 bytes"),
    422: problem("The form has no file", "body.file: Field required"),
    503: problem("Loading or busy; try again after `Retry-After` seconds", "busy; try again later"),
}
