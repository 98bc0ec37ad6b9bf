"""The face detectors that there are: what params.yaml may say of each, and what each is made of.

The code of a detector loads libraries; what stands here loads none, so that parameters are read at once.
"""

from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self, get_args

from pydantic import Field

from components.errors import StageError
from components.values import Frozen, Share

PROVIDER_VARIABLE = "UNMASK_DETECTOR_PROVIDER"
"""Where a worker's detector computes: cpu (unless set), cuda or auto."""


class DetectorSettings(Frozen):
    """What params.yaml says of a detector; its class says what the detector is.

    Attributes:
        title: for people.
        files: that the stage `detector` writes and a bundle carries.
        libraries: distributions whose version decides what is found.
        requirements: distributions that serving needs beside those that it needs anyway.
        looks: whether faces are looked for; if not, the whole frame is the face.
        on_devices: whether it can compute on a GPU.
    """

    title: ClassVar[str]
    files: ClassVar[tuple[str, ...]] = ()
    libraries: ClassVar[tuple[str, ...]] = ()
    requirements: ClassVar[tuple[str, ...]] = ()
    looks: ClassVar[bool] = True
    on_devices: ClassVar[bool] = False

    def files_in(self, folder: Path) -> list[Path]:
        """Returns the detector's files in a folder.

        Raises:
            StageError: one of them is not there.
        """
        files = [folder / name for name in self.files]
        for file in files:
            if not file.is_file():
                raise StageError(f"{file}: not there; make it with dvc repro detector")
        return files

    @property
    def source(self) -> Path | None:
        """The file of the user's of which the stage `detector` makes a copy."""
        return None

    @property
    def portable(self) -> Self:
        """The settings as a bundle carries them: the user's file by its name alone, not where it lay."""
        return self


class MtcnnPolicy(DetectorSettings):
    """MTCNN's settings (Zhang et al., 2016, https://arxiv.org/abs/1604.02878)."""

    title = "MTCNN"
    files = ("pnet.onnx", "rnet.onnx", "onet.onnx")
    libraries = ("onnxruntime-gpu", "onnxruntime")
    on_devices = True

    name: Literal["mtcnn"] = "mtcnn"
    min_face: int = Field(24, ge=12, description="smallest face, px at detection size")
    longest_side: int = Field(640, ge=64, description="frames are shrunk to this before detection, px")
    retry: bool = Field(
        True, description="search at full size, and without a strong colour cast, where nothing was found"
    )
    thresholds: tuple[Share, Share, Share] = (0.7, 0.7, 0.7)
    factor: float = Field(0.709, gt=0.1, lt=1.0, description="scale step of the image pyramid")


class MediapipePolicy(DetectorSettings):
    """MediaPipe's face detector (BlazeFace, https://arxiv.org/abs/1907.05047)."""

    title = "MediaPipe's BlazeFace"
    files = ("face_detector.task",)
    libraries = ("mediapipe",)
    requirements = ("mediapipe",)

    name: Literal["mediapipe"]
    model: str = Field(description="the task file, e.g. blaze_face_short_range.tflite")
    confidence: Share = Field(0.5, description="of a face, at least")

    @property
    def source(self) -> Path:
        """The task file."""
        return Path(self.model)

    @property
    def portable(self) -> Self:
        """Returns the settings with the task file's name alone."""
        return self.model_copy(update={"model": self.source.name})


class NoDetector(DetectorSettings):
    """Nothing is detected: the whole frame is the face."""

    title = "nothing"
    looks = False

    name: Literal["none"]


AnyDetector = MtcnnPolicy | MediapipePolicy | NoDetector
DetectorPolicy = Annotated[AnyDetector, Field(discriminator="name")]
"""What finds faces."""

DETECTORS: dict[str, type[DetectorSettings]] = {
    get_args(kind.model_fields["name"].annotation)[0]: kind for kind in get_args(AnyDetector)
}
"""By the name that params.yaml gives them."""
