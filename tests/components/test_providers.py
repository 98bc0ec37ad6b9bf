import logging
from pathlib import Path

import pytest

from components import providers
from components.errors import BundleError, ProviderError
from components.providers import Asked, Provider, choose_provider, cuda_fault, open_session

without_cuda = pytest.mark.skipif(cuda_fault() is None, reason="this machine has a CUDA device")


@pytest.mark.parametrize(
    ("asked", "fault", "chosen"),
    [
        ("auto", None, "cuda"),
        ("auto", "no device", "cpu"),
        ("cuda", None, "cuda"),
        ("cpu", None, "cpu"),
        ("cpu", "no device", "cpu"),
    ],
)
def test_choice(asked: Asked, fault: str | None, chosen: Provider) -> None:
    assert choose_provider(asked, fault) == chosen


def test_cuda_that_was_asked_for_is_never_replaced() -> None:
    with pytest.raises(ProviderError, match=r"no device; .*--provider cpu"):
        choose_provider("cuda", "no device")


def test_the_message_names_what_the_user_wrote() -> None:
    with pytest.raises(ProviderError, match=r"^DEVICE=cuda: no device; .* use DEVICE=cpu$"):
        choose_provider("cuda", "no device", "DEVICE=")


def test_threads_are_those_asked_for(brightness_model: Path) -> None:
    session = open_session(brightness_model, "cpu", threads=1)
    assert session.get_session_options().intra_op_num_threads == 1


@without_cuda
def test_cuda_fails_loudly_on_a_machine_without(brightness_model: Path) -> None:
    with pytest.raises(ProviderError, match="--provider cpu"):
        open_session(brightness_model, "cuda")


@without_cuda
def test_onnx_runtime_itself_refuses_to_fall_back(
    brightness_model: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(providers, "cuda_fault", lambda: None)  # a driver that promises too much
    with pytest.raises(ProviderError, match="CUDA cannot run") as caught:
        open_session(brightness_model, "cuda")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().out == ""


@without_cuda
def test_auto_goes_to_the_cpu_and_says_why(
    brightness_model: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(providers, "cuda_fault", lambda: None)
    with caplog.at_level(logging.INFO, logger="components.providers"):
        session = open_session(brightness_model, "auto")
    assert session.get_providers() == ["CPUExecutionProvider"]
    assert "CUDA cannot run" in caplog.messages[0]
    assert "CPU" in caplog.messages[1]


@pytest.mark.gpu
@pytest.mark.skipif(cuda_fault() is not None, reason="no CUDA device")
@pytest.mark.parametrize("asked", ["auto", "cuda"])
def test_cuda_runs_where_there_is_a_device(brightness_model: Path, asked: Asked) -> None:
    assert open_session(brightness_model, asked).get_providers()[0] == "CUDAExecutionProvider"


def test_the_cpu_is_opened_without_a_word(brightness_model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    open_session(brightness_model, "cpu")
    assert capfd.readouterr() == ("", "")


def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "model.onnx"
    broken.write_bytes(b"not a model")
    with pytest.raises(BundleError, match=f"^{broken}: not a usable ONNX model"):
        open_session(broken, "cpu")
