from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from components.models import Candidate
from components.training.dataset import ClipDataset
from components.training.predict import predict
from components.training.videos import Video


class Brightness(Candidate):
    """Real logit 1, fake logit the clip's mean of normalised pixels."""

    def forward(self, clips: Tensor) -> Tensor:
        fake = clips.mean(dim=(1, 2, 3, 4))
        return torch.stack([torch.ones_like(fake), fake], dim=1)


def shaded(name: str) -> NDArray[np.uint8]:
    """Faces by their shades, of as many frames as there are digits: "7,255" are two faces."""
    shades = [int(shade) for shade in name.split(",")]
    return np.stack([np.full((len(name), 4, 4, 3), shade, np.uint8) for shade in shades])


def logit(shade: int) -> float:
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    return float(((shade / 255 - mean) / std).mean() - 1)


def test_a_row_for_each_video_in_order(made_up_store: Any) -> None:
    videos = [
        Video(f"v{value}", "g", "test", label, "swap", clip=str(value))
        for value, label in ((0, 0), (128, 1), (255, 1))
    ]
    rows = predict(Brightness().eval(), ClipDataset(videos, made_up_store(shaded)), videos, batch_size=2)
    assert [row["video_id"] for row in rows] == ["v0", "v128", "v255"]
    assert [row["label"] for row in rows] == [0, 1, 1]
    np.testing.assert_allclose([row["logit"] for row in rows], [logit(v) for v in (0, 128, 255)], rtol=1e-5)
    assert set(rows[0]) == {"video_id", "group", "split", "label", "method", "logit"}


def test_the_most_suspicious_face_decides_in_clips_of_any_shape(made_up_store: Any) -> None:
    shades = ["3", "10,200", "250", "200,10", "77", "9,8,7", "50"]  # two lengths of one face, and more faces
    videos = [Video(f"v{name}", "g", "test", 0, "none", clip=name) for name in shades]
    rows = predict(Brightness().eval(), ClipDataset(videos, made_up_store(shaded)), videos, batch_size=2)
    assert [row["video_id"] for row in rows] == [video.video_id for video in videos]
    highest = [max(map(int, name.split(","))) for name in shades]
    np.testing.assert_allclose([row["logit"] for row in rows], [logit(v) for v in highest], rtol=1e-5)
