"""Stage `export`: the winner as ONNX, held against torch on real clips, and packed as a bundle."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from rich.console import Console

from components.bundle import BundleInfo, open_bundle, seen_digest
from components.documents import as_json, read_document
from components.errors import StageError
from components.evaluation.gate import GateReport
from components.evaluation.results import Evaluation
from components.evaluation.winner import Winner
from components.export.detector import portable
from components.export.model_card import model_card
from components.export.onnx import ExportedDetector, to_onnx
from components.export.parity import ClipPixels, check_parity
from components.export.provenance import provenance
from components.faces.store import ClipStore
from components.files import replacing_folder
from components.models import CandidateInfo, load_candidate
from components.params import Params
from components.project import Project
from components.tables import MANIFEST, read_faces, read_table


def run(project: Project, params: Params) -> None:
    """Writes `artifacts/bundle` and prints how close ONNX Runtime came to torch.

    Raises:
        StageError: an earlier stage's output is missing or of other settings, or the parity does not hold.
        BundleError: what was written does not open.
    """
    # All that may be missing is asked for before the export, which takes seconds.
    winner = read_document(Winner, project.winner)
    candidate, about = load_candidate(project.candidate(winner.candidate))
    check_crop(project, params, about)
    info = bundle_info(project, params, winner, about)
    detector = ExportedDetector(candidate).eval()
    evaluation = read_document(Evaluation, project.evaluation)
    card = model_card(info, about, detector.signature(params.faces.size), evaluation, params.export)
    files = text_files(info, card)
    files |= detector_contents(project, params) | {"seen.txt": seen(project)}
    pixels = clips(project, params)

    model = to_onnx(detector, params.faces.sampling.lengths[1], params.faces.size, params.export.opset)
    allowed = params.export.parity_tolerance
    difference = check_parity(detector, model, pixels, allowed)
    digest = write_bundle(project.bundle, files | {"model.onnx": model})

    console = Console(soft_wrap=True)
    console.print(f"{info.candidate}: ONNX Runtime is within {difference:.1e} of torch (allowed {allowed:g})")
    console.print(f"{project.bundle}: {digest}")


def check_crop(project: Project, params: Params, about: CandidateInfo) -> None:
    """Refuses a candidate that was trained on clips of another crop policy.

    Raises:
        StageError: it was.
    """
    if about.crop != params.faces.digest:
        raise StageError(
            f"{project.candidate(about.name)}: trained on clips of crop digest {about.crop}, params.yaml "
            f"makes {params.faces.digest}; run dvc repro"
        )


def clips(project: Project, params: Params) -> list[ClipPixels]:
    """Main faces of videos spread evenly over the faces table, `(T, S, S, 3)` of any `T`.

    The first one also comes at the least and at the greatest length that the policy can yield: serving may
    be asked for a length that no clip here has.

    Raises:
        StageError: no video has a clip, or they are not cut as params.yaml says.
    """
    rows = read_faces(project.faces, params.faces.digest)
    names = [row["clip"] for row in rows if row["status"] == "ok"]
    if not names:
        raise StageError(
            f"{project.faces}: no video has a face clip to check the model with; see its reasons"
        )
    store = ClipStore(project.clips)
    chosen = np.unique(np.linspace(0, len(names) - 1, params.export.parity_clips).round().astype(int))
    chosen_clips = [store.read_crops(names[index], clips=1)[0] for index in chosen]
    extremes = {*params.faces.sampling.lengths} - {len(clip) for clip in chosen_clips}
    return [
        *chosen_clips,
        *(chosen_clips[0][np.arange(length) % len(chosen_clips[0])] for length in sorted(extremes)),
    ]


def bundle_info(project: Project, params: Params, winner: Winner, about: CandidateInfo) -> BundleInfo:
    """`bundle.json`, from what the earlier stages found."""
    return BundleInfo(
        candidate=winner.candidate,
        crop=portable(params.faces),
        limits=params.limits,
        mean=about.mean,
        std=about.std,
        threshold=winner.threshold,
        calibration=winner.calibration,
        metrics=winner.metrics,
        gate_passed=read_document(GateReport, project.gate).passed,
        scores=winner.scores,
        provenance=provenance(project.root, read_table(project.manifest, MANIFEST)),
    )


def text_files(info: BundleInfo, card: str) -> dict[str, bytes]:
    """Returns the files that are written for this bundle, by name."""
    return {
        "bundle.json": as_json(info).encode(),
        "MODEL_CARD.md": card.encode(),
    }


def seen(project: Project) -> bytes:
    """`seen.txt`: the contents that training and validation have looked at."""
    rows = read_table(project.manifest, MANIFEST)
    digests = {seen_digest(row["sha256"]) for row in rows if row["split"] in ("train", "val")}
    return "".join(f"{digest}\n" for digest in sorted(digests)).encode()


def detector_contents(project: Project, params: Params) -> dict[str, bytes]:
    """Returns the detector's files, by their names in the bundle.

    Raises:
        StageError: one of them is missing.
    """
    files = params.faces.detector.files_in(project.detector)
    return {f"detector/{file.name}": file.read_bytes() for file in files}


def write_bundle(bundle: Path, files: Mapping[str, bytes]) -> str:
    """Writes all files beside the bundle's place, opens them, and only then puts them there.

    Returns:
        The bundle's digest.
    """
    with replacing_folder(bundle) as partial:
        for name, content in files.items():
            (partial / name).parent.mkdir(parents=True, exist_ok=True)
            (partial / name).write_bytes(content)
        return open_bundle(partial).digest
