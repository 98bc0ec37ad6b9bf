"""What a trained candidate says about videos."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from components.models import Candidate
from components.training.batches import video_logits
from components.training.dataset import ClipDataset
from components.training.loader import whole_batches
from components.training.videos import LABELS, Video
from components.training.workers import told_plainly


@told_plainly()
def predict(
    model: Candidate, clips: ClipDataset, videos: Sequence[Video], batch_size: int, workers: int = 0
) -> list[dict[str, Any]]:
    """Returns rows of `components.tables.PREDICTIONS`, from all stored frames of each face that is scored.

    Args:
        model: in evaluation mode.
        clips: those of `videos`, in the same order.
        videos: what the rows tell beside the logit.
        batch_size: clips at a time.
        workers: processes that read clips ahead.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = model.to(device)
    logits: dict[int, float] = {}
    with torch.inference_mode():
        for batch in whole_batches(clips, batch_size, workers):
            batch_logits = _fake_minus_real(model, batch.faces.to(device))
            logits.update(zip(batch.indices, batch_logits.tolist(), strict=True))
    return [_row(video, logits[index]) for index, video in enumerate(videos)]


def _fake_minus_real(model: Candidate, faces: Tensor) -> Tensor:
    """(B,) of videos, faces (B, K, T, 3, S, S)."""
    logits = video_logits(lambda clips: model(model.prepare(clips)), faces).double()
    difference: Tensor = logits[:, LABELS["fake"]] - logits[:, LABELS["real"]]
    return difference


def _row(video: Video, logit: float) -> dict[str, Any]:
    return {
        "video_id": video.video_id,
        "group": video.group,
        "split": video.split,
        "label": video.label,
        "method": video.method,
        "logit": logit,
    }
