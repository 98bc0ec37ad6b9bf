import json
from pathlib import Path

import pytest
import torch

from components.errors import StageError
from components.models import MEAN, CandidateInfo, load_candidate, save_candidate
from components.models.simple_cnn import SimpleCNN
from components.params.networks import SimpleCnn


@pytest.fixture
def info() -> CandidateInfo:
    return CandidateInfo(
        name="simple_cnn",
        network=SimpleCnn(name="simple_cnn"),
        input_size=None,
        methods=(),
        size=64,
        crop="0123456789ab",
        frames=(4, 4),
        parameters=422_530,
        trainable_parameters=422_530,
        pretrained="random",
        epochs=9,
        best_epoch=6,
        seed=7,
        training="0a1b",
    )


@pytest.fixture
def folder(tmp_path: Path, info: CandidateInfo) -> Path:
    torch.manual_seed(0)
    save_candidate(tmp_path / "new" / "simple_cnn", SimpleCNN(), info)
    return tmp_path / "new" / "simple_cnn"


def test_same_logits_after_a_round_trip(folder: Path, info: CandidateInfo) -> None:
    torch.manual_seed(0)
    model = SimpleCNN().eval()
    loaded, told = load_candidate(folder)
    clips = torch.randn(2, 3, 3, 32, 32)
    assert torch.equal(loaded(clips), model(clips))
    assert told == info
    assert told.mean == MEAN


def test_channels_last_weights_can_be_saved(tmp_path: Path, info: CandidateInfo) -> None:
    model = SimpleCNN().to(memory_format=torch.channels_last)
    save_candidate(tmp_path, model, info)
    loaded, _ = load_candidate(tmp_path)
    first = model.state_dict()["features.1.0.weight"]
    assert not first.is_contiguous()
    assert torch.equal(loaded.state_dict()["features.1.0.weight"], first)


def test_same_candidate_same_bytes(folder: Path, tmp_path: Path, info: CandidateInfo) -> None:
    torch.manual_seed(0)
    save_candidate(tmp_path / "again", SimpleCNN(), info)
    for file in ("weights.safetensors", "candidate.json"):
        assert (tmp_path / "again" / file).read_bytes() == (folder / file).read_bytes()


@pytest.mark.parametrize("name", ["weights.safetensors", "candidate.json"])
def test_missing_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(StageError, match=f"{name}: not there yet"):
        load_candidate(folder)


@pytest.mark.parametrize("name", ["weights.safetensors", "candidate.json"])
def test_broken_file(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"\x00\x01 nonsense")
    with pytest.raises(StageError, match="not a candidate of this version") as caught:
        load_candidate(folder)
    assert "\n" not in str(caught.value)


def test_weights_of_another_network(folder: Path) -> None:
    content = json.loads((folder / "candidate.json").read_text())
    (folder / "candidate.json").write_text(json.dumps(content | {"network": {"name": "resnet18_average"}}))
    with pytest.raises(StageError, match="not a candidate of this version"):
        load_candidate(folder)
