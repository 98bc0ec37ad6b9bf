"""Fitting one candidate: set up, resume, fit, take the best epoch's weights."""

import logging
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from lightning.pytorch import Trainer, seed_everything
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, RichProgressBar
from torch.utils.data import DataLoader

from components.errors import ParamsError
from components.models import Candidate, create
from components.params import CandidateParams, Metric, TrainingParams
from components.training.augmentation import augmentation
from components.training.batches import ClipBatch, WholeBatch, WholeVideos, collate
from components.training.callbacks import AtomicCheckpointIO, History, OnEpoch, Stopping
from components.training.dataset import ClipDataset, DrawnClips, EpochSampler
from components.training.history import Epoch, best_epoch
from components.training.losses import class_weights
from components.training.module import ClipClassifier

MODES: dict[Metric, Literal["min", "max"]] = {"loss": "min", "auc": "max", "f1": "max"}
"""What is better."""


@dataclass(frozen=True)
class Fitted:
    """A trained network, with the weights of its best epoch, in evaluation mode on the CPU."""

    model: Candidate
    history: Sequence[Epoch]
    best: Epoch


def fit(
    settings: CandidateParams,
    train: ClipDataset,
    val: ClipDataset,
    folder: Path,
    on_epoch: OnEpoch,
) -> Fitted:
    """Train a candidate until its epochs are over or it no longer gets better on validation clips.

    Args:
        settings: what it is, and how it learns.
        train: clips to learn from.
        val: clips by which the best epoch is chosen.
        folder: for checkpoints. Where an earlier, killed call with the same arguments left some, the
            training goes on from there to the same result.
        on_epoch: gets each epoch's metrics.

    Raises:
        ParamsError: no such network, or it cannot be as it is told to be.
        TrainingError: its weights are out of reach, or it diverged.
    """
    prepare(settings)
    model = build(settings, train)
    weights = class_weights(train.labels) if settings.balance == "weights" else None
    module = ClipClassifier(model, settings, weights)
    history = History(on_epoch, verbose=not sys.stderr.isatty())
    last = folder / "last.ckpt"
    with _tamed():
        trainer = _trainer(settings, folder, history)
        trainer.fit(
            module,
            training_batches(train, settings),
            whole_batches(val, settings.batch_size),
            ckpt_path=last if last.exists() else None,
            weights_only=True,
        )
    best = best_epoch(history.epochs, settings.early_stopping.metric)
    checkpoint = torch.load(folder / "best.ckpt", map_location="cpu", weights_only=True)
    module.load_state_dict(checkpoint["state_dict"])
    return Fitted(model.cpu().eval(), history.epochs, best)


def prepare(settings: TrainingParams) -> None:
    """Seed every generator and ask for the algorithms that give the same result each time."""
    seed_everything(settings.seed, verbose=False)
    torch.use_deterministic_algorithms(True, warn_only=True)
    if settings.num_threads:
        torch.set_num_threads(settings.num_threads)


def build(settings: CandidateParams, train: ClipDataset) -> Candidate:
    """The network as its training needs it.

    Raises:
        ParamsError: clips of different lengths are asked for, and it cannot have them in one batch.
    """
    model = create(settings.network)
    least, most = settings.frame_range
    if least != most and not model.takes_mask:
        raise ParamsError(
            f"{settings.network.name}: frames [{least}, {most}]: it takes clips of one length; set one number"
        )
    model.input_size = settings.augmentation.crop
    if settings.methods:
        model.add_method_head(len(train.methods))
    # Channels last: convolutions on a CPU take half the time.
    return model.to(memory_format=torch.channels_last)


def training_batches(clips: ClipDataset, settings: CandidateParams) -> DataLoader[ClipBatch]:
    """Drawn and augmented clips, shuffled anew in each epoch."""
    augment = augmentation(settings.augmentation, clips.crop_size)
    drawn = DrawnClips(clips, settings.frame_range, augment, settings.seed)
    sampler = EpochSampler(len(drawn), settings.seed)
    loader: DataLoader[Any] = DataLoader(drawn, settings.batch_size, sampler=sampler, collate_fn=collate)
    return loader


def whole_batches(clips: ClipDataset, batch_size: int) -> DataLoader[WholeBatch]:
    """All stored frames of all faces; see `WholeVideos`."""
    return DataLoader(WholeVideos(clips, batch_size), batch_size=None)


def _trainer(settings: CandidateParams, folder: Path, history: History) -> Trainer:
    return Trainer(
        accelerator="auto",
        devices=1,
        max_epochs=settings.epochs,
        accumulate_grad_batches=settings.accumulate,
        gradient_clip_val=settings.gradient_clip,
        deterministic="warn",
        callbacks=[history, *_guards(settings, folder), *_progress()],
        plugins=[AtomicCheckpointIO()],
        default_root_dir=folder,
        logger=False,
        enable_model_summary=False,
        enable_progress_bar=sys.stderr.isatty(),
        num_sanity_val_steps=0,
    )


def _guards(settings: CandidateParams, folder: Path) -> list[Callback]:
    metric, mode = f"val_{settings.early_stopping.metric}", MODES[settings.early_stopping.metric]
    stopping = Stopping(
        metric, patience=settings.early_stopping.patience, min_delta=0.0, verbose=False, mode=mode
    )
    best = ModelCheckpoint(
        folder, "best", monitor=metric, mode=mode, save_weights_only=True, enable_version_counter=False
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
