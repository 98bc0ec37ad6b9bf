import pytest
import torch

from components.params import AugmentationParams
from components.training.augmentation import augmentation

NONE = {"flip": 0.0, "brightness": 0.0, "contrast": 0.0, "shift": 0.0}
SIZE = 16


def still(frames: int = 5) -> torch.Tensor:
    """One picture `frames` times."""
    picture = torch.randint(40, 200, (1, 3, SIZE, SIZE), dtype=torch.uint8, generator=torch.Generator())
    return picture.expand(frames, -1, -1, -1).clone()


def test_off_means_untouched() -> None:
    assert torch.equal(augmentation(AugmentationParams(**NONE), SIZE)(still()), still())


@pytest.mark.parametrize("kind", list(NONE))
def test_all_frames_of_a_clip_change_alike(kind: str) -> None:
    transform = augmentation(AugmentationParams(**NONE | {kind: 0.5}), SIZE)
    torch.manual_seed(0)
    results = [transform(still()) for _ in range(12)]
    for clip in results:
        assert clip.shape == (5, 3, SIZE, SIZE)
        assert clip.dtype == torch.uint8
        assert all(torch.equal(clip[0], frame) for frame in clip)
    assert len({clip.numpy().tobytes() for clip in results}) > 1


def test_a_shift_keeps_to_its_share() -> None:
    marked = torch.zeros(1, 3, SIZE, SIZE, dtype=torch.uint8)
    marked[:, :, 8, 8] = 255
    transform = augmentation(AugmentationParams(**NONE | {"shift": 0.125}), SIZE)
    torch.manual_seed(0)
    places = {tuple(transform(marked)[0, 0].nonzero()[0].tolist()) for _ in range(200)}
    assert places == {(y, x) for y in range(6, 11) for x in range(6, 11)}
