"""What is said about one video: the one schema of score tables, the registered model and the API's examples.

A field that is added here becomes a column of all of them; the scorer gives it its value.
"""

from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import Field

from components.values import Frozen
from components.video.limits import Status
from components.video.picture_files import is_picture_name

Verdict = Literal["fake", "real", "undetermined"]


class FaceScore(Frozen):
    """What is said about one face of a video, as if it were alone in it."""

    probability: float = Field(description="calibrated probability of fake", examples=[0.9731])
    decisive: bool = Field(
        description="whether this face's probability is the video's: it is the highest", examples=[True]
    )
    face_share: float = Field(
        description="share of the frames looked at in which this face was detected", examples=[1.0]
    )
    box_side: float = Field(description="median side of its box, px", examples=[118.0])
    start: float = Field(description="when it is first seen in a frame looked at, seconds", examples=[0.3])
    end: float = Field(description="when it is last seen, seconds", examples=[4.7])
    box: tuple[int, int, int, int] = Field(
        description="where it is at `start`: x1, y1, x2, y2, px", examples=[[301, 120, 419, 241]]
    )


def example(kind: type[Frozen]) -> dict[str, Any]:
    """A document of this kind as JSON has it, made of its fields' examples; a field without one is null."""
    return {name: field.examples[0] if field.examples else None for name, field in kind.model_fields.items()}


class VideoScore(Frozen):
    """What is said about one video."""

    path: str = Field(
        description="the file as it was named by the one who asked, made printable", examples=["clip.mp4"]
    )
    verdict: Verdict = Field(description="undetermined wherever the status is not ok", examples=["fake"])
    probability: float | None = Field(
        description="calibrated probability of fake, of several faces the highest; null where undetermined",
        examples=[0.9731],
    )
    status: Status = Field(
        description="what became of the video; only ok carries a probability", examples=["ok"]
    )
    reason: str | None = Field(description="one line, where the status is not ok")
    frames: int = Field(
        description="different pictures looked at; one alone is weaker evidence", examples=[8]
    )
    face_share: float = Field(
        description="share of those frames that show the most prominent face", examples=[1.0]
    )
    fallback: Literal["center"] | None = Field(
        description="center: no usable face was found, and the middle of the frame was scored in its place"
    )
    faces: tuple[FaceScore, ...] = Field(
        description="the faces that were judged, most prominent first; none where undetermined or fallback",
        examples=[[example(FaceScore)]],
    )
    seconds: float = Field(description="wall clock from opening the video to the verdict", examples=[0.61])
    model_version: str = Field(
        description="version in the registry, or a digest of the bundle's folder", examples=["3"]
    )

    @property
    def note(self) -> str:
        """What a reader has to know beside the verdict, in one line; empty where there is nothing."""
        if self.reason:
            return self.reason
        picture = (
            "a single picture, and the model learnt from videos: weaker evidence" if self.is_picture else ""
        )
        faces = several(len(self.faces))
        if self.fallback:
            faces = "no usable face: the middle of the frame was scored"
        return "; ".join(filter(None, (picture, faces)))

    @property
    def is_picture(self) -> bool:
        """Whether a single picture was scored."""
        return self.frames == 1 and is_picture_name(self.path)

    def row(self) -> dict[str, Any]:
        """A row of `serving.score_table.SCORES`; the file's bytes and modification time are left null."""
        return self.model_dump(mode="json") | {"bytes": None, "mtime_ns": None}


def several(faces: int) -> str:
    """That there was a choice among faces."""
    return f"highest of {faces} faces" if faces > 1 else ""


CellKind = Literal["text", "float", "integer", "boolean"]


class Cell(Frozen):
    """What a field of a score is in a table whose cells hold numbers and text; a list is JSON text there."""

    kind: CellKind
    nullable: bool


def model_columns() -> dict[str, Cell]:
    """The columns in which the registered model answers: all but those of the call itself."""
    return {
        name: _cell(field.annotation)
        for name, field in VideoScore.model_fields.items()
        if name not in ("seconds", "model_version")
    }


def _cell(annotation: Any) -> Cell:
    kinds = {annotation} if get_origin(annotation) is tuple else {annotation, *get_args(annotation)}
    nullable = NoneType in kinds
    names: dict[Any, CellKind] = {float: "float", int: "float" if nullable else "integer", bool: "boolean"}
    # An integer that may be null is a float in pandas, and null is NaN.
    return Cell(kind=next((names[kind] for kind in names if kind in kinds), "text"), nullable=nullable)
