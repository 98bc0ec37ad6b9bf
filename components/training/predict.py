"""What a trained candidate says about videos."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from components.models import Candidate, normalise
from components.training.dataset import ClipDataset
from components.training.fit import whole_batches
from components.training.videos import LABELS, Video


def predict(
    model: Candidate, clips: ClipDataset, videos: Sequence[Video], batch_size: int
) -> list[dict[str, Any]]:
    """Rows of `components.tables.PREDICTIONS`, from all stored frames of each clip.

    Args:
        model: in evaluation mode.
        clips: those of `videos`, in the same order.
        videos: what the rows tell beside the logit.
        batch_size: clips at a time.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = model.to(device)
    with torch.inference_mode():
        logits = [_logits(model, batch.to(device)) for batch, _ in whole_batches(clips, batch_size)]
    return [_row(video, logit) for video, logit in zip(videos, torch.cat(logits).tolist(), strict=True)]


def _logits(model: Candidate, clips: Tensor) -> Tensor:
    """(B,) fake minus real."""
    logits = model(normalise(clips)).double()
    fake_minus_real: Tensor = logits[:, LABELS["fake"]] - logits[:, LABELS["real"]]
    return fake_minus_real.cpu()


def _row(video: Video, logit: float) -> dict[str, Any]:
    return {
        "video_id": video.video_id,
        "group": video.group,
        "split": video.split,
        "label": video.label,
        "method": video.method,
        "logit": logit,
    }
