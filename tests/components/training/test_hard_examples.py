from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from components.faces.clip import Faces
from components.faces.policy import CropPolicy
from components.faces.store import ClipStore
from components.params import CandidateParams, Params
from components.training.dataset import ClipDataset
from components.training.fit import Fitted, fit
from components.training.hard_examples import HardExamples, remembered
from components.training.module import ClipClassifier
from components.training.sampling import EpochSampler, Items
from components.training.videos import Video

nan = float("nan")


@pytest.mark.parametrize(
    ("known", "items", "losses", "expected"),
    [
        ([nan, nan, nan], [2, 0], [0.5, 0.25], [0.25, nan, 0.5]),
        ([0.1, 0.2, 0.3], [1], [0.9], [0.1, 0.9, 0.3]),  # what was not drawn keeps its loss
        ([nan, 0.2], [0, 0, 0], [0.3, 0.6, 0.9], [0.6, 0.2]),  # drawn thrice: the mean
    ],
)
def test_losses_of_an_epoch(
    known: list[float], items: list[int], losses: list[float], expected: list[float]
) -> None:
    found = remembered(torch.tensor(known).double(), torch.tensor(items), torch.tensor(losses))
    assert found.tolist() == pytest.approx(expected, nan_ok=True)


def test_every_process_learns_the_losses_of_all() -> None:
    sampler = EpochSampler(Items(np.ones(6), np.zeros(6, int), np.zeros(6, int), 3), seed=1)
    mining = HardExamples(sampler)
    others = {torch.int64: torch.tensor([2, 0]), torch.float32: torch.tensor([0.5, 0.75])}
    module: Any = SimpleNamespace(
        trainer=SimpleNamespace(world_size=2),
        clip_losses=torch.tensor([0.25, 0.125]),
        all_gather=lambda mine: torch.stack([mine, others[mine.dtype]]),
    )
    batch: Any = SimpleNamespace(items=torch.tensor([0, 1]))
    mining.on_train_batch_end(module.trainer, module, None, batch, 0)
    mining.on_train_epoch_end(module.trainer, module)
    assert sampler.losses.tolist() == pytest.approx([0.5, 0.125, 0.5, nan, nan, nan], nan_ok=True)
    again = HardExamples(EpochSampler(Items(np.ones(6), np.zeros(6, int), np.zeros(6, int), 3), seed=1))
    again.load_state_dict(mining.state_dict())
    assert again.state_dict()["losses"].tolist() == pytest.approx(sampler.losses, nan_ok=True)


class Killed(BaseException):
    """Ends a training where it stands."""


@pytest.fixture
def clips(tmp_path: Path, make_faces: Callable[..., Faces]) -> ClipDataset:
    store = ClipStore(tmp_path / "clips")
    for number in range(8):
        store.write(str(number), make_faces(3, 32, shades=(30 * number,)))
    videos = [Video(str(n), "g", "train", n % 2, "none", str(n)) for n in range(8)]
    return ClipDataset(videos, store, policy=CropPolicy(size=32))


@pytest.fixture
def settings(params: Params) -> CandidateParams:
    update = {"epochs": 4, "frames": 2, "hard_examples": 0.4, "self_blended": 0.5, "balance": "sampler"}
    return params.candidates["simple_cnn"].model_copy(update=update)


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> list[list[Any]]:
    """What each epoch drew."""
    seen: list[list[Any]] = []
    draws = EpochSampler.__iter__

    def observed(self: EpochSampler) -> Any:
        seen.append(list(draws(self)))
        return iter(seen[-1])

    monkeypatch.setattr(EpochSampler, "__iter__", observed)
    return seen


def train(settings: CandidateParams, clips: ClipDataset, folder: Path) -> Fitted:
    return fit(settings, clips, clips, folder, lambda metrics, epoch: None)


def test_a_killed_training_draws_what_it_would_have_drawn_with_any_number_of_processes(
    settings: CandidateParams,
    clips: ClipDataset,
    orders: list[list[Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = train(settings, clips, tmp_path / "whole")
    undisturbed = orders.copy()
    orders.clear()

    def killed(self: ClipClassifier, *_: object) -> None:
        if self.current_epoch == 2:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(ClipClassifier, "on_validation_start", killed)
        with pytest.raises(Killed):
            train(settings, clips, tmp_path / "killed")
    resumed = train(settings.model_copy(update={"workers": 1}), clips, tmp_path / "killed")
    assert orders == [*undisturbed[:3], *undisturbed[2:]]
    assert resumed.history == whole.history
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name])


def test_the_hardest_of_an_epoch_are_in_the_next(
    settings: CandidateParams,
    clips: ClipDataset,
    orders: list[list[Any]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    told: list[np.ndarray[Any, Any]] = []
    end = HardExamples.on_train_epoch_end

    def observed(self: HardExamples, *of: Any) -> None:
        end(self, *of)
        told.append(self._sampler.losses.copy())

    monkeypatch.setattr(HardExamples, "on_train_epoch_end", observed)
    train(settings.model_copy(update={"epochs": 3}), clips, tmp_path)
    for losses, draws in zip(told[:2], orders[1:], strict=True):
        hardest = np.argsort(-np.nan_to_num(losses, nan=-1), kind="stable")[: round(0.4 * 10)]
        assert {int(item) for item in hardest} <= {draw.clip + 8 * draw.forged for draw in draws}
    assert len(orders[0]) == 10
