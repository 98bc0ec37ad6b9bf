from pathlib import Path
from typing import Any

import pytest

from components.errors import ParamsError, TrainingError
from components.params import Params
from components.params.networks import FrameNetwork, SimpleCnn
from components.project import Project
from components.training.check import run


def frame(**told: Any) -> FrameNetwork:
    return FrameNetwork(name="resnet50_frame", **told)


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        (
            {"network": frame(backbone="resnet51")},
            ParamsError,
            "no such network",
        ),
        (
            {"network": frame(pretrained="bundled")},
            ParamsError,
            "bundled: none for",
        ),
        ({"precision": "fp16"}, TrainingError, "precision fp16 needs a GPU"),
    ],
)
def test_what_is_wrong_with_a_candidate_is_told_before_any_video_is_looked_at(
    params: Params,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, Any],
    error: type[Exception],
    told: str,
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    candidate = params.candidates["simple_cnn"].model_copy(update=change)
    with pytest.raises(error, match=told) as caught:
        run(Project(tmp_path), params.model_copy(update={"candidates": {"mine": candidate}}))
    if error is ParamsError:
        assert str(caught.value).startswith(f"{tmp_path / 'params.yaml'}: candidates.mine: ")


def test_what_can_be_made_passes_and_leaves_nothing(params: Params, tmp_path: Path) -> None:
    candidate = params.candidates["simple_cnn"].model_copy(update={"network": SimpleCnn(name="simple_cnn")})
    run(Project(tmp_path), params.model_copy(update={"candidates": {"mine": candidate}}))
    assert not list(tmp_path.iterdir())
