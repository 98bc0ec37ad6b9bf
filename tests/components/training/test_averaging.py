from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from components.errors import TrainingError
from components.models import Candidate
from components.training import fit as fitting
from components.training.averaging import moving
from components.training.batches import video_logits
from components.training.callbacks import ignore
from components.training.fit import fit
from components.training.loader import whole_batches
from components.training.losses import clip_losses
from tests.components.training.tiny import Tiny, clips, settings


@pytest.mark.parametrize(
    ("steps", "decay", "kept"),
    [(1, 0.999, 2 / 11), (90, 0.999, 91 / 100), (10**6, 0.999, 0.999), (90, 0.5, 0.5)],
)
def test_an_average_moves_faster_at_first(steps: int, decay: float, kept: float) -> None:
    averaged = [torch.ones(3), torch.ones(1)]
    moving(decay)(averaged, [torch.zeros(3), torch.zeros(1)], torch.tensor(steps))
    assert torch.cat(averaged).tolist() == pytest.approx([kept] * 4)


def test_counters_are_copied() -> None:
    counters = [torch.tensor(3)]
    moving(0.9)(counters, [torch.tensor(8)], 5)
    assert counters[0] == 8


def validation_loss(model: Candidate, told: Any) -> float:
    def classify(frames: Tensor) -> Tensor:
        logits: Tensor = model(model.prepare(frames))
        return logits

    losses = []
    with torch.inference_mode():
        for batch in whole_batches(clips(6, "val"), 4):
            losses += clip_losses(told.loss, video_logits(classify, batch.faces), batch.labels).tolist()
    return sum(losses) / len(losses)


@pytest.mark.parametrize("others", [{"ema": 0.7}, {"precision": "bf16"}, {"ema": 0.7, "precision": "bf16"}])
def test_what_was_validated_is_what_is_kept(
    others: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In full precision, with the average's own batch-norm statistics."""
    monkeypatch.setattr(fitting, "create", lambda *told: Tiny())
    told = settings(**others)
    fitted = fit(told, clips(8), clips(6, "val"), tmp_path, ignore)
    assert validation_loss(fitted.model, told) == pytest.approx(fitted.best.val_loss, rel=1e-5)
    checkpoint = torch.load(tmp_path / "last.ckpt", weights_only=True)
    if "ema" in others:
        raw, kept = checkpoint["current_model_state"], checkpoint["state_dict"]
        assert not torch.allclose(raw["model.hidden.0.weight"], kept["model.hidden.0.weight"])
        assert not torch.allclose(raw["model.hidden.1.running_var"], kept["model.hidden.1.running_var"])


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU has it")
def test_half_precision_needs_a_gpu(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="precision fp16 needs a GPU; set precision: bf16 or fp32"):
        fit(settings(precision="fp16"), clips(4), clips(4), tmp_path, ignore)
