"""What is said where a disk is full."""

import errno
from collections.abc import Callable

import pytest

from components.__main__ import main
from components.errors import full_disk


def as_torch_has_it() -> None:
    try:
        raise OSError(errno.ENOSPC, "No space left on device")
    except OSError:
        raise RuntimeError("unexpected pos 704 vs 598")  # noqa: B904 - as it comes from C++


def of_a_file() -> None:
    raise OSError(errno.EDQUOT, "Disk quota exceeded", "a.npy")


def as_safetensors_has_it() -> None:
    raise ValueError("I/O error: No space left on device (os error 28)")


@pytest.mark.parametrize(
    ("fails", "told"),
    [
        (of_a_file, "no space left on the disk for a.npy; free some"),
        (as_torch_has_it, "no space left on the disk; free some"),
        (as_safetensors_has_it, "no space left on the disk; free some"),
    ],
)
def test_a_full_disk_is_told_in_one_line(
    fails: Callable[[], None],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("components.__main__.load_resolved", lambda _: fails())
    assert main(["gate"]) == 2
    assert capsys.readouterr().err.startswith(f"error: {told}")


def test_another_error_is_none_of_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "a.npy")

    monkeypatch.setattr("components.__main__.load_resolved", fails)
    assert full_disk(PermissionError(errno.EACCES, "Permission denied")) is None
    with pytest.raises(PermissionError):
        main(["gate"])
