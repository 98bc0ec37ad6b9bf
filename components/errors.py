"""Everything Unmask raises on purpose.

UnmaskError                 the base; `exit_code` is what a command line ends with
├── ParamsError             params.yaml holds an unknown key or a value out of range
├── DataError               the folder of videos, or a table made from it, cannot be used
│   └── ValidationError     the dataset breaks a critical expectation
├── StageError              a stage's input is missing, or a stage ended badly
├── TrainingError           a candidate cannot be trained (weights out of reach, no clips)
├── BundleError             a bundle is missing, incomplete or of another version
├── ProviderError           the asked-for ONNX Runtime provider cannot run here
├── RegistryError           MLflow cannot be reached, or holds no such model or alias
├── BusyError               another process holds the folder this one would write to
└── GateError               the gate did not pass (exit code 3)

A message is one line: what is wrong, where, and what to do about it. Only a ValidationError has more lines,
one for each expectation that does not hold.
"""

import errno
import os
from collections.abc import Iterator
from typing import ClassVar

__all__ = [
    "BundleError",
    "BusyError",
    "DataError",
    "GateError",
    "ParamsError",
    "ProviderError",
    "RegistryError",
    "StageError",
    "TrainingError",
    "UnmaskError",
    "ValidationError",
    "full_disk",
]


class UnmaskError(Exception):
    """Base of all errors that a user can cause and mend."""

    exit_code: ClassVar[int] = 2


class ParamsError(UnmaskError):
    """`params.yaml` holds an unknown key or a value out of range."""


class DataError(UnmaskError):
    """The folder of videos, or a table made from it, cannot be used."""


class ValidationError(DataError):
    """The dataset breaks an expectation that is marked critical."""


class StageError(UnmaskError):
    """A stage's input is missing, or a stage ended badly."""


class TrainingError(UnmaskError):
    """A candidate cannot be trained."""


class BundleError(UnmaskError):
    """A bundle is missing, incomplete, or made by an incompatible version."""


class ProviderError(UnmaskError):
    """The asked-for ONNX Runtime provider cannot run on this machine."""


class RegistryError(UnmaskError):
    """MLflow cannot be reached, or holds no such model or alias."""


class BusyError(UnmaskError):
    """Another process is already writing to the same place."""


class GateError(UnmaskError):
    """The evaluation gate did not pass."""

    exit_code = 3


def full_disk(error: BaseException) -> str | None:
    """What to say of an error that a full disk, or a spent quota, is the reason of; None of any other.

    Libraries raise errors of their own in its place: torch's has it as context, that of safetensors as text.
    """
    for link in _chain(error):
        message = str(link)
        if not any(os.strerror(code) in message for code in (errno.ENOSPC, errno.EDQUOT)):
            continue  # the kernel also has no space for other things, and says so with the same number
        if "shared memory" in message or "/torch_" in message:
            return _NO_SHARED_MEMORY
        named = link.filename if isinstance(link, OSError) else None
        return _NO_SPACE.format(f" for {named}" if named else "")
    return None


_NO_SPACE = "no space left on the disk{}; free some and run the same command again"
_NO_SHARED_MEMORY = (
    "no space left in shared memory; give the container more (docker run --shm-size 8g), or set workers: 0"
)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
