"""Fitting one candidate: set up, resume, fit, take the best epoch's weights."""

import logging
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from lightning.pytorch import Trainer, seed_everything
from lightning.pytorch.callbacks import Callback, ModelCheckpoint

from components.errors import ParamsError, TrainingError
from components.models import Candidate, create
from components.params import CandidateParams, Metric, TrainingParams
from components.params.training import Precision
from components.training.averaging import Averaging
from components.training.callbacks import AtomicCheckpointIO, History, OnEpoch, RightEpoch, Stopping, ignore
from components.training.check import check_precision
from components.training.dataset import ClipDataset, method_names
from components.training.distributed import Processes, processes, with_shared_statistics
from components.training.features import cached_features
from components.training.hard_examples import HardExamples
from components.training.history import Epoch, best_epoch
from components.training.loader import epoch_sampler, training_batches, whole_batches
from components.training.losses import class_weights
from components.training.memory import keep_freed_memory
from components.training.module import ClipClassifier
from components.training.progress import TrainingBar
from components.training.sampling import EpochSampler
from components.training.workers import told_plainly

log = logging.getLogger(__name__)

MODES: dict[Metric, Literal["min", "max"]] = {"loss": "min", "auc": "max", "f1": "max", "accuracy": "max"}
"""What is better."""

PRECISIONS: dict[Precision, Literal["32-true", "bf16-mixed", "16-mixed"]] = {
    "fp32": "32-true",
    "bf16": "bf16-mixed",
    "fp16": "16-mixed",
}
"""By the names that Lightning gives them."""


@dataclass(frozen=True)
class Fitted:
    """A trained network, with the weights of its best epoch, in evaluation mode on the CPU.

    Of several processes only the first has those weights.
    """

    model: Candidate
    history: Sequence[Epoch]
    best: Epoch


@told_plainly()
def fit(
    settings: CandidateParams,
    train: ClipDataset,
    val: ClipDataset,
    folder: Path,
    on_epoch: OnEpoch,
    features: Path | None = None,
) -> Fitted:
    """Trains a candidate until its epochs are over or it no longer gets better on validation clips.

    Args:
        settings: what it is, and how it learns.
        train: clips to learn from.
        val: clips by which the best epoch is chosen.
        folder: for checkpoints. Where an earlier, killed call with the same arguments left some, the
            training goes on from there to the same result.
        on_epoch: gets each epoch's metrics.
        features: folder in which features of frozen backbones stay; by default they go with the checkpoints.

    Raises:
        ParamsError: no such network, or it cannot be as it is told to be.
        TrainingError: its weights are out of reach, it diverged, or there are too many devices for the data.
    """
    together = processes()
    part = _part(settings, val, together)
    prepare_torch(settings)
    model = with_shared_statistics(build_candidate(settings, train), together)
    if settings.cache_features:
        log.info("%s: features are kept, so clips are not augmented", settings.network.name)
        kept = features or folder / "features"
        train, val = (cached_features(model, clips, settings, kept) for clips in (train, val))
    sampler = epoch_sampler(train, settings)
    weights = class_weights(sampler.items.drawn_by_class) if settings.balance == "weights" else None
    module = ClipClassifier(model, settings, weights)
    history = _history(on_epoch, together)
    callbacks = [history, RightEpoch(sampler), *_mining(settings, sampler)]
    with _tamed():
        _trainer(settings, folder, callbacks, together).fit(
            module,
            training_batches(train, settings, together, sampler),
            whole_batches(val, part, settings.workers, together),
            ckpt_path=last if (last := folder / "last.ckpt").exists() else None,
            weights_only=True,
        )
    best = best_epoch(history.epochs, settings.early_stopping.metric)
    if together.chief:  # the others are done, and need not wait for the file
        checkpoint = torch.load(folder / "best.ckpt", map_location="cpu", weights_only=True)
        module.load_state_dict(checkpoint["state_dict"])
    return Fitted(model.cpu().eval(), history.epochs, best)


def _part(settings: TrainingParams, val: ClipDataset, together: Processes) -> int:
    """Clips of a batch that fall to each process."""
    if len(val) < together.count:
        raise TrainingError(f"{together.count} processes for {len(val)} validation videos; use fewer devices")
    return together.part(settings.batch_size)


def _history(on_epoch: OnEpoch, together: Processes) -> History:
    """The first process tells the epochs."""
    watched = on_epoch if together.chief else ignore
    return History(watched, verbose=together.chief and not sys.stderr.isatty())


def prepare_torch(settings: TrainingParams) -> None:
    """Sets up the process: seeds, threads, memory, and algorithms that give the same result each time.

    Raises:
        TrainingError: half precision is asked for where there is no GPU.
    """
    keep_freed_memory()
    seed_everything(settings.seed, verbose=False)
    torch.use_deterministic_algorithms(True, warn_only=True)
    check_precision(settings.precision)
    if settings.num_threads:
        torch.set_num_threads(settings.num_threads)


def build_candidate(settings: CandidateParams, train: ClipDataset) -> Candidate:
    """Returns the network as its training needs it.

    Raises:
        ParamsError: clips of different lengths are asked for, and it cannot have them in one batch.
    """
    model = create(settings.network, settings.augmentation.crop or train.crop_size)
    least, most = settings.frame_range
    if least != most and not model.takes_mask:
        raise ParamsError(
            f"{settings.network.name}: frames [{least}, {most}]: it takes clips of one length; set one number"
        )
    model.input_size = settings.augmentation.crop
    if settings.methods:
        model.add_method_head(len(method_names(train, settings.self_blended)))
    # Channels last: convolutions on a CPU take half the time.
    return model.to(memory_format=torch.channels_last)


def _trainer(
    settings: CandidateParams, folder: Path, watching: Sequence[Callback], together: Processes
) -> Trainer:
    return Trainer(
        accelerator="auto",
        precision=PRECISIONS[settings.precision],
        max_epochs=settings.epochs,
        accumulate_grad_batches=settings.accumulate,
        gradient_clip_val=settings.gradient_clip,
        deterministic="warn",
        callbacks=[*watching, *_guards(settings, folder), *_progress()],
        plugins=[AtomicCheckpointIO()],
        default_root_dir=folder,
        logger=False,
        enable_model_summary=False,
        enable_progress_bar=sys.stderr.isatty(),
        num_sanity_val_steps=0,
        **together.trainer_settings(),
    )


def _guards(settings: CandidateParams, folder: Path) -> list[Callback]:
    early_stopping = settings.early_stopping
    metric, mode = f"val_{early_stopping.metric}", MODES[early_stopping.metric]
    averaging = [Averaging(settings.ema)] if settings.ema else []
    stopping = Stopping(
        metric, patience=early_stopping.patience, min_delta=early_stopping.min_delta, verbose=False, mode=mode
    )
    best = ModelCheckpoint(
        folder,
        "best",
        monitor=metric,
        mode=mode,
        save_weights_only=not averaging,  # else Lightning does not ask the callbacks, and keeps raw weights
        enable_version_counter=False,
    )
    last = ModelCheckpoint(folder, "last", save_on_train_epoch_end=True, enable_version_counter=False)
    return [*averaging, stopping, best, last]


def _mining(settings: CandidateParams, sampler: EpochSampler) -> list[Callback]:
    return [HardExamples(sampler)] if settings.hard_examples else []


def _progress() -> list[Callback]:
    return [TrainingBar()] if sys.stderr.isatty() else []


@contextmanager
def _tamed() -> Iterator[None]:
    """Lightning without its remarks on hardware and workers, and without its own idea of Ctrl-C."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning")
            yield
    except SystemExit as error:
        raise KeyboardInterrupt from error
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
