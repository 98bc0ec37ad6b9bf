import torch

from components.models.base import MEAN, STD, normalise


def test_black_and_white_land_on_imagenets_values() -> None:
    clips = torch.zeros(1, 2, 3, 4, 4, dtype=torch.uint8)
    clips[:, 1] = 255
    black, white = normalise(clips)[0]
    for channel in range(3):
        torch.testing.assert_close(black[channel], torch.full((4, 4), -MEAN[channel] / STD[channel]))
        torch.testing.assert_close(white[channel], torch.full((4, 4), (1 - MEAN[channel]) / STD[channel]))
