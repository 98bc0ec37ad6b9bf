from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from components.export.onnx import ExportedDetector, to_onnx
from components.models import CandidateInfo, load_candidate, save_candidate
from components.models.base import Candidate
from components.models.ensemble import Ensemble
from components.models.simple_cnn import SimpleCNN
from components.params.networks import EnsembleNetwork, SimpleCnn


@pytest.fixture
def members() -> list[Candidate]:
    torch.manual_seed(0)
    first, second = SimpleCNN().eval(), SimpleCNN().eval()
    second.mean, second.input_size = (0.5, 0.5, 0.5), 16
    return [first, second]


@pytest.fixture
def clips() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 255, (3, 4, 3, 32, 32), dtype=np.uint8))


def margins(model: Candidate, clips: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
    logits = model(model.prepare(clips), mask)
    return logits[:, 1] - logits[:, 0]


def test_the_weighted_sum_of_margins_each_of_its_own_view(
    members: list[Candidate], clips: torch.Tensor
) -> None:
    whole = Ensemble(members, [0.25, 2.0], -1.0).eval()
    expected = 0.25 * margins(members[0], clips) + 2 * margins(members[1], clips) - 1
    torch.testing.assert_close(margins(whole, clips), expected)


def test_what_fills_a_clip_up_does_not_count(members: list[Candidate], clips: torch.Tensor) -> None:
    whole = Ensemble(members, [1.0, 1.0], 0.0).eval()
    mask = torch.arange(4) < torch.tensor([[3], [4], [2]])
    alone = [margins(whole, clip[None, : int(one.sum())]) for clip, one in zip(clips, mask, strict=True)]
    torch.testing.assert_close(margins(whole, clips, mask), torch.cat(alone))
    members[1].takes_mask = False
    assert not Ensemble(members, [1.0, 1.0], 0.0).takes_mask


def test_one_onnx_graph(members: list[Candidate], clips: torch.Tensor) -> None:
    members[1].takes_mask = False
    whole = Ensemble(members, [0.5, 1.5], 0.25).eval()
    session = onnxruntime.InferenceSession(to_onnx(ExportedDetector(whole).eval(), 4, 32, 18))
    (found,) = session.run(["logit"], {"clip": clips.permute(0, 1, 3, 4, 2).numpy()})
    np.testing.assert_allclose(found, margins(whole, clips).detach().numpy(), atol=1e-4)


def test_round_trip_with_its_members(members: list[Candidate], clips: torch.Tensor, tmp_path: Path) -> None:
    def about(name: str, model: Candidate, **others: object) -> CandidateInfo:
        told = {
            "name": name,
            "network": SimpleCnn(name="simple_cnn"),
            "input_size": model.input_size,
            "mean": model.mean,
            "methods": (),
            "size": 32,
            "crop": "c",
            "frames": (4, 4),
            "parameters": model.size,
            "trainable_parameters": model.trainable_size,
            "pretrained": "random",
            "epochs": 1,
            "best_epoch": 1,
            "seed": 1,
            "training": "t",
        }
        return CandidateInfo.model_validate(told | others)

    parts = tuple(about(f"m{number}", model) for number, model in enumerate(members))
    whole = Ensemble(members, [0.5, 1.5], 0.25).eval()
    save_candidate(
        tmp_path, whole, about("e", whole, network=EnsembleNetwork(name="ensemble"), members=parts)
    )
    loaded, info = load_candidate(tmp_path)
    assert torch.equal(margins(loaded, clips), margins(whole, clips))
    assert [member.name for member in info.members] == ["m0", "m1"]
    assert info.parameters == 2 * 422_530
