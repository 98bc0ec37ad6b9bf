"""Every recipe takes one step at a small size; `benchmarks/recipes.py` does the same at the published one."""

from pathlib import Path

import pytest
import torch

from benchmarks.recipe_steps import Watch, faults, one_step
from benchmarks.recipes import ROOT, Reduced, detectors, recipe, smaller
from components.models import create
from components.params.networks import FrameNetwork, Head
from components.params.recipes import recipe_names

EXPORTED = ("frame_380",)
"""One, with a crop: an export takes longer than the step. Graphs of each kind are exported in `test_onnx`."""

SMALL = Reduced(size=32, batch=4, frames=(2, 4), backbone="test_efficientnet.r160_in1k")


@pytest.mark.parametrize("name", detectors(recipe_names(Path(ROOT) / "recipes")))
def test_a_step_changes_what_learns_and_nothing_that_is_frozen(name: str) -> None:
    params = smaller(recipe(name), SMALL)
    step = one_step(params.candidates[name], params.faces, exporting=name in EXPORTED)
    assert step.faults == ()
    assert (step.frozen > 0) == (name == "transformer_frozen")


def test_what_is_wrong_is_told() -> None:
    """A backbone that learns though it is frozen, a loss that is no number, weights that stay as they are."""
    torch.manual_seed(0)
    params = smaller(recipe("transformer_frozen"), SMALL)
    settings = params.candidates["transformer_frozen"]
    model = create(settings.network)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    watch = Watch()
    watch.gradients = {key: torch.ones(()) for key, _ in model.named_parameters()}
    with torch.no_grad():
        for key, value in model.named_parameters():
            value.add_(0.0 if key.startswith("head.") else 0.1)
    told = "; ".join(faults(model, before, watch, settings))
    assert "loss is nan" in told
    assert "backbone.conv_stem.weight is frozen and has a gradient" in told
    assert "backbone.conv_stem.weight has changed" in told
    assert "head.1.weight has not changed" in told
    assert "projection.weight" not in told


@pytest.mark.parametrize(("width", "layers"), [(None, 1), (8, 2)])
def test_a_head_without_a_width_is_one_layer(width: int | None, layers: int) -> None:
    network = FrameNetwork(name="resnet50_frame", backbone="test_resnet.r160_in1k", head=Head(width=width))
    model = create(network)
    linear = [module for module in model.modules() if isinstance(module, torch.nn.Linear)]
    assert len(linear) == layers
    assert model.outputs(torch.randn(2, 3, 3, 32, 32)).embedding.shape == (2, model.embedding_size)
