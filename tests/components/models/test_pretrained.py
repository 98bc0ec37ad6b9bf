import logging
import time
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from components.errors import ParamsError, TrainingError
from components.models import backbone as room
from components.models import create
from components.params import Pretrained
from components.params.networks import Resnet18Average


def asked(pretrained: Pretrained) -> Resnet18Average:
    return Resnet18Average(name="resnet18_average", pretrained=pretrained)


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))


@pytest.mark.usefixtures("unreachable")
def test_required_weights_out_of_reach_stop_quickly() -> None:
    start = time.monotonic()
    with pytest.raises(TrainingError, match=r"out of reach .* if-available") as caught:
        create(asked(True))
    assert time.monotonic() - start < 10
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("unreachable")
def test_wished_for_weights_out_of_reach_are_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        model = create(asked("if-available"))
    assert model.origin == "random"
    assert "starts from random weights" in caplog.text


@pytest.mark.parametrize("pretrained", [True, "if-available"])
def test_weights_are_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pretrained: Pretrained) -> None:
    published = timm.create_model("resnet18").state_dict()  # with the classifier, as the hub has it
    save_file(published, tmp_path / "model.safetensors")
    monkeypatch.setattr(room, "_fetch", lambda repository: str(tmp_path / "model.safetensors"))
    model = create(asked(pretrained))
    assert model.origin == "loaded"
    assert torch.equal(
        model.state_dict()["backbone.layer4.1.conv2.weight"], published["layer4.1.conv2.weight"]
    )


def test_cached_weights_need_no_hub(unreachable: None, tmp_path: Path) -> None:
    revision = tmp_path / "models--timm--resnet18.a1_in1k" / "snapshots" / "0a1b"
    revision.mkdir(parents=True)
    (revision / room.WEIGHTS_FILE).touch()
    (revision.parents[1] / "refs").mkdir()
    (revision.parents[1] / "refs" / "main").write_text(revision.name)
    assert room._fetch("timm/resnet18.a1_in1k") == str(revision / room.WEIGHTS_FILE)


def test_weights_that_unmask_does_not_ship() -> None:
    with pytest.raises(ParamsError, match=r"bundled: none for resnet18\.a1_in1k; there are some for "):
        create(asked("bundled"))
