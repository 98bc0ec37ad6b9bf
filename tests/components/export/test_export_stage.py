import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch

from components.bundle import open_bundle
from components.detectors.settings import DetectorPolicy, MediapipePolicy, NoDetector
from components.errors import BundleError, StageError
from components.faces.clip import Faces
from components.faces.policy import CropPolicy
from components.faces.store import ClipStore
from components.models import load_candidate, normalise, save_candidate
from components.params import Params
from components.project import Project
from components.stages.export import clips, run
from components.tables import FACES, read_table, write_table
from components.video.sampling import RangeSampling


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


def test_the_bundles_model_says_what_the_candidate_says(exported: Project, params: Params) -> None:
    pixels = np.stack(clips(exported, params))
    model, _ = load_candidate(exported.candidate("simple_cnn"))
    with torch.inference_mode():
        logits = model(normalise(torch.from_numpy(pixels).permute(0, 1, 4, 2, 3))).numpy()
    session = ort.InferenceSession(open_bundle(exported.bundle).model, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"clip": pixels, "mask": np.ones(pixels.shape[:2], dtype=np.bool_)})
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


def with_count(params: Params, count: int) -> Params:
    return params.model_copy(update={"export": params.export.model_copy(update={"parity_clips": count})})


def test_clips_are_spread_over_the_table_and_never_taken_twice(project: Project, params: Params) -> None:
    assert np.stack(clips(project, with_count(params, 2))).shape == (2, 3, 32, 32, 3)
    assert len(clips(project, with_count(params, 16))) == 4


def under(project: Project, params: Params, faces: CropPolicy) -> Params:
    """Let everything have been made with this crop policy."""
    rows = [row | {"crop_digest": faces.digest} for row in read_table(project.faces, FACES)]
    write_table(rows, FACES, project.faces)
    model, about = load_candidate(project.candidate("simple_cnn"))
    changed = about.model_copy(update={"crop": faces.digest})
    save_candidate(project.candidate("simple_cnn"), model, changed)
    return params.model_copy(update={"faces": faces})


def test_clips_of_every_length_that_serving_may_meet_are_checked(
    project: Project, params: Params, make_faces: Callable[..., Faces], monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = params.faces.model_copy(update={"sampling": RangeSampling(policy="range", least=2, most=7)})
    ClipStore(project.clips).write("v1.npz", make_faces(5, 32, shades=(None, 9)))
    changed = under(project, params, policy)
    assert [len(clip) for clip in clips(project, changed)] == [3, 5, 3, 3, 2, 7]
    checked: list[int] = []
    monkeypatch.setattr(
        "components.stages.export.check_parity", lambda *given: checked.extend(map(len, given[2])) or 0.0
    )
    run(project, changed)
    assert sorted(checked) == [2, 3, 3, 3, 5, 7]


@pytest.mark.parametrize(
    ("detector", "files"),
    [
        (NoDetector(name="none"), set()),
        (MediapipePolicy(name="mediapipe", model="face.tflite"), {"face_detector.task"}),
    ],
)
def test_the_bundle_carries_the_files_of_its_detector(
    project: Project, params: Params, detector: DetectorPolicy, files: set[str]
) -> None:
    for name in files:
        (project.detector / name).write_bytes(b"model")
    run(project, under(project, params, params.faces.model_copy(update={"detector": detector})))
    bundle = open_bundle(project.bundle)
    assert {path.name for path in bundle.folder.glob("detector/*")} == files
    card = (bundle.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert ("MTCNN" in card, "lie in `detector/`" in card) == (False, bool(files))


def no_clips(project: Project) -> None:
    rows = [row | {"status": "no_face"} for row in read_table(project.faces, FACES)]
    write_table(rows, FACES, project.faces)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (no_clips, "no video has a face clip"),
        (lambda project: (project.detector / "rnet.onnx").unlink(), r"rnet\.onnx: not there; make it"),
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


def test_a_candidate_of_other_clips_is_refused(project: Project, params: Params) -> None:
    wider = params.faces.model_copy(update={"margin": 0.5})
    other = params.model_copy(update={"faces": wider})
    told = f"trained on clips of crop digest {params.faces.digest}, params.yaml makes {wider.digest}"
    with pytest.raises(StageError, match=told):
        run(project, other)


def test_clips_of_another_policy_are_refused(project: Project, params: Params) -> None:
    under(project, params, params.faces.model_copy(update={"margin": 0.5}))
    model, about = load_candidate(project.candidate("simple_cnn"))
    save_candidate(
        project.candidate("simple_cnn"), model, about.model_copy(update={"crop": params.faces.digest})
    )
    with pytest.raises(StageError, match=r"faces\.parquet: of crop digest"):
        run(project, params)
    assert not project.bundle.exists()
