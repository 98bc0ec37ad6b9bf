import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch

from components.errors import ParamsError, TrainingError
from components.params import Params
from components.params.training import OneCycle
from components.project import Project
from components.stages import train as stage
from components.training import fit as fitting
from components.training.batches import WholeVideos
from components.training.callbacks import ignore
from components.training.distributed import DEVICES_VARIABLE, Processes, ProcessShare, processes
from components.training.fit import Fitted, fit
from components.training.module import ClipClassifier
from tests.components.training.tiny import ROOT, Tiny, clips, settings

ELASTIC = {"TORCHELASTIC_RUN_ID": "1", "RANK": "5", "WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "4"}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, Processes()),
        ({"LOCAL_RANK": "3", "RANK": "3"}, Processes()),  # of another program
        ({DEVICES_VARIABLE: "1", "LOCAL_RANK": "3"}, Processes()),
        ({DEVICES_VARIABLE: "2"}, Processes(0, 2)),
        ({DEVICES_VARIABLE: "2", "LOCAL_RANK": "1"}, Processes(1, 2)),  # started by Lightning
        (ELASTIC, Processes(5, 8, 2)),
        (ELASTIC | {DEVICES_VARIABLE: "3"}, Processes(5, 8, 2)),  # torchrun has said it
    ],
)
def test_who_a_process_is(
    environment: dict[str, str], expected: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert processes(environment) == expected


@pytest.mark.parametrize(
    ("told", "gpus", "words"),
    [("two", 0, "not a number of devices"), ("0", 0, "not a number"), ("4", 2, "this machine has 2 GPUs")],
)
def test_devices_that_cannot_be(told: str, gpus: int, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    with pytest.raises(TrainingError, match=rf"{DEVICES_VARIABLE}={told}: {words}"):
        processes({DEVICES_VARIABLE: told})


def test_a_batch_is_shared_evenly() -> None:
    assert Processes(0, 4).part(8) == 2
    with pytest.raises(
        ParamsError, match="batch_size 8 cannot be shared by 3 processes; set a multiple of 3"
    ):
        Processes(0, 3).part(8)


@pytest.mark.parametrize("length", [8, 9, 10, 11])
def test_the_parts_are_the_batches_of_one_process(length: int) -> None:
    order = list(range(length))[::-1]
    parts = [list(ProcessShare(order, Processes(rank, 2))) for rank in range(2)]  # type: ignore[arg-type]
    assert len(parts[0]) == len(parts[1]) == length // 2
    for start in range(0, length // 2, 2):  # batches of four
        together = chain(*(part[start : start + 2] for part in parts))
        assert set(together) <= set(order[2 * start : 2 * start + 4])


def test_every_process_validates_videos_of_its_own() -> None:
    """Also where all of them would fit into one batch."""
    parts = [WholeVideos(clips(5, "val"), 8, rank, 2) for rank in range(2)]
    assert [part[0].indices for part in parts] == [[0, 2, 4], [1, 3]]


def test_shared_batch_norms_keep_their_activation() -> None:
    """As `with_shared_statistics` converts them where there are GPUs."""
    from timm.layers.norm_act import convert_sync_batchnorm

    network = timm.create_model("test_efficientnet", num_classes=0).eval()
    frames = torch.rand(1, 3, 32, 32)
    before = network(frames)
    converted = convert_sync_batchnorm(network)
    assert any(isinstance(module, torch.nn.SyncBatchNorm) for module in converted.modules())
    torch.testing.assert_close(converted(frames), before)


def test_only_the_first_process_writes(
    made: Path, params: Params, curves: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(made / "artifacts", tmp_path / "artifacts")
    monkeypatch.setattr(stage, "processes", lambda: Processes(1, 2))
    monkeypatch.setattr(stage, "fit", lambda *told, **named: fitted.append(told))
    fitted: list[object] = []
    project = Project(tmp_path)
    try:
        stage.run(project, params, "simple_cnn")
    finally:
        logging.getLogger("components").setLevel(logging.NOTSET)
    assert len(fitted) == 1
    assert not curves.opened
    assert not project.candidate("simple_cnn").exists()
    assert not project.history("simple_cnn").exists()


def trained(folder: Path, patch: pytest.MonkeyPatch, kill: bool = False) -> Fitted:
    """With all that processes have to agree on, without what they cannot: dropout, batch norm on CPUs."""

    def on_train_batch_end(self: ClipClassifier, outputs: Any, batch: Any, batch_idx: int) -> None:
        if kill and (self.current_epoch, batch_idx) == (2, 2):
            os.kill(os.getpid(), signal.SIGKILL)

    patch.setattr(fitting, "create", lambda *told: Tiny(norm=False, dropout=0.0))
    patch.setattr(ClipClassifier, "on_train_batch_end", on_train_batch_end)
    told = settings(
        accumulate=2, ema=0.5, hard_examples=0.25, balance="weights", schedule=OneCycle(name="onecycle")
    )
    return fit(told, clips(18), clips(7, "val"), folder, ignore)


CHILD = """
import sys
from pathlib import Path
import pytest
from components.training.distributed import processes
from components.training.history import write_history
from tests.components.training.test_distributed import trained

folder = Path(sys.argv[1])
fitted = trained(folder, pytest.MonkeyPatch(), kill=len(sys.argv) > 2)
if processes().chief:
    write_history(fitted.history, folder / "history.csv")
"""

PAIR = """
import os, sys
import tests.components.training.test_distributed  # once for both

for rank in "01":
    if not os.fork():
        os.environ |= {"RANK": rank, "LOCAL_RANK": rank}
        try:
            exec(open(sys.argv.pop(1)).read())
        except BaseException:
            os._exit(1)
        os._exit(0)
sys.exit(any(os.wait()[1] for _ in "01"))
"""
WORLD = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
TORCHRUN = WORLD | {"TORCHELASTIC_RUN_ID": "1", "MASTER_ADDR": "127.0.0.1"}


def port() -> str:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


def two_processes(folder: Path, *words: str, by: str) -> int:
    """Exit code of a training that is started by Lightning, by torchrun, or forked as if by torchrun."""
    folder.mkdir()
    script = folder / "train.py"
    script.write_text(CHILD, encoding="utf-8")
    start = {
        "lightning": [],
        "torchrun": ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", port()],
        "fork": ["-c", PAIR],
    }
    command = [sys.executable, *start[by], str(script), str(folder), *words]
    told = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", DEVICES_VARIABLE: "2"}
    told |= TORCHRUN | {"MASTER_PORT": port()} if by == "fork" else {}
    return subprocess.run(command, check=False, cwd=ROOT, env=told, capture_output=True).returncode


@pytest.mark.slow
@pytest.mark.parametrize("by", ["fork", pytest.param("torchrun", marks=pytest.mark.full)])
def test_two_processes_train_as_one_does(by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = np.array(trained(tmp_path / "alone", monkeypatch).history)
    assert len(alone) == 4

    assert two_processes(tmp_path / "together", by=by) == 0
    together = np.loadtxt(tmp_path / "together" / "history.csv", delimiter=",", skiprows=1)
    np.testing.assert_allclose(together, alone, rtol=1e-4)


@pytest.mark.full
def test_what_two_processes_began_one_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Started by Lightning, and killed."""
    alone = np.array(trained(tmp_path / "alone", monkeypatch).history)
    killed = tmp_path / "killed"
    assert two_processes(killed, "kill", by="lightning") in (-signal.SIGKILL, -signal.SIGTERM)
    assert (killed / "last.ckpt").exists()
    np.testing.assert_allclose(np.array(trained(killed, monkeypatch).history), alone, rtol=1e-4)
