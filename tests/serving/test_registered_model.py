"""Logs the model with MLflow for real, and loads it back as a user would."""

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

from components.bundle import Bundle
from components.project import Project
from components.scores import FaceScore, VideoScore

ROOT = Path(__file__).parents[2]
FORMS = [
    ["b.mp4", "a.mp4"],
    pd.Series(["b.mp4", "a.mp4"]),
    pd.DataFrame({"path": ["b.mp4", "a.mp4"]}),
    pd.DataFrame({0: ["b.mp4", "a.mp4"]}),
    pd.DataFrame({"path": ["b.mp4", "a.mp4"], "label": [0, 1]}, index=[7, 8]),
]

FACE = FaceScore(
    probability=0.1234567890123, decisive=True, face_share=0.5, box_side=50.5, start=0.2, end=1.9,
    box=(1, 2, 3, 4),
)  # fmt: skip


@pytest.fixture(scope="module")
def code() -> ModuleType:
    from serving import registered_model

    return registered_model


@pytest.fixture(scope="module")
def model(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Any:
    import mlflow

    from components.tracking import registry
    from components.tracking.store import connect

    project = Project(tmp_path_factory.mktemp("project"))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.delenv("MLFLOW_REGISTRY_URI", raising=False)
        connect(project)
        with mlflow.start_run() as run:
            pass
        file, packages = ROOT / "serving/registered_model.py", [ROOT / "components", ROOT / "serving"]
        version = registry.register_bundle(project, bundle, run.info.run_id, file, packages)
        registry.point("champion", version, project)
        yield mlflow.pyfunc.load_model("models:/unmask@champion")


@pytest.mark.parametrize("form", FORMS, ids=["list", "series", "path", "unnamed", "more columns"])
def test_any_form_of_paths_is_answered_in_order(model: Any, code: ModuleType, form: Any) -> None:
    answer = model.predict(form)
    assert list(answer.columns) == list(code.SCORE_COLUMNS)
    assert answer.dtypes.astype(str).to_dict() == code.SCORE_COLUMNS
    assert list(answer["path"]) == ["b.mp4", "a.mp4"]
    assert set(answer["reason"]) == {"no such file"}
    assert answer["probability"].isna().all()
    assert answer["fallback"].isna().all()
    assert set(answer["faces"]) == {"[]"}
    assert [column.name for column in model.metadata.signature.outputs] == list(code.SCORE_COLUMNS)


def test_the_column_named_path_wins(code: ModuleType) -> None:
    frame = pd.DataFrame({"label": [0], "path": ["a.mp4"]})
    assert code.paths_of(frame) == ["a.mp4"]


def test_scores_keep_their_digits(code: ModuleType) -> None:
    score = VideoScore(
        path="a.mp4", verdict="fake", probability=0.1234567890123, status="ok", reason=None,
        frames=8, face_share=1.0, fallback=None, faces=(FACE,), seconds=0.1, model_version="",
    )  # fmt: skip
    (row,) = code.scores_frame([score]).to_dict("records")
    assert row["probability"] == score.probability
    assert json.loads(row["faces"]) == [FACE.model_dump(mode="json")]
    assert pd.isna(row["reason"])
    centred = score.model_copy(update={"fallback": "center", "faces": ()})
    (row,) = code.scores_frame([centred]).to_dict("records")
    assert (row["fallback"], row["faces"]) == ("center", "[]")


def test_no_videos_are_no_rows(code: ModuleType) -> None:
    assert code.scores_frame([]).dtypes.astype(str).to_dict() == code.SCORE_COLUMNS
