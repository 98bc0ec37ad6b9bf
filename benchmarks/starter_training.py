"""EfficientNet-B0 learns to tell a genuine frame from its own forgery. `benchmarks/starter.py` calls this.

A module of its own, not the project's candidates: these see clips, and start from what is made here.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import timm
import torch
from lightning.pytorch import LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import Callback, EMAWeightAveraging, ModelCheckpoint
from safetensors.torch import load_file
from starter_faces import FRAMES, Faces
from starter_pairs import AUGMENTATION, COLOURS, EveryPerson, Pairs
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader
from torchmetrics.functional.classification import binary_auroc

from components.models.base import normalise
from components.params import AugmentationParams

ARCHITECTURE = "efficientnet_b0"
SMOOTHING = 0.05


@dataclass(frozen=True)
class Settings:
    """How the network learns."""

    seed: int
    epochs: int
    lr: float
    start: Path | None = None  # weights of a backbone to go on from, with colours that vary
    people: int = 32  # of a batch, each with two pictures
    weight_decay: float = 0.05
    ema: float = 0.99  # decay of the weights' moving average, per step
    threads: int = 1


class GenuineOrForged(LightningModule):
    """A backbone without classifier and a linear head, from pairs (B, 2, 3, S, S), genuine first."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.backbone = timm.create_model(ARCHITECTURE, num_classes=0, drop_rate=0.0)
        if settings.start:
            self.backbone.load_state_dict(weights(settings.start))
        self.backbone = self.backbone.to(memory_format=torch.channels_last)  # twice as fast on a CPU
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(self.backbone.num_features, 1))
        self._settings = settings
        self._seen: list[Tensor] = []

    def forward(self, pairs: Tensor) -> Tensor:
        """Logits (B, 2) of uint8 pairs."""
        pictures = normalise(pairs).flatten(0, 1).contiguous(memory_format=torch.channels_last)
        logits: Tensor = self.head(self.backbone(pictures))
        return logits.view(-1, 2)

    def training_step(self, pairs: Tensor, index: int) -> Tensor:
        logits = self(pairs)
        aims = torch.tensor([SMOOTHING, 1 - SMOOTHING]).expand_as(logits)
        loss = nn.functional.binary_cross_entropy_with_logits(logits, aims)
        # What tells two pictures of one person apart is learnt long before what tells any forgery.
        loss = loss + nn.functional.softplus(logits[:, 0] - logits[:, 1]).mean()
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(pairs))
        return loss

    def validation_step(self, pairs: Tensor, index: int) -> None:
        self._seen.append(self(pairs))

    def on_validation_epoch_end(self) -> None:
        self.log("val_auc", auc(torch.cat(self._seen)))
        self._seen.clear()

    def configure_optimizers(self) -> tuple[list[Optimizer], list[dict[str, object]]]:
        settings = self._settings
        plain = [weight for weight in self.parameters() if weight.ndim < 2]  # biases and normalisation
        decayed = [weight for weight in self.parameters() if weight.ndim >= 2]
        groups = [{"params": decayed}, {"params": plain, "weight_decay": 0.0}]
        optimizer = AdamW(groups, lr=settings.lr, weight_decay=settings.weight_decay, fused=True)
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = OneCycleLR(optimizer, settings.lr, steps, pct_start=0.15)
        return [optimizer], [{"scheduler": schedule, "interval": "step"}]


def auc(logits: Tensor) -> float:
    """Area under the ROC of pairs (N, 2), genuine first."""
    return float(binary_auroc(logits.flatten(), torch.tensor([0, 1]).repeat(len(logits))))


def train(faces: Faces, held_out: Faces, settings: Settings, folder: Path) -> GenuineOrForged:
    """Learn from `faces`; the moving average of the weights is kept. Goes on where it was interrupted."""
    torch.set_num_threads(settings.threads)
    seed_everything(settings.seed)
    module = GenuineOrForged(settings)
    sampler = EveryPerson(len(faces.people), FRAMES, settings.seed)
    pairs = Pairs(faces, settings.seed, COLOURS if settings.start else AUGMENTATION)
    batches = DataLoader(pairs, settings.people, sampler=sampler, drop_last=True)
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=settings.epochs,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        gradient_clip_val=1.0,
        callbacks=[
            EMAWeightAveraging(decay=settings.ema),
            ModelCheckpoint(folder, "last", save_top_k=1, enable_version_counter=False),
            Told(),
        ],
    )
    last = folder / "last.ckpt"
    trainer.fit(module, batches, held_out_pairs(held_out), ckpt_path=last if last.exists() else None)
    return module


class Told(Callback):
    """A line after each epoch."""

    def on_fit_start(self, trainer: Trainer, module: LightningModule) -> None:
        self._start = time.monotonic()

    def on_train_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:
        found = {name: round(float(value), 4) for name, value in trainer.callback_metrics.items()}
        minutes = (time.monotonic() - self._start) / 60
        print(
            f"epoch {trainer.current_epoch + 1} of {trainer.max_epochs}, {minutes:.1f} min: {found}",
            flush=True,
        )


def weights(path: Path) -> dict[str, Tensor]:
    """Of a backbone, fp32, from its file."""
    return {name: tensor.float() for name, tensor in load_file(path).items()}


GREY = AugmentationParams(flip=0.0, brightness=0.0, contrast=0.0, shift=0.0, grey=1.0)


def held_out_pairs(faces: Faces, augmented: AugmentationParams | None = None) -> DataLoader[Tensor]:
    """Two frames of each person, with forgeries that are always the same, by default as they are."""
    draws = [(0, row, frame) for row in range(len(faces.people)) for frame in (0, FRAMES // 2)]
    return DataLoader(Pairs(faces, seed=1, augmented=augmented), 64, sampler=draws)


def held_out_auc(module: GenuineOrForged, faces: Faces, augmented: AugmentationParams | None = None) -> float:
    """Of a module as it is now."""
    module.eval()
    with torch.inference_mode():
        return auc(torch.cat([module(pairs) for pairs in held_out_pairs(faces, augmented)]))
