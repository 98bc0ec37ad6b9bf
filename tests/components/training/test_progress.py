from types import SimpleNamespace
from typing import Any

import pytest

from components.training.progress import clips_seen


@pytest.mark.parametrize(
    ("batches", "processes", "shown"), [(0, 1, "0/10"), (2, 1, "8/10"), (3, 1, "10/10"), (1, 2, "8/20")]
)
def test_clips_of_all_processes(batches: int, processes: int, shown: str) -> None:
    progress: Any = SimpleNamespace(current=SimpleNamespace(ready=batches))
    trainer: Any = SimpleNamespace(
        train_dataloader=SimpleNamespace(sampler=range(10), batch_size=4),
        fit_loop=SimpleNamespace(epoch_loop=SimpleNamespace(batch_progress=progress)),
        world_size=processes,
    )
    assert clips_seen(trainer) == shown
