"""What a bundle holds: written by export, registered by tracking, opened by serving. Knows no torch.

A bundle is a folder:

    bundle.json        `BundleInfo`
    model.onnx         clip uint8 (B, T, H, W, 3) RGB → logit float32 (B,), fake minus real; some also
                       take mask bool (B, T), true where a frame is one, or tell attention float32 (B, T)
    detector/          what finds faces, to cut the crops that training saw: `FILES`
    MODEL_CARD.md      for people
    seen.txt           what it was trained and settled on, so that no comparison is held on those videos
"""

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, ValidationError

from components.detectors.settings import DETECTORS
from components.errors import BundleError
from components.faces.policy import CROP_VERSION, CropPolicy
from components.values import Frozen
from components.video.limits import Limits

FORMAT = 1
OWN_FILES = ("bundle.json", "model.onnx", "MODEL_CARD.md", "seen.txt")
"""Of every bundle; its detector's files stand beside them."""

EXPORT = "export it again with dvc repro"
OTHER_VERSION = "train again, or score with the version of unmask that made it"


class Interval(Frozen):
    """A figure with its bootstrap interval; `low` and `high` are None where none was drawn."""

    value: float
    low: float | None = None
    high: float | None = None


class Calibration(Frozen):
    """Platt scaling (Platt, 1999): probability of fake = sigmoid(slope · logit + intercept)."""

    slope: float = 1.0
    intercept: float = 0.0

    def probability(self, logit: float) -> float:
        """Returns the calibrated probability of fake for one uncalibrated logit."""
        z = self.slope * logit + self.intercept
        return 1.0 / (1.0 + math.exp(-z)) if z >= 0 else math.exp(z) / (1.0 + math.exp(z))


class Histogram(Frozen):
    """Scores on test videos, as a reference for drift: `len(edges) == len(counts) + 1`."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


class Provenance(Frozen):
    """What the model was made of. A digest is None where its source was not there."""

    data: str | None = Field(description="SHA-256 over the videos' content hashes and labels")
    split: str | None = Field(description="SHA-256 over (content hash, split)")
    code: str | None = Field(description="git commit, with +dirty where the tree had changes")
    lock: str | None = Field(description="SHA-256 over dvc.lock's stages before export")


class BundleInfo(Frozen):
    """`bundle.json`."""

    format: int = FORMAT
    candidate: str
    labels: tuple[str, str] = ("real", "fake")
    crop: CropPolicy
    crop_version: int = CROP_VERSION
    limits: Limits
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    threshold: float = Field(ge=0.0, le=1.0, description="calibrated probability from which a video is fake")
    calibration: Calibration
    metrics: dict[str, Interval]
    gate_passed: bool
    scores: Histogram
    provenance: Provenance


@dataclass(frozen=True)
class Bundle:
    """An opened bundle."""

    folder: Path
    info: BundleInfo

    @property
    def model(self) -> Path:
        return self.folder / "model.onnx"

    @property
    def detector(self) -> Path:
        return self.folder / "detector"

    @property
    def digest(self) -> str:
        """SHA-256 over all files: the same digest is the same model version."""
        return digest_of(self.folder)

    @property
    def seen(self) -> frozenset[str]:
        """Content digests of the videos it was trained and settled on, as `seen_digest` makes them."""
        return frozenset((self.folder / "seen.txt").read_text(encoding="utf-8").split())


def seen_digest(sha256: str) -> str:
    """Returns how a video's content stands in `seen.txt`: enough digits to tell millions apart."""
    return sha256[:16]


def bundle_files(detector: str) -> tuple[str, ...]:
    """The files of a bundle with this detector, relative to its folder, in the order of its digest."""
    return (*OWN_FILES, *(f"detector/{name}" for name in DETECTORS[detector].files))


def digest_of(folder: Path) -> str:
    """Returns the SHA-256 over a bundle's files, whatever version of unmask made them.

    Raises:
        OSError: a file is missing or cannot be read.
    """
    whole = hashlib.sha256()
    for name in bundle_files(_detector_of(folder)):
        content = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        whole.update(f"{name}\0{content}\n".encode())
    return whole.hexdigest()


def _detector_of(folder: Path) -> str:
    """The name of a bundle's detector: MTCNN where it names none, as the first bundles did, or none known."""
    try:
        named = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))["crop"]["detector"]["name"]
    except (ValueError, KeyError, TypeError):
        return "mtcnn"
    return named if isinstance(named, str) and named in DETECTORS else "mtcnn"


def open_bundle(folder: Path) -> Bundle:
    """Opens a bundle and checks that this code can use it.

    Raises:
        BundleError: a file is missing, `bundle.json` is not readable, or the bundle's format, crop version or
            crop policy is not one that this code implements.
    """
    file = folder / "bundle.json"
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BundleError(
            f"{folder}: not a bundle, bundle.json is missing or unreadable; {EXPORT}"
        ) from error
    # Before anything else is looked at: other versions have other keys, which say nothing to a user.
    _check_versions(folder, text)
    try:
        info = BundleInfo.model_validate_json(text)
    except ValidationError as error:
        raise BundleError(f"{file}: {_first_fault(error)}") from error
    for name in bundle_files(info.crop.detector.name):
        if not (folder / name).is_file():
            raise BundleError(f"{folder}: not a bundle, {name} is missing; {EXPORT}")
    return Bundle(folder, info)


def _check_versions(folder: Path, text: str) -> None:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise BundleError(f"{folder / 'bundle.json'}: not JSON ({error}); {EXPORT}") from error
    versions = content if isinstance(content, dict) else {}
    made, cut = versions.get("format", FORMAT), versions.get("crop_version", CROP_VERSION)
    if made != FORMAT:
        raise BundleError(f"{folder}: bundle format {made}, this version reads {FORMAT}; {OTHER_VERSION}")
    if cut != CROP_VERSION:
        raise BundleError(
            f"{folder}: made with crop version {cut}, this code cuts version {CROP_VERSION}; {OTHER_VERSION}"
        )


def _first_fault(error: ValidationError) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    remedy = (
        f"this code has no such crop policy; {OTHER_VERSION}" if first["loc"][:1] == ("crop",) else EXPORT
    )
    return f"{key}: {first['msg']}; {remedy}"
