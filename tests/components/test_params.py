from pathlib import Path

import pytest

from components.errors import ParamsError
from components.params import load_params

SHIPPED = Path(__file__).parents[2] / "params.yaml"


def test_the_shipped_parameters_are_valid() -> None:
    params = load_params(SHIPPED)
    assert set(params.candidates) == {"simple_cnn", "resnet18_average", "efficientnet_bilstm"}
    assert params.gate.auc == 0.8


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  min_face_share:", "  min_face_shar:", "unknown key 'faces.min_face_shar'"),
        ("  warmup_epochs:", "  warmup_epoch:", "unknown key 'training.warmup_epoch'"),
        ("  auc: 0.80", "  auc: 1.80", "gate.auc = 1.8"),
        ("  auc: 0.80", "  auc: high", "gate.auc = 'high'"),
        ("    optimizer: adamw", "    optimizer: sgd", "candidates.simple_cnn.optimizer = 'sgd'"),
        ("export:", "export: [", "not valid YAML"),
    ],
)
def test_a_mistake_is_named_in_one_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    content = SHIPPED.read_text(encoding="utf-8")
    assert old in content
    file = tmp_path / "params.yaml"
    file.write_text(content.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ParamsError) as caught:
        load_params(file)
    message = str(caught.value)
    assert message.startswith(f"{file}: ")
    assert told in message
    assert "\n" not in message


def test_a_missing_file_says_where_to_run(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match="project folder"):
        load_params(tmp_path / "params.yaml")
