"""A project as it stands before export: a candidate with random weights, four clips, a passed gate."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from components.bundle import Calibration, Histogram, Interval
from components.detectors.settings import DETECTORS
from components.documents import write_document
from components.evaluation.gate import GateReport, Rule
from components.evaluation.results import CandidateResult, Evaluation, SplitCounts
from components.evaluation.winner import Winner
from components.export.onnx import ExportedDetector, to_onnx
from components.faces.clip import Faces
from components.faces.store import ClipStore
from components.models import CandidateInfo, create, save_candidate
from components.params import Params, load_params
from components.project import Project
from components.stages import export as stage
from components.stages.export import run
from components.tables import FACES, MANIFEST, write_table
from components.video.sampling import Even

MakeFaces = Callable[..., Faces]

NAME = "simple_cnn"
"""Small and without timm, so that the tests of the stage are quick."""


@pytest.fixture(scope="session", autouse=True)
def _each_export_once() -> Iterator[None]:
    """The stage gets the graph of the same weights from before: an export takes seconds."""
    made: dict[tuple[object, ...], bytes] = {}

    def once(detector: ExportedDetector, *settings: int) -> bytes:
        key = (*settings, save(detector.state_dict()))
        if key not in made:
            made[key] = to_onnx(detector, *settings)
        return made[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage, "to_onnx", once)
        yield


@pytest.fixture(scope="session")
def params() -> Params:
    whole = load_params(Path(__file__).parents[3] / "params.yaml")
    return whole.model_copy(
        update={"faces": whole.faces.model_copy(update={"size": 32, "sampling": Even(frames=3)})}
    )


@pytest.fixture(scope="session")
def winner() -> Winner:
    return Winner(
        candidate=NAME,
        threshold=0.42,
        calibration=Calibration(slope=1.5, intercept=-0.25),
        metrics={"auc": Interval(value=0.9, low=0.8, high=0.97), "coverage": Interval(value=1.0)},
        scores=Histogram(edges=(0.0, 0.5, 1.0), counts=(3, 4)),
    )


@pytest.fixture(scope="session")
def about(params: Params) -> CandidateInfo:
    return CandidateInfo(
        name=NAME,
        size=params.faces.size,
        crop=params.faces.digest,
        network=params.candidates[NAME].network,
        input_size=None,
        methods=(),
        frames=(2, 2),
        parameters=create(params.candidates[NAME].network).size,
        trainable_parameters=create(params.candidates[NAME].network).trainable_size,
        pretrained="random",
        epochs=1,
        best_epoch=1,
        seed=0,
        training="none",
    )


@pytest.fixture(scope="session")
def evaluation(winner: Winner) -> Evaluation:
    counts = SplitCounts(videos=24, real=12, fake=12, groups=12, unnamed=0, scored=24)
    result = CandidateResult(
        threshold=winner.threshold,
        calibration=winner.calibration,
        calibration_note=None,
        val={"auc": 0.95},
        test={"auc": 0.9},
        methods={"swap": {"auc": 0.87, "auc_low": 0.71, "auc_high": 0.96, "videos": 12}},
    )
    return Evaluation(
        winner=NAME,
        select_by="auc",
        confidence=0.95,
        unusable=0,
        data=dict.fromkeys(("train", "val", "test"), counts),
        candidates={NAME: result},
    )


@pytest.fixture
def project(
    tmp_path: Path,
    params: Params,
    about: CandidateInfo,
    winner: Winner,
    evaluation: Evaluation,
    make_faces: MakeFaces,
) -> Project:
    return build(tmp_path, params, about, winner, evaluation, make_faces)


@pytest.fixture(scope="session")
def exported_once(
    tmp_path_factory: pytest.TempPathFactory,
    params: Params,
    about: CandidateInfo,
    winner: Winner,
    evaluation: Evaluation,
    make_faces: MakeFaces,
) -> Project:
    project = build(tmp_path_factory.mktemp("exported"), params, about, winner, evaluation, make_faces)
    run(project, params)
    return project


@pytest.fixture
def exported(exported_once: Project, tmp_path: Path) -> Project:
    """A copy of a project after export, for one test to spoil."""
    return Project(shutil.copytree(exported_once.root, tmp_path / "exported"))


def build(
    root: Path,
    params: Params,
    about: CandidateInfo,
    winner: Winner,
    evaluation: Evaluation,
    make_faces: MakeFaces,
) -> Project:
    project = Project(root)
    write_tables(project, params, make_faces)
    write_candidate(project, about)
    project.detector.mkdir()
    for name in DETECTORS["mtcnn"].files:
        (project.detector / name).write_bytes(name.encode())
    write_document(winner, project.winner)
    write_document(evaluation, project.evaluation)
    rule = Rule(name="auc", value=0.9, min=0.8, passed=True)
    write_document(GateReport(passed=True, winner=NAME, rules=(rule,)), project.gate)
    return project


def write_tables(project: Project, params: Params, make_faces: MakeFaces) -> None:
    videos = [{"video_id": f"v{index}", "sha256": f"{index:064d}", "label": "real"} for index in range(4)]
    write_table([row | {"split": "test", "status": "ok"} for row in videos], MANIFEST, project.manifest)
    clips = [
        {"video_id": row["video_id"], "status": "ok", "clip": f"{row['video_id']}.npz"} for row in videos
    ]
    faces = [
        row | {"crop_digest": params.faces.digest}
        for row in (*clips, {"video_id": "v9", "status": "no_face"})
    ]
    write_table(faces, FACES, project.faces)
    length = params.faces.sampling.lengths[0]
    for row in clips:
        ClipStore(project.clips).write(row["clip"], make_faces(length, params.faces.size))


def write_candidate(project: Project, about: CandidateInfo) -> None:
    torch.manual_seed(0)
    save_candidate(project.candidate(NAME), create(about.network), about)
