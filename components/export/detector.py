"""The stage `detector`: a folder with the files that the policy's face detector needs."""

import hashlib
import logging
from pathlib import Path

from components.detectors.blaze_face import check_model as check_task_file
from components.detectors.settings import AnyDetector, MediapipePolicy, MtcnnPolicy
from components.errors import StageError
from components.faces.policy import CropPolicy
from components.files import replacing
from components.fingerprint import digest, fingerprint, versions

logger = logging.getLogger(__name__)


def convert(folder: Path, policy: AnyDetector | None = None) -> None:
    """Writes a detector's files; where it has none, an empty folder.

    Args:
        folder: made where it is not there.
        policy: names the detector; MTCNN where it is None.

    Raises:
        StageError: MTCNN's weights, MediaPipe or its model are not there, or that file is no model.
    """
    contents = _contents(policy or MtcnnPolicy())
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        with replacing(folder / name) as partial:
            partial.write_bytes(content)


def check_detector(folder: Path, policy: AnyDetector) -> None:
    """Refuses a user's model file that is another one since the stage `detector` ran.

    DVC cannot see that: a stage depends on what `faces.detector.model` says, not on what lies there. A model
    that is no longer there is no matter, since its copy is.

    Raises:
        StageError: the file and its copy differ.
    """
    if policy.source is None or not policy.source.is_file():
        return
    copy = folder / policy.files[0]
    if copy.is_file() and copy.read_bytes() != policy.source.read_bytes():
        raise StageError(f"{policy.source}: changed since {copy} was made of it; run dvc repro -f detector")


def portable(policy: CropPolicy) -> CropPolicy:
    """The policy as a bundle carries it: a model file of the user's by its name alone, not where it lay."""
    return policy.model_copy(update={"detector": policy.detector.portable})


def ensure_detector(policy: AnyDetector, cache: Path) -> Path:
    """The folder with a detector's files for commands outside a project; written at the first call only.

    Args:
        policy: names the detector.
        cache: may hold the files of other detectors and of other versions too.

    Raises:
        StageError: see `convert`.
    """
    folder = cache / f"{policy.name}-{_digest(policy)}"
    if not folder.is_dir() or not all((folder / name).is_file() for name in policy.files):
        logger.info("%s: writing the face detector's files, once", folder)
        convert(folder, policy)
    return folder


def _contents(policy: AnyDetector) -> dict[str, bytes]:
    if isinstance(policy, MtcnnPolicy):
        from components.export.mtcnn import NETWORKS, network_to_onnx  # noqa: PLC0415  imports torch

        return {name: network_to_onnx(network) for name, network in NETWORKS.items()}
    if policy.source is None:
        return {}
    if isinstance(policy, MediapipePolicy):
        check_task_file(policy)
    return {policy.files[0]: policy.source.read_bytes()}


def _digest(policy: AnyDetector) -> str:
    """Returns twelve hex digits of what decides the files' bytes, without loading torch."""
    if isinstance(policy, MtcnnPolicy):
        return digest([versions(("torch", "facenet-pytorch")), fingerprint("components.export.mtcnn")])
    return hashlib.sha256(b"".join(_contents(policy).values())).hexdigest()[:12]
