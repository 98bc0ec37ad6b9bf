"""Fitting one candidate: set up, resume, fit, take the best epoch's weights."""

import logging
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from lightning.pytorch import Trainer, seed_everything
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, RichProgressBar
from torch.utils.data import DataLoader

from components.models import Candidate, create
from components.params import CandidateParams, TrainingParams
from components.training.augmentation import augmentation
from components.training.batches import WholeBatch, WholeVideos
from components.training.callbacks import AtomicCheckpointIO, History, OnEpoch, Stopping
from components.training.dataset import ClipDataset, DrawnClips, EpochSampler, Item
from components.training.history import Epoch, best_epoch
from components.training.module import ClipClassifier


@dataclass(frozen=True)
class Fitted:
    """A trained network, with the weights of its best epoch, in evaluation mode on the CPU."""

    model: Candidate
    history: Sequence[Epoch]
    best: Epoch


def fit(
    name: str,
    candidate: CandidateParams,
    training: TrainingParams,
    train: ClipDataset,
    val: ClipDataset,
    folder: Path,
    on_epoch: OnEpoch,
) -> Fitted:
    """Train a candidate until its epochs are over or its validation loss no longer falls.

    Args:
        name: of the candidate, as registered.
        candidate: its own settings.
        training: settings that all share.
        train: clips to learn from.
        val: clips by which the best epoch is chosen.
        folder: for checkpoints. Where an earlier, killed call with the same arguments left some, the
            training goes on from there to the same result.
        on_epoch: gets each epoch's metrics.

    Raises:
        ParamsError: no such candidate.
        TrainingError: its weights are out of reach, or it diverged.
    """
    prepare(training)
    # Channels last: convolutions on a CPU take half the time.
    model = create(name, candidate.pretrained).to(memory_format=torch.channels_last)
    module = ClipClassifier(model, candidate, training)
    history = History(on_epoch, verbose=not sys.stderr.isatty())
    last = folder / "last.ckpt"
    with _tamed():
        trainer = _trainer(candidate, training, folder, history)
        trainer.fit(
            module,
            training_batches(train, candidate.batch_size, training),
            whole_batches(val, candidate.batch_size),
            ckpt_path=last if last.exists() else None,
            weights_only=True,
        )
    best = best_epoch(history.epochs)
    checkpoint = torch.load(folder / "best.ckpt", map_location="cpu", weights_only=True)
    module.load_state_dict(checkpoint["state_dict"])
    return Fitted(model.cpu().eval(), history.epochs, best)


def prepare(training: TrainingParams) -> None:
    """Seed every generator and ask for the algorithms that give the same result each time."""
    seed_everything(training.seed, verbose=False)
    torch.use_deterministic_algorithms(True, warn_only=True)
    if training.num_threads:
        torch.set_num_threads(training.num_threads)


def training_batches(clips: ClipDataset, batch_size: int, training: TrainingParams) -> DataLoader[Item]:
    """Drawn and augmented clips, uint8 `(B, frames_per_clip, 3, S, S)`, shuffled anew in each epoch."""
    augment = augmentation(training.augmentation, clips.crop_size)
    drawn = DrawnClips(clips, training.frames_per_clip, augment, training.seed)
    return DataLoader(drawn, batch_size, sampler=EpochSampler(len(drawn), training.seed))


def whole_batches(clips: ClipDataset, batch_size: int) -> DataLoader[WholeBatch]:
    """All stored frames of all faces; see `WholeVideos`."""
    return DataLoader(WholeVideos(clips, batch_size), batch_size=None)


def _trainer(candidate: CandidateParams, training: TrainingParams, folder: Path, history: History) -> Trainer:
    return Trainer(
        accelerator="auto",
        devices=1,
        max_epochs=candidate.epochs,
        gradient_clip_val=training.gradient_clip,
        deterministic="warn",
        callbacks=[history, *_guards(training, folder), *_progress()],
        plugins=[AtomicCheckpointIO()],
        default_root_dir=folder,
        logger=False,
        enable_model_summary=False,
        enable_progress_bar=sys.stderr.isatty(),
        num_sanity_val_steps=0,
    )


def _guards(training: TrainingParams, folder: Path) -> list[Callback]:
    stopping = Stopping("val_loss", patience=training.early_stopping, min_delta=0.0, verbose=False)
    best = ModelCheckpoint(
        folder, "best", monitor="val_loss", save_weights_only=True, enable_version_counter=False
    )
    last = ModelCheckpoint(folder, "last", save_on_train_epoch_end=True, enable_version_counter=False)
    return [stopping, best, last]


def _progress() -> list[Callback]:
    return [RichProgressBar(console_kwargs={"stderr": True})] if sys.stderr.isatty() else []


@contextmanager
def _tamed() -> Iterator[None]:
    """Lightning without its remarks on hardware and workers, and without its own idea of Ctrl-C."""
    lightning = logging.getLogger("lightning.pytorch")
    level = lightning.level
    lightning.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning")
            yield
    except SystemExit as error:
        raise KeyboardInterrupt from error
    finally:
        lightning.setLevel(level)
