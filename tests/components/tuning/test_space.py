from pathlib import Path
from typing import Any

import pytest

from components.errors import ParamsError
from components.params import CandidateParams, Params, load_params, merged
from components.params.tuning import Choices, Range, Span
from components.tuning.defaults import default_space
from components.tuning.space import (
    applied,
    check_space,
    nested,
    present,
    settings_of,
    space_of,
    suggested_settings,
    value_text,
)

SHIPPED = load_params(Path(__file__).parents[3] / "params.yaml")
CNN = SHIPPED.candidates["simple_cnn"]
LOSSES = Choices(choices=({"name": "cross_entropy"}, {"name": "focal", "alpha": 0.5}))


@pytest.mark.parametrize(
    ("key", "span", "told"),
    [
        ("optimizer.lrr", Range(low=0.1, high=1.0), "no setting 'lrr'; optimizer adamw takes name, lr,"),
        ("optimiser", Range(low=0.1, high=1.0), "no setting 'optimiser'; a candidate takes seed,"),
        ("epochs.most", Range(low=1, high=2), "no setting 'most'; epochs takes no setting of its own"),
        ("loss.gamma", Range(low=1.0, high=2.0), "no setting 'gamma'; loss cross_entropy takes name, label"),
        ("optimizer.lr", Range(low=-0.1, high=0.1), "optimizer.lr = -0.1: must be greater than 0"),
        ("batch_size", Range(low=2.0, high=8.0), "batch_size = 4.292: use a whole number"),
        ("augmentation.flip", Range(low=0, high=2), "augmentation.flip = 2: must be less than"),
        ("balance", Choices(choices=("none", "nine")), "balance = 'nine': use 'none'"),
        ("network.name", Choices(choices=("simple_cnn", "x")), "another network is another candidate"),
        ("seed", Range(low=1, high=9), "the best of several seeds is luck"),
    ],
)
def test_what_could_not_be_tried_is_refused_in_one_line(key: str, span: Span, told: str) -> None:
    with pytest.raises(ParamsError) as refused:
        check_space("simple_cnn", {key: span}, CNN, "auc")
    assert str(refused.value).startswith(f"params.yaml: tune.space.simple_cnn: {key}: ")
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_losses_of_different_kinds_are_not_compared_by_the_loss() -> None:
    check_space("simple_cnn", {"loss": LOSSES}, CNN, "auc")
    with pytest.raises(ParamsError, match=r"set tune\.metric to auc or f1"):
        check_space("simple_cnn", {"loss": LOSSES}, CNN, "loss")
    assert "loss" in default_space(CNN, "f1")
    assert "loss" not in default_space(CNN, "loss")


def test_an_unknown_candidate_is_named_with_those_that_are_there() -> None:
    with pytest.raises(ParamsError, match=r"params\.yaml: no candidate 'cnn'; candidates holds simple_cnn, "):
        space_of(SHIPPED, "cnn")


def test_the_space_of_a_candidate_that_is_gone_is_only_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tune = SHIPPED.tune.model_copy(update={"space": {"cnn": {}}})
    params = SHIPPED.model_copy(update={"tune": tune})
    assert space_of(params, "simple_cnn") == space_of(SHIPPED, "simple_cnn")
    assert "tune.space.cnn: no candidate 'cnn'; candidates holds simple_cnn, " in caplog.text


NETWORKS: list[dict[str, Any]] = [
    {"network": {"name": "simple_cnn"}},
    {"network": {"name": "efficientnet_bilstm", "pretrained": "bundled"}, "optimizer": {"backbone": 0.001}},
    {"network": {"name": "efficientnet_transformer", "dropout": 0.7, "layers": 9}, "frames": [10, 30]},
    {"network": {"name": "efficientnet_frame", "head": {"dropout": [0.15, 0.1]}}, "frames": 1},
    {"optimizer": {"weight_decay": 0.0}, "loss": {"name": "bce_focal"}, "augmentation": {"erasing": 0.5}},
]


@pytest.mark.parametrize("told", NETWORKS)
def test_the_present_settings_are_in_the_default_space(told: dict[str, Any]) -> None:
    settings = CandidateParams.model_validate(merged(CNN.model_dump(mode="json"), told))
    space = default_space(settings, "auc")
    check_space("it", space, settings, "auc")
    own = present(space, settings)
    assert set(own) == set(space)
    tried = suggested_settings(settings, space, own)
    assert tried.model_dump(exclude={"optimizer"}) == settings.model_dump(exclude={"optimizer"})
    assert tried.optimizer.lr == pytest.approx(settings.optimizer.lr, rel=1e-3)


def test_the_space_of_a_file_takes_the_place_of_the_default(params: Params) -> None:
    own: dict[str, Span] = {"epochs": Range(low=1, high=9)}
    tune = params.tune.model_copy(update={"space": {"simple_cnn": own}})
    assert space_of(params.model_copy(update={"tune": tune}), "simple_cnn") == own


def test_features_that_are_computed_once_are_not_augmented() -> None:
    cached = CNN.model_copy(update={"cache_features": True})
    assert not any(key.startswith("augmentation") for key in default_space(cached, "auc"))


def test_settings_outside_of_the_space_are_no_suggestion() -> None:
    space = {"optimizer.lr": Range(low=0.1, high=0.2), "batch_size": Range(low=2, high=8), "loss": LOSSES}
    smooth = applied(CNN, {"loss": {"label_smoothing": 0.05}})
    assert present(space, CNN) == {"batch_size": 8, "loss": '{"name": "cross_entropy"}'}
    assert present({"loss": Choices(choices=({"name": "focal"}, {"label_smoothing": 0.1}))}, smooth) == {}


def test_a_suggestion_becomes_sections_of_the_file() -> None:
    space = {
        "optimizer.lr": Range(low=1.00004e-4, high=1.0, log=True),
        "optimizer": Choices(choices=({"name": "adam", "weight_decay": 0.0}, {"weight_decay": 0.1})),
        "frames": Choices(choices=(4, [2, 8])),
        "batch_size": Range(low=2, high=8),
    }
    suggested = {
        "optimizer.lr": 1.00001e-4,
        "optimizer": '{"name": "adam", "weight_decay": 0.0}',
        "frames": "[2, 8]",
        "batch_size": 5,
    }
    assert settings_of(space, suggested) == {
        "optimizer": {"name": "adam", "weight_decay": 0.0, "lr": 1.00004e-4},  # never outside of the span
        "frames": [2, 8],
        "batch_size": 5,
    }
    tried = suggested_settings(CNN, space, {**suggested, "optimizer.lr": 0.0123456})
    assert (tried.optimizer.lr, tried.frames, tried.batch_size) == (0.01235, (2, 8), 5)
    assert tried.augmentation == CNN.augmentation


def test_what_a_candidate_refuses_only_together_is_one_line() -> None:
    space = {"augmentation.scale": Choices(choices=([1.0, 1.0], [2.0, 1.0]))}
    with pytest.raises(ParamsError, match=r"tune: .*the least comes first"):
        suggested_settings(CNN, space, {"augmentation.scale": "[2.0, 1.0]"})


def test_a_whole_section_comes_before_what_is_said_of_it() -> None:
    assert nested({"a.b": 1, "a": {"b": 2, "c": 3}, "d.e.f": 4}) == {
        "a": {"b": 1, "c": 3},
        "d": {"e": {"f": 4}},
    }


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ('{"name": "focal", "gamma": 2.0}', "focal gamma 2"),
        (0.000123456, "0.0001235"),
        ([0.5, 3], "[0.5, 3]"),
        ("sampler", "sampler"),
    ],
)
def test_settings_for_people(value: Any, told: str) -> None:
    assert value_text(value) == told
