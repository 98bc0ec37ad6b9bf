import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from components.models import load_candidate
from components.params import Params
from components.project import Project
from components.stages.train import run


def test_a_candidate_is_trained_from_genuine_videos_alone(
    made: Path, tmp_path: Path, changed: Callable[..., Params], curves: Any
) -> None:
    shutil.copytree(made / "artifacts", tmp_path / "artifacts")
    project = Project(tmp_path)
    settings = changed(epochs=2, learn_from="genuine", self_blended=1.0, methods=0.5)
    run(project, settings, "simple_cnn")
    model, info = load_candidate(project.candidate("simple_cnn"))
    assert info.methods == ("none", "self-blended")
    assert model.method_head is not None
    assert model.method_head.out_features == 2
    assert len(list(project.decoded.iterdir())) == 4 + 4 + 4  # no forged clip of the training split is read
