"""Where ONNX Runtime computes: on a CUDA device or on the CPU, and never on one while claiming the other."""

import contextlib
import ctypes
import logging
import sys
from pathlib import Path
from typing import Literal

import onnxruntime

from components.errors import BundleError, ProviderError

Provider = Literal["cuda", "cpu"]
Asked = Literal["auto", "cuda", "cpu"]

_TRIED, _CHOSEN = "EXHAUSTIVE", "HEURISTIC"
"""How cuDNN finds the algorithm of a convolution."""

_log = logging.getLogger(__name__)


def choose_provider(asked: Asked, fault: str | None, option: str = "--provider ") -> Provider:
    """Chooses a provider.

    Args:
        asked: what the user asked for; `auto` takes the CUDA device where there is one.
        fault: why CUDA cannot be used here, None where a device was found.
        option: what the user writes before a provider's name, for the message.

    Raises:
        ProviderError: CUDA was asked for and there is a fault.
    """
    if asked == "cuda" and fault is not None:
        raise ProviderError(f"{option}cuda: {fault}; {_remedy(option)}")
    return "cpu" if asked == "cpu" or fault is not None else "cuda"


def cuda_fault() -> str | None:
    """Asks the driver for a CUDA device: None, or one phrase that says what is missing.

    The driver is asked rather than ONNX Runtime, whose list of providers says what it was built with and
    not what the machine has.
    """
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        return "this onnxruntime is built without CUDA (install onnxruntime-gpu)"
    devices = cuda_devices()
    if devices is None:
        return "no NVIDIA driver on this machine (libcuda.so.1)"
    return None if devices else "the NVIDIA driver finds no device that it can use"


def cuda_devices() -> int | None:
    """Returns how many devices the driver offers to this process; None where there is no driver."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    count = ctypes.c_int(0)
    started = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
    return count.value if started else 0


def open_session(
    model: Path,
    asked: Asked = "auto",
    *,
    threads: int | None = None,
    option: str = "--provider ",
    shapes_vary: bool = False,
) -> onnxruntime.InferenceSession:
    """Opens an ONNX model on the provider that was asked for.

    Args:
        model: the file.
        asked: `auto` falls back to the CPU, with a warning where a device is there and fails.
        threads: on the CPU; None: as many as there are cores.
        option: what the user writes before a provider's name, for messages.
        shapes_vary: from run to run, so that nothing had better be tried or laid out for each new shape.

    Raises:
        ProviderError: CUDA was asked for and cannot be used.
        BundleError: the file is no ONNX model that this ONNX Runtime reads.
    """
    chosen = choose_provider(asked, cuda_fault() if asked != "cpu" else None, option)
    if chosen == "cuda":
        try:
            return _open_on_cuda(
                model, _options(threads, shapes_vary), option, _CHOSEN if shapes_vary else _TRIED
            )
        except ProviderError as error:
            if asked == "cuda":
                raise
            _log.warning("%s", error)
    _log.info("ONNX Runtime computes on the CPU")
    return _open_on_cpu(model, _options(threads, shapes_vary))


def _open_on_cpu(model: Path, options: onnxruntime.SessionOptions) -> onnxruntime.InferenceSession:
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions share no base of their own
        raise BundleError(
            f"{model}: not a usable ONNX model ({_one_line(error)}); export it again"
        ) from error


def _open_on_cuda(
    model: Path, options: onnxruntime.SessionOptions, option: str, search: str
) -> onnxruntime.InferenceSession:
    """Opens on CUDA alone. Left to itself ONNX Runtime would fall back to the CPU without an exception."""
    with contextlib.redirect_stdout(sys.stderr):  # it reports with print(), and stdout belongs to the results
        onnxruntime.preload_dlls()
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    providers = [("CUDAExecutionProvider", {"cudnn_conv_algo_search": search})]
    try:
        session = onnxruntime.InferenceSession(model, options, providers=providers, enable_fallback=0)
    except Exception as error:
        raise ProviderError(f"CUDA cannot run {model}: {_one_line(error)}; {_remedy(option)}") from error
    if session.get_providers()[0] != providers[0][0]:
        given = session.get_providers()
        raise ProviderError(f"CUDA cannot run {model}: it was given to {given}; {_remedy(option)}")
    _log.info("ONNX Runtime computes on the CUDA device")
    return session


def _options(threads: int | None, shapes_vary: bool) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.enable_mem_pattern = not shapes_vary  # a block of memory is kept for the pattern of each shape
    options.log_severity_level = 3  # errors: warnings about devices that are not there help nobody
    if threads is not None:
        options.intra_op_num_threads = threads
    # Threads that spin while they wait would take the cores from the workers that decode.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _remedy(option: str) -> str:
    return f"mend the driver or CUDA libraries, or use {option}cpu"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
