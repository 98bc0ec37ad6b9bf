"""One optimisation step of a recipe, as training takes it, and what must be true of it."""

import logging
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from torch import Tensor
from torch.nn import BatchNorm2d
from torch.nn.modules.batchnorm import _BatchNorm

from benchmarks.recipe_clips import Made, dataset, paint
from components.export.onnx import ExportedDetector, to_onnx
from components.export.parity import difference
from components.faces.policy import CropPolicy
from components.models import Candidate
from components.params import CandidateParams
from components.training.dataset import ClipDataset
from components.training.features import cached_features
from components.training.fit import PRECISIONS, build_candidate, prepare_torch
from components.training.loader import training_batches, whole_batches
from components.training.module import ClipClassifier

TOLERANCE = 1e-4
"""Of a probability or an attention between torch and ONNX Runtime."""

OPSET = 18
LENGTHS = (3, 8)
"""Frames of the clips that a network of single frames is compared on."""


class Step(NamedTuple):
    """What became of it."""

    loss: float
    seconds: float  # of the whole step
    frames: int  # that went through the backbone
    learning: int  # parameters
    frozen: int
    parity: float
    faults: tuple[str, ...]  # empty: all is as it must be


def one_step(
    settings: CandidateParams, policy: CropPolicy, checkpointing: bool = False, exporting: bool = True
) -> Step:
    """Take one step on random clips, hold what it changed against what should change, and export.

    Args:
        settings: of the candidate; batch, frames, accumulation and precision are as they say.
        policy: says how large the stored crops are.
        checkpointing: forget what the backbone computed on the way, and compute it again for the gradients.
        exporting: whether to export; if not, the parity is not known.
    """
    train, val = step_clips(settings, policy)
    prepare_torch(settings)
    model = build_candidate(settings, train)
    open_branches(model)
    if checkpointing:
        model.backbone.set_grad_checkpointing()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    watch = Watch()
    with quiet(), TemporaryDirectory() as folder:
        if settings.cache_features:
            train, val = (cached_features(model, clips, settings, Path(folder)) for clips in (train, val))
        trainer = Trainer(
            accelerator="cpu",
            precision=PRECISIONS[settings.precision],
            max_epochs=settings.epochs,
            accumulate_grad_batches=settings.accumulate,
            gradient_clip_val=settings.gradient_clip,
            callbacks=[watch],
            logger=False,
            enable_checkpointing=False,
            enable_model_summary=False,
            enable_progress_bar=False,
            num_sanity_val_steps=0,
            default_root_dir=folder,
        )
        module = ClipClassifier(model, settings)
        trainer.fit(module, training_batches(train, settings), whole_batches(val, 1))
    found = list(faults(model, before, watch, settings))
    parity = float("nan")
    if exporting:
        parity, spread = exported(model, settings, policy)
        if not parity <= TOLERANCE:
            found.append(f"ONNX differs by {parity:.2g}")
        if not spread > TOLERANCE:
            found.append(f"all clips get the same probability, to {spread:.2g}: nothing was compared")
    sizes = {name: value.numel() for name, value in model.named_parameters()}
    frozen = sum(size for name, size in sizes.items() if should_be_frozen(name, settings))
    return Step(
        loss=watch.loss,
        seconds=watch.seconds,
        frames=watch.frames,
        learning=sum(sizes.values()) - frozen,
        frozen=frozen,
        parity=parity,
        faults=tuple(found),
    )


def step_clips(settings: CandidateParams, policy: CropPolicy) -> tuple[ClipDataset, ClipDataset]:
    """As many clips as one step takes, of all lengths that there may be, and two to validate on."""
    draws = settings.batch_size * settings.accumulate
    clips = draws // 2 if settings.self_blended else draws
    genuine = settings.learn_from == "genuine"
    lengths = np.linspace(*policy.sampling.lengths, clips).round().astype(int)
    rows = [
        (Made(number, frames=int(length)), 0 if genuine else number % 2)
        for number, length in enumerate(lengths)
    ]
    validated = [(Made(clips, frames=2), 0), (Made(clips, "patch", frames=2), 1)]
    return dataset(rows, "train", policy), dataset(validated, "val", policy)


@torch.no_grad()
def open_branches(model: Candidate) -> None:
    """Let gradients into residual branches, which networks that have learnt nothing yet begin without.

    The last batch norm of each then weighs zero, and so do the gradients of all that is before it.
    """
    for module in model.modules():
        if isinstance(module, BatchNorm2d) and not module.weight.any():
            module.weight.fill_(0.5)


class Watch(Callback):
    """Notes the loss, the gradients and the time of the first step, and then ends the training."""

    def __init__(self) -> None:
        self.loss = self.seconds = float("nan")
        self.frames = 0
        self.gradients: dict[str, Tensor] = {}
        self._began = 0.0

    def on_train_batch_start(self, trainer: Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        self._began = self._began or time.perf_counter()
        whole = batch.clips.shape[0] * batch.clips.shape[1]
        self.frames += whole if batch.mask is None else int(batch.mask.sum())

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.loss = float(outputs["loss"])
        self.seconds = time.perf_counter() - self._began

    def on_before_optimizer_step(self, trainer: Trainer, pl_module: Any, optimizer: Any) -> None:
        self.gradients = {
            name: value.grad.norm()
            for name, value in pl_module.model.named_parameters()
            if value.grad is not None
        }

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        trainer.should_stop = True


def should_be_frozen(name: str, settings: CandidateParams) -> bool:
    """Whether a weight or a statistic of this name must stay as it is."""
    return bool(getattr(settings.network, "freeze", False)) and name.startswith("backbone.")


def faults(
    model: Candidate, before: Mapping[str, Tensor], watch: Watch, settings: CandidateParams
) -> Iterator[str]:
    """What is not as it must be after the step, one by one."""
    if not np.isfinite(watch.loss):
        yield f"loss is {watch.loss}"
    for name, _ in model.named_parameters():
        found = watch.gradients.get(name)
        if should_be_frozen(name, settings):
            if found is not None:
                yield f"{name} is frozen and has a gradient"
        elif found is None or not found.isfinite() or not found:
            yield f"{name} has the gradient {'none' if found is None else float(found)}"
    for name, now in model.state_dict().items():
        same = torch.equal(before[name], now)
        if same != should_be_frozen(name, settings):
            yield f"{name} has {'not ' if same else ''}changed"


def exported(model: Candidate, settings: CandidateParams, policy: CropPolicy) -> tuple[float, float]:
    """Largest difference between torch and ONNX Runtime, over clips of different lengths and padded ones.

    Returns:
        The difference, and how far the probabilities of the clips lie apart.
    """
    least, most = settings.frame_range
    lengths = LENGTHS if most == 1 else (least, (least + most) // 2, most)
    clips = [paint(Made(900 + length, frames=length), policy.size) for length in lengths]
    settle(model, torch.from_numpy(clips[-1]).permute(0, 3, 1, 2)[None])
    detector = ExportedDetector(model.eval())
    content = to_onnx(detector, lengths[0], policy.size, OPSET)
    with torch.inference_mode():
        logits = torch.cat([detector(torch.from_numpy(clip)[None])[0] for clip in clips])
    return difference(detector, content, clips), float(logits.sigmoid().max() - logits.sigmoid().min())


@torch.no_grad()
def settle(model: Candidate, clips: Tensor) -> None:
    """Give batch norms the statistics of some clips, as they have after a training.

    With those of the beginning all activations fade, and whatever is compared is alike.
    """
    model.train()
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.train()
            module.momentum = 1.0
    model(model.prepare(clips))


@contextmanager
def quiet() -> Iterator[None]:
    """Without Lightning's remarks."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
