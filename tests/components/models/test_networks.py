"""The networks whose backbone is chosen by name, on the smallest ones that timm has."""

import importlib
from pathlib import Path

import pytest
import timm
import torch
from pydantic import TypeAdapter, ValidationError
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from components.errors import ParamsError
from components.models import Candidate, create, load_candidate, save_candidate
from components.models import backbone as room
from components.models.efficientnet_transformer import positions
from components.models.folder import CandidateInfo
from components.models.frame_network import FrameNorm
from components.params import Network

PARAMETERS = {
    "efficientnet_transformer": 14_315_946,
    "efficientnet_frame": 18_468_169,
    "resnet50_frame": 24_558_657,
    "xception_frame": 21_857_577,
    "f3net_frame": 22_217_773,
    "srm_frame": 43_713_105,
    "mesonet": 27_977,  # as in the paper
}

CONVOLUTIONS, VIT = "test_efficientnet", "test_vit"
SIDE = 64
ADAPTER: TypeAdapter[Network] = TypeAdapter(Network)

TRANSFORMER = {
    "name": "efficientnet_transformer",
    "backbone": CONVOLUTIONS,
    "width": 32,
    "heads": 4,
    "layers": 2,
}
FRAME = {"name": "efficientnet_frame", "backbone": CONVOLUTIONS, "head": {"width": 16}}
F3NET, SRM = (FRAME | {"name": name} for name in ("f3net_frame", "srm_frame"))
MESO4 = {"name": "mesonet"}
MESOINCEPTION4 = {"name": "mesonet", "variant": "mesoinception4"}
OTHER_HEAD = {"width": 16, "order": "relu-norm", "logits": 2, "dropout": [0.5, 0.3]}

VARIANTS = {
    "transformer": TRANSFORMER,
    "mean": TRANSFORMER | {"pooling": "mean"},
    "transformer on stages": TRANSFORMER | {"stages": [1, 3]},
    "frame": FRAME,
    "two logits": FRAME | {"head": OTHER_HEAD},
    "frame on stages": FRAME | {"stages": [0, 2]},
    "vision transformer": FRAME | {"backbone": VIT},
    "vision transformer on stages": FRAME | {"backbone": VIT, "stages": [1, 4]},
    "frequencies": F3NET,
    "frequencies on stages": F3NET | {"stages": [0, 2]},
    "noise": SRM,
    "noise on stages": SRM | {"stages": [0, 2]},
    "Meso-4": MESO4,
    "MesoInception-4": MESOINCEPTION4,
}

variant = pytest.mark.parametrize("network", VARIANTS.values(), ids=VARIANTS)


def made(network: dict) -> Candidate:
    torch.manual_seed(0)
    return create(ADAPTER.validate_python(network), SIDE)


def settled(network: dict) -> Candidate:
    """In evaluation mode, with batch statistics that fit its weights: activations do not fade to nothing."""
    model = made(network).train()
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.momentum = 1.0
    with torch.inference_mode():
        model(torch.randn(4, 2, 3, SIDE, SIDE))
    return model.eval()


def clips(batch: int, frames: int) -> Tensor:
    return torch.randn(batch, frames, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(frames))


def mask_of(*lengths: int) -> Tensor:
    return torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameter_count_as_published(name: str) -> None:
    with torch.device("meta"):
        model = create(ADAPTER.validate_python({"name": name}))
    assert model.size == PARAMETERS[name]
    told = importlib.import_module(f"components.models.{name}").__doc__
    assert f"{PARAMETERS[name]:,} parameters" in " ".join(str(told).split())


def test_mesoinception_has_as_many_parameters_as_in_the_paper() -> None:
    with torch.device("meta"):
        assert create(ADAPTER.validate_python(MESOINCEPTION4), 256).size == 28_615


@pytest.mark.parametrize("dropout", [0.2, 0.5])
def test_dropout_of_the_small_networks_can_be_set(dropout: float) -> None:
    for name in ("simple_cnn", "mesonet"):
        model = made({"name": name, "dropout": dropout})
        assert {module.p for module in model.modules() if isinstance(module, nn.Dropout)} == {dropout}


@variant
def test_outputs_for_any_number_of_frames(network: dict) -> None:
    model = settled(network)
    with torch.inference_mode():
        for frames in range(1, 13):
            found = model.outputs(clips(2, frames))
            assert found.logits.shape == (2, 2)
            assert found.embedding.shape == (2, model.embedding_size)
            assert (found.attention is not None) is model.attends
            assert all(part.isfinite().all() for part in found if part is not None)


@variant
def test_padding_changes_nothing_and_clips_of_a_batch_do_not_mix(network: dict) -> None:
    model = settled(network)
    lengths = (6, 4, 1)
    with torch.inference_mode():
        batch = model.outputs(clips(3, 6), mask_of(*lengths))
        for index, length in enumerate(lengths):
            alone = model.outputs(clips(3, 6)[index : index + 1, :length])
            torch.testing.assert_close(batch.logits[index], alone.logits[0], atol=1e-5, rtol=0)
            torch.testing.assert_close(batch.embedding[index], alone.embedding[0], atol=1e-5, rtol=1e-4)
    assert not torch.allclose(batch.logits[0], batch.logits[1], atol=1e-4)


@variant
def test_all_learn_from_gradients_and_from_real_frames_alone(network: dict) -> None:
    gradients = []
    for length, filling in ((5, 0.0), (9, 100.0)):
        model = made(network).train()
        for module in model.modules():
            if isinstance(module, nn.Dropout | nn.MultiheadAttention):
                module.train(False)  # what is dropped depends on how much there is
        padded = torch.full((2, length, 3, SIDE, SIDE), filling)
        padded[0, :5], padded[1, :3] = clips(1, 5)[0], clips(1, 3)[0]
        model(padded, mask_of(5, 3, length)[:2])[:, 1].sum().backward()
        assert [name for name, value in model.named_parameters() if value.grad is None] == []
        assert sum(bool(value.grad.any()) for value in model.parameters()) > 0.8 * len([*model.parameters()])
        gradients.append({name: value.grad for name, value in model.named_parameters()})
    for name, first in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], first, atol=1e-4, rtol=1e-3, msg=name)


def test_attention_weighs_real_frames_alone() -> None:
    model = settled(TRANSFORMER)
    with torch.inference_mode():
        attention = model.outputs(clips(2, 5), mask_of(5, 2)).attention
    assert attention is not None
    torch.testing.assert_close(attention.sum(dim=1), torch.ones(2))
    assert torch.equal(attention[1, 2:], torch.zeros(3))
    assert (attention[mask_of(5, 2)] > 0).all()
    assert attention[0].std() > 0  # frames differ, and so do their weights


def test_the_transformer_sees_the_order_of_frames_and_a_frame_network_does_not() -> None:
    with torch.inference_mode():
        for network, ordered in ((TRANSFORMER, True), (FRAME, False)):
            model = settled(network)
            same = torch.allclose(model(clips(1, 5)), model(clips(1, 5).flip(1)), atol=1e-6)
            assert same is not ordered


def test_positions_are_sines_and_cosines_of_falling_frequencies() -> None:
    found = positions(torch.zeros(1, 300, 8))
    assert found.shape == (300, 8)
    places = torch.arange(300.0)
    torch.testing.assert_close(found[:, 0], places.sin())
    torch.testing.assert_close(found[:, 4 + 3], (places * 10_000**-0.75).cos())
    assert torch.cdist(found, found).fill_diagonal_(1).min() > 0.01  # no two places are alike


def test_one_logit_is_that_of_fake() -> None:
    with torch.inference_mode():
        logits = settled(FRAME)(clips(2, 3))
    assert torch.equal(logits[:, 0], torch.zeros(2))
    assert logits[:, 1].ne(0).all()


def test_a_videos_logits_are_the_means_of_its_frames() -> None:
    model = settled(FRAME)
    with torch.inference_mode():
        frames = torch.cat([model(clips(1, 3)[:, [index]]) for index in range(3)])
        torch.testing.assert_close(model(clips(1, 3))[0], frames.mean(dim=0))


@pytest.mark.parametrize(("order", "kinds"), [("norm-relu", "LFR"), ("relu-norm", "LRF")])
def test_order_of_norm_and_relu(order: str, kinds: str) -> None:
    model = made(FRAME | {"head": OTHER_HEAD | {"order": order}})
    hidden = model.get_submodule("hidden")
    assert "".join(type(part).__name__[0] for part in hidden.children()) == "D" + kinds
    assert model.get_submodule("hidden.0").p == 0.5
    assert model.get_submodule("head.0").p == 0.3


def test_a_lone_frame_is_normed_by_the_frames_before_it() -> None:
    norm = FrameNorm(4).train()
    norm(torch.randn(8, 4))
    statistics = norm.running_mean.clone()
    frame = torch.randn(1, 4)
    found = norm(frame)
    assert torch.equal(norm.running_mean, statistics)
    assert torch.equal(found, norm.eval()(frame))


@pytest.mark.parametrize("network", [TRANSFORMER, FRAME, TRANSFORMER | {"stages": [1, 3]}, F3NET, SRM])
def test_a_frozen_backbone_stays_as_it_is(network: dict) -> None:
    model = made(network | {"freeze": True}).train()
    before = {name: value.clone() for name, value in model.backbone.state_dict().items()}
    learning = [value for value in model.parameters() if value.requires_grad]
    steps = torch.optim.SGD(learning, lr=0.1)
    model(clips(2, 3)).diff(dim=1).sum().backward()
    steps.step()
    assert all(torch.equal(value, before[name]) for name, value in model.backbone.state_dict().items())
    assert [name for name, value in model.backbone.named_parameters() if value.grad is not None] == []
    rest = {name: value for name, value in model.named_parameters() if not name.startswith("backbone.")}
    assert model.trainable_size == sum(value.numel() for value in rest.values()) < model.size
    assert [name for name, value in rest.items() if value.grad is None] == []


@pytest.mark.parametrize("pretrained", [True, "bundled"])
@pytest.mark.parametrize("name", ["test_efficientnet.r160_in1k", "test_convnext.r160_in1k"])
def test_stages_have_the_weights_and_maps_of_the_whole_network(
    name: str,
    pretrained: room.Pretrained,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    whole = timm.create_model(name).eval()
    for module in whole.modules():
        if isinstance(module, _BatchNorm):
            nn.init.normal_(module.running_mean)
    file = tmp_path / room.WEIGHTS_FILE
    published = whole.state_dict()
    save_file(published, file)
    monkeypatch.setattr(room, "_fetch", lambda repository: str(file))
    headless = {key: value for key, value in published.items() if not key.startswith(("classifier", "head."))}
    monkeypatch.setattr(room, "bundled_weights", lambda name: headless)
    network, origin = room.backbone(name, pretrained, stages=(1, 3))
    assert origin == ("loaded" if pretrained is True else "bundled")
    images = torch.randn(2, 3, SIDE, SIDE)
    with torch.inference_mode():
        maps = whole.forward_intermediates(images, indices=[1, 3], intermediates_only=True)
        expected = torch.cat([one.mean(dim=(2, 3)) for one in maps], dim=1)
        assert torch.equal(network.eval()(images), expected)
    assert network.num_features == expected.shape[1]


@pytest.mark.parametrize("side", [64, 112])
def test_a_vision_transformer_takes_crops_of_the_size_it_is_told(side: int) -> None:
    model = create(ADAPTER.validate_python(FRAME | {"backbone": "deit_tiny_patch16_224"}), side).eval()
    places = model.get_parameter("backbone.pos_embed")
    assert places.shape[1] == (side // 16) ** 2 + 1
    with torch.inference_mode():
        assert model(torch.randn(1, 2, 3, side, side)).isfinite().all()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"backbone": "efficientnet_b33"}, r"backbone efficientnet_b33: .* close to it are efficientnet_b3,"),
        ({"backbone": "resnet50.a99"}, r"backbone resnet50\.a99: .* close to it are resnet50\."),
        ({"backbone": "!"}, r"backbone !: timm has no such network"),
        ({"stages": [1, 9]}, r"stages \[1, 9\]: test_efficientnet: .*out of range \(0 to 4\); count from 0"),
    ],
)
def test_a_backbone_that_cannot_be_is_told_in_one_line(changed: dict, message: str) -> None:
    with pytest.raises(ParamsError, match=message) as caught:
        made(FRAME | changed)
    assert "\n" not in str(caught.value)


def test_crops_that_a_vision_transformer_cannot_take_are_told_in_one_line() -> None:
    smaller_than_a_patch = 8
    with pytest.raises(ParamsError, match=r"test_vit: cannot take crops of 8 px .* are of 160 px") as caught:
        create(ADAPTER.validate_python(FRAME | {"backbone": VIT}), smaller_than_a_patch)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"width": 30}, "an even multiple of heads, which are 4"),
        ({"width": 9, "heads": 3}, "an even multiple of heads"),
        ({"stages": [3, 1]}, "the early stages come first, each once"),
        ({"stages": [1, 1]}, "each once"),
        ({"stages": [-1]}, "greater than or equal to 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(changed: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ADAPTER.validate_python(TRANSFORMER | changed)


@pytest.mark.parametrize(
    "network",
    [FRAME | {"backbone": VIT}, TRANSFORMER | {"stages": [1, 3], "freeze": True}, F3NET, SRM, MESO4],
)
def test_same_logits_after_a_round_trip(network: dict, tmp_path: Path) -> None:
    model = settled(network)
    info = CandidateInfo(
        name="one",
        network=ADAPTER.validate_python(
            network | ({} if network == MESO4 else {"pretrained": True})
        ),  # opened without asking for them again
        input_size=None,
        methods=(),
        size=SIDE,
        crop="0123456789ab",
        frames=(4, 4),
        parameters=model.size,
        trainable_parameters=model.trainable_size,
        pretrained="random",
        epochs=1,
        best_epoch=1,
        seed=0,
        training="0a1b",
    )
    save_candidate(tmp_path, model, info)
    loaded, _ = load_candidate(tmp_path)
    with torch.inference_mode():
        assert torch.equal(loaded(clips(2, 3)), model(clips(2, 3)))
