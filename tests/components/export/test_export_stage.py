import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch

from components.bundle import open_bundle
from components.errors import BundleError, StageError
from components.export.stage import clips, run
from components.models import load_candidate, normalise
from components.params import Params
from components.project import Project
from components.tables import FACES, write_table


def test_the_bundle_opens_and_holds_what_was_found(
    project: Project, params: Params, capsys: pytest.CaptureFixture[str]
) -> None:
    run(project, params)
    bundle = open_bundle(project.bundle)
    assert (bundle.info.candidate, bundle.info.threshold, bundle.info.gate_passed) == (
        "simple_cnn",
        0.42,
        True,
    )
    assert bundle.info.calibration.slope == 1.5
    assert bundle.info.crop == params.faces
    assert bundle.info.metrics["auc"].high == 0.97
    assert bundle.info.provenance.data is not None
    assert (bundle.detector / "onet.onnx").read_bytes() == b"onet.onnx"
    assert bundle.digest in "".join(capsys.readouterr().out.split())
    assert [path.name for path in project.artifacts.iterdir() if "partial" in path.name] == []


def test_the_bundles_model_says_what_the_candidate_says(exported: Project) -> None:
    pixels = clips(exported, 4)
    model, _ = load_candidate(exported.candidate("simple_cnn"))
    with torch.inference_mode():
        logits = model(normalise(torch.from_numpy(pixels).permute(0, 1, 4, 2, 3))).numpy()
    session = ort.InferenceSession(open_bundle(exported.bundle).model, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"clip": pixels})
    np.testing.assert_allclose(found, logits[:, 1] - logits[:, 0], atol=1e-5)


def test_the_same_winner_is_the_same_bundle_and_replaces_the_old_one(
    exported: Project, params: Params
) -> None:
    digest = open_bundle(exported.bundle).digest
    (exported.bundle / "left over").write_text("x")
    run(exported, params)
    assert open_bundle(exported.bundle).digest == digest
    assert not (exported.bundle / "left over").exists()


def edit(**changes: object) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        content = json.loads((folder / "bundle.json").read_text())
        (folder / "bundle.json").write_text(json.dumps(content | changes))

    return apply


@pytest.mark.parametrize(
    ("tamper", "message"),
    [
        (lambda folder: (folder / "model.onnx").unlink(), "model.onnx is missing"),
        (lambda folder: (folder / "detector" / "pnet.onnx").unlink(), r"pnet\.onnx is missing"),
        (lambda folder: (folder / "bundle.json").write_text("{"), r"bundle\.json"),
        (edit(threshold=1.5), "threshold"),
        (edit(surprise=1), "surprise"),
        (edit(format=99), "bundle format 99"),
        (edit(crop_version=99), "crop version 99"),
    ],
)
def test_a_tampered_bundle_is_refused(
    exported: Project, tamper: Callable[[Path], None], message: str
) -> None:
    tamper(exported.bundle)
    with pytest.raises(BundleError, match=message):
        open_bundle(exported.bundle)


def test_other_weights_are_another_digest(exported: Project) -> None:
    before = open_bundle(exported.bundle).digest
    content = bytearray((exported.bundle / "model.onnx").read_bytes())
    content[-1] ^= 1
    (exported.bundle / "model.onnx").write_bytes(content)
    assert open_bundle(exported.bundle).digest != before


def test_clips_are_spread_over_the_table_and_never_taken_twice(project: Project) -> None:
    assert clips(project, 2).shape == (2, 3, 32, 32, 3)
    assert len(clips(project, 16)) == 4


def no_clips(project: Project) -> None:
    write_table([{"video_id": "v0", "status": "no_face"}], FACES, project.faces)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (no_clips, "no video has a face clip"),
        (lambda project: (project.detector / "rnet.onnx").unlink(), r"rnet\.onnx: not there yet"),
        (lambda project: project.winner.unlink(), r"winner\.json: not there yet"),
        (lambda project: project.gate.unlink(), r"gate\.json: not there yet"),
    ],
)
def test_a_missing_input_is_named_and_leaves_no_bundle(
    project: Project, params: Params, spoil: Callable[[Project], None], message: str
) -> None:
    spoil(project)
    with pytest.raises(StageError, match=message):
        run(project, params)
    assert not project.bundle.exists()


def test_a_candidate_of_other_crops_is_refused(project: Project, params: Params) -> None:
    other = params.model_copy(update={"faces": params.faces.model_copy(update={"size": 64})})
    with pytest.raises(StageError, match=r"trained on crops of 32 px, params\.yaml says 64"):
        run(project, other)
