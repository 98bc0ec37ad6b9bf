"""Several processes that train one candidate together: who this one is, and what falls to it.

Started by `torchrun --nproc-per-node N -m components train NAME`, on several machines by torchrun's options
for that. On one machine `UNMASK_TRAIN_DEVICES=N` is enough: Lightning then starts the others.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from lightning.pytorch.strategies import DDPStrategy
from timm.layers.norm_act import convert_sync_batchnorm
from torch import Tensor, distributed, nn
from torch.utils.data import Sampler

from components.errors import ParamsError, TrainingError
from components.models import Candidate

DEVICES_VARIABLE = "UNMASK_TRAIN_DEVICES"
"""How many GPUs of this machine, or processes where it has none, train a candidate; one unless set."""


@dataclass(frozen=True)
class Processes:
    """All that train together, seen from one of them."""

    rank: int = 0
    count: int = 1
    machines: int = 1

    @property
    def chief(self) -> bool:
        """Whether this one writes files, logs and predicts."""
        return self.rank == 0

    def part(self, batch_size: int) -> int:
        """Clips of a batch that fall to each process: the step is that of one process with the whole batch.

        Raises:
            ParamsError: they cannot be shared evenly.
        """
        if batch_size % self.count:
            raise ParamsError(
                f"batch_size {batch_size} cannot be shared by {self.count} processes; "
                f"set a multiple of {self.count}, or use other devices"
            )
        return batch_size // self.count

    def trainer_settings(self) -> dict[str, Any]:
        """Returns what Lightning's trainer is told of it."""
        if self.count == 1:
            return {"devices": 1}
        backend = "nccl" if torch.cuda.is_available() else "gloo"
        # Buffers are averaged before validation instead: there the processes have batches of their own.
        strategy = DDPStrategy(process_group_backend=backend, broadcast_buffers=False)
        return {
            "devices": self.count // self.machines,
            "num_nodes": self.machines,
            "strategy": strategy,
            "use_distributed_sampler": False,
        }


SINGLE_PROCESS = Processes()
"""One process, which has all of it."""


def processes(environment: Mapping[str, str] | None = None) -> Processes:
    """Who this process is, from its environment.

    Raises:
        TrainingError: `UNMASK_TRAIN_DEVICES` is no number, or larger than the number of GPUs.
    """
    variables = os.environ if environment is None else environment
    if "TORCHELASTIC_RUN_ID" in variables:
        count = int(variables["WORLD_SIZE"])
        return Processes(int(variables["RANK"]), count, count // int(variables["LOCAL_WORLD_SIZE"]))
    count = _devices(variables.get(DEVICES_VARIABLE) or "1")
    return Processes(int(variables.get("LOCAL_RANK", 0)) if count > 1 else 0, count)


def _devices(value: str) -> int:
    if not value.isdecimal() or int(value) < 1:
        raise TrainingError(f"{DEVICES_VARIABLE}={value}: not a number of devices; set 1, 2, … or nothing")
    gpus = torch.cuda.device_count()
    if gpus and int(value) > gpus:
        raise TrainingError(f"{DEVICES_VARIABLE}={value}: this machine has {gpus} GPUs; set {gpus} or fewer")
    return int(value)


class ProcessShare(Sampler[Any]):
    """What falls to one process of what another sampler draws.

    Every process gets as many, or they would wait for each other without end: less than one draw per process
    is left out of an epoch. The batches of all processes together are those of a single one.
    """

    def __init__(self, whole: Sampler[Any], together: Processes) -> None:
        self._whole = whole
        self._together = together

    def set_epoch(self, epoch: int) -> None:
        """Lightning calls this before each epoch."""
        if hasattr(self._whole, "set_epoch"):
            self._whole.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self._whole) // self._together.count  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Any]:
        end = len(self) * self._together.count
        return islice(iter(self._whole), self._together.rank, end, self._together.count)


def with_shared_statistics(model: Candidate, together: Processes) -> Candidate:
    """The network with batch norms that see the whole batch, on GPUs; on a CPU torch has none that do.

    timm's conversion knows timm's own batch norms, which hold an activation; torch's would lose it.
    """
    if together.count == 1 or not torch.cuda.is_available():
        return model
    converted: Candidate = convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
    return converted


def averaged(value: Tensor) -> Tensor:
    """Returns the mean over all processes; the value itself where there is one."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return value
    total = value.detach().clone()
    distributed.all_reduce(total)
    return total / distributed.get_world_size()


def average_buffers(model: nn.Module) -> None:
    """Gives every process the mean of what their batch norms have seen."""
    for buffer in model.buffers():
        if buffer.is_floating_point():
            buffer.copy_(averaged(buffer))
