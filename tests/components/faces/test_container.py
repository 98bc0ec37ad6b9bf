"""Memory that runs out while a video is opened or decoded is told apart from damage."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import av
import numpy as np
import pytest

from components.faces import container
from components.faces.clip import Failure
from components.faces.limits import Limits
from components.faces.video import sample_frames
from components.faces.worker import answer

TOO_LARGE = Failure("too_large", "needs more memory than limits.memory_mb grants")


def run_out(*_: Any, **__: Any) -> NoReturn:
    raise av.error.MemoryError(12, "Cannot allocate memory")


def outcome(path: Path) -> Any:
    return answer(lambda path: sample_frames(path, 4, Limits()), path)  # type: ignore[arg-type, return-value]


def test_a_frame_that_is_passed_over_for_want_of_memory(
    make_video: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / "a.mp4")
    sound = outcome(path)
    assert not isinstance(sound, Failure)
    monkeypatch.setattr(np, "empty", run_out)  # libx264's first packets yield no frame yet
    assert outcome(path) == TOO_LARGE


def test_opening_for_want_of_memory(
    make_video: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / "a.mp4")
    monkeypatch.setattr(container.av, "open", run_out)
    assert outcome(path) == TOO_LARGE
