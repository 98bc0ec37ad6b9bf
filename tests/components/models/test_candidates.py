import pytest
import torch
from pydantic import TypeAdapter
from torch import nn

from components.models import Candidate, create, names
from components.models.simple_cnn import SimpleCNN
from components.params import Network

PARAMETERS = {"simple_cnn": 422_530, "resnet18_average": 11_603_650, "efficientnet_bilstm": 5_619_966}


ADAPTER: TypeAdapter[Network] = TypeAdapter(Network)


def made(name: str) -> Candidate:
    return create(ADAPTER.validate_python({"name": name}))


def settled(name: str) -> Candidate:
    """In evaluation mode, with batch statistics that fit its weights: activations do not fade to nothing."""
    torch.manual_seed(0)
    model = made(name).train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.inference_mode():
        model(torch.randn(8, 2, 3, 64, 64))
    return model.eval()


candidate = pytest.mark.parametrize("name", sorted(PARAMETERS))


def test_all_are_registered() -> None:
    assert set(names()) >= set(PARAMETERS)


@candidate
def test_parameter_count(name: str) -> None:
    model = made(name)
    assert model.size == PARAMETERS[name]
    assert f"{PARAMETERS[name]:,} parameters" in str(
        __import__(f"components.models.{name}", fromlist=["x"]).__doc__
    )


@candidate
def test_logits_for_any_number_of_frames(name: str) -> None:
    model = made(name).eval()
    with torch.inference_mode():
        for frames in range(1, 13):
            logits = model(torch.randn(2, frames, 3, 32, 32))
            assert logits.shape == (2, 2)
            assert logits.isfinite().all()


@candidate
def test_clips_of_a_batch_do_not_mix(name: str) -> None:
    model = settled(name)
    clips = torch.randn(3, 4, 3, 64, 64)
    with torch.inference_mode():
        together = model(clips)
        alone = torch.cat([model(clip[None]) for clip in clips])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(together[0], together[1], atol=1e-4)


@candidate
def test_every_parameter_learns(name: str) -> None:
    torch.manual_seed(0)
    model = made(name).train()
    model(torch.randn(2, 3, 3, 64, 64)).logsumexp(dim=1).sum().backward()
    assert [key for key, value in model.named_parameters() if value.grad is None] == []


@pytest.mark.parametrize(("name", "ordered"), [("simple_cnn", False), ("efficientnet_bilstm", True)])
def test_only_the_lstm_sees_the_order_of_frames(name: str, ordered: bool) -> None:
    model = settled(name)
    clips = torch.randn(1, 5, 3, 64, 64)
    with torch.inference_mode():
        same = torch.allclose(model(clips), model(clips.flip(1)), atol=1e-6)
    assert same is not ordered


def test_same_seed_same_weights() -> None:
    torch.manual_seed(5)
    first = SimpleCNN().state_dict()
    torch.manual_seed(5)
    second = SimpleCNN().state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)
