from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from components.arrays import Floats32
from components.faces.align import TEMPLATE
from components.training import self_blended
from components.training.self_blended import self_blend

SIZE = 64
FACE = (TEMPLATE / 112 * 34 + [15, 17]).astype(np.float32)  # as the default margin leaves it
UNKNOWN = np.full((5, 2), np.nan, np.float32)
SEEDS = range(24)


def picture(size: int = SIZE) -> Tensor:
    """(3, S, S): smooth noise, so that blur, shifts and tones all show."""
    noise = np.random.default_rng(0).integers(0, 256, (size // 2, size // 2, 3), np.uint8)
    fine = cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC)
    return torch.from_numpy(fine // 2 + 64).permute(2, 0, 1)


def still(frames: int = 4) -> tuple[Tensor, Floats32]:
    """One picture `frames` times, and its landmarks."""
    return picture().expand(frames, -1, -1, -1).clone(), np.stack([FACE] * frames)


def blend(
    seed: int, clip: Tensor, landmarks: Floats32, boxes: Floats32 | None = None
) -> tuple[Tensor, Tensor]:
    return self_blend(clip, landmarks, np.random.default_rng(seed), boxes)


def changes(seed: int) -> Tensor:
    clip, landmarks = still(1)
    return (blend(seed, clip, landmarks)[0].int() - clip.int()).abs()


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """No clip trembles."""
    monkeypatch.setattr(self_blended, "FLICKER", 0.0)


@pytest.fixture
def trembling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every clip trembles."""
    monkeypatch.setattr(self_blended, "FLICKER", 1.0)


def middle(mask: Tensor) -> Floats32:
    """Of a mask (S, S), as x and y."""
    y, x = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    return (torch.stack([(x * mask).sum(), (y * mask).sum()]) / mask.sum()).numpy()


@pytest.mark.parametrize("size", [32, 64, 65])
@pytest.mark.parametrize("frames", [1, 3])
def test_a_forged_clip_is_a_clip_with_a_mask(size: int, frames: int) -> None:
    clip = picture(size).expand(frames, -1, -1, -1)
    before = clip.clone()
    for seed in range(8):
        forged, mask = blend(seed, clip, np.stack([FACE * size / SIZE] * frames))
        assert forged.dtype == torch.uint8
        assert forged.shape == clip.shape
        assert mask.dtype == torch.float32
        assert mask.shape == (frames, size, size)
        assert mask.min() >= 0
        assert mask.max() <= 1
    assert torch.equal(clip, before)


def test_draws_follow_from_the_generator_alone() -> None:
    clip, landmarks = still()
    forged, mask = blend(5, clip, landmarks)
    np.random.seed(1)  # what is global must not matter
    torch.manual_seed(1)
    cv2.setRNGSeed(1)
    state = torch.get_rng_state()
    again, mask_again = blend(5, clip, landmarks)
    assert torch.equal(forged, again)
    assert torch.equal(mask, mask_again)
    assert torch.equal(state, torch.get_rng_state())
    assert len({blend(seed, clip, landmarks)[0].numpy().tobytes() for seed in SEEDS}) == len(SEEDS)


def test_a_generator_goes_on_to_the_next_clip() -> None:
    clip, landmarks = still()
    generator = np.random.default_rng(0)
    first, second = (self_blend(clip, landmarks, generator)[0] for _ in range(2))
    assert not torch.equal(first, second)


@pytest.mark.usefixtures("steady")
def test_a_still_clip_stays_still() -> None:
    clip, landmarks = still()
    for seed in SEEDS:
        forged, mask = blend(seed, clip, landmarks)
        assert (forged == forged[:1]).all()
        assert (mask == mask[:1]).all()


@pytest.mark.usefixtures("trembling")
def test_a_trembling_clip_trembles_within_bounds() -> None:
    clip, landmarks = still(8)
    moving = 0
    for seed in SEEDS:
        forged, mask = blend(seed, clip, landmarks)
        moving += bool((forged != forged[:1]).any())
        middles = np.stack([middle(frame) for frame in mask])
        assert np.ptp(middles, axis=0).max() < 0.1 * SIZE
    assert moving >= 0.8 * len(
        SEEDS
    )  # each of four ways to tremble is drawn for itself, and now and then none


def test_most_clips_do_not_tremble() -> None:
    clip, landmarks = still(2)
    same = [bool(torch.equal(*blend(seed, clip, landmarks)[0])) for seed in SEEDS]
    assert 0.4 < np.mean(same) < 0.9


def test_nothing_changes_outside_the_mask() -> None:
    clip, landmarks = still(2)
    for seed in SEEDS:
        forged, mask = blend(seed, clip, landmarks)
        outside = (mask < 1e-4)[:, None].expand_as(clip)
        assert outside.float().mean() > 0.15
        assert torch.equal(forged[outside], clip[outside])


def test_a_face_changes_visibly_and_stays_a_face() -> None:
    means = np.array([changes(seed).float().mean().item() for seed in SEEDS])
    peaks = np.array([changes(seed).max().item() for seed in SEEDS])
    assert (peaks >= 8).mean() > 0.9
    assert means.min() > 0
    assert means.max() < 25  # levels, over the whole crop


@pytest.mark.usefixtures("steady")
@pytest.mark.parametrize("shift", [(6, 0), (0, -5), (-4, 3)])
def test_mask_and_change_follow_the_landmarks(shift: tuple[int, int]) -> None:
    base = picture()
    clip = torch.stack([base, base.roll((shift[1], shift[0]), (1, 2))])
    landmarks = np.stack([FACE, FACE + np.array(shift, np.float32)])
    for seed in range(8):
        _, mask = blend(seed, clip, landmarks)
        whole = mask[0].roll((shift[1], shift[0]), (0, 1))
        inner = slice(8, -8)
        assert (whole - mask[1])[inner, inner].abs().max() < 0.02


@pytest.mark.usefixtures("steady")
@pytest.mark.parametrize(
    ("change", "area"),
    [
        (lambda points: (points - 32) * 0.7 + 32, 0.49),
        (lambda points: (points - 32) @ [[0.94, 0.34], [-0.34, 0.94]] + 32, 1.0),
    ],
)
def test_a_smaller_or_turned_face_has_the_same_mask_smaller_or_turned(
    change: Callable[[Floats32], Floats32], area: float
) -> None:
    clip, landmarks = still(2)
    landmarks[1] = change(FACE)
    for seed in range(8):
        _, mask = blend(seed, clip, landmarks)
        turned = np.array([middle(mask[0])])
        assert middle(mask[1]) == pytest.approx(change(turned)[0], abs=1.0)
        assert float(mask[1].sum() / mask[0].sum()) == pytest.approx(area, rel=0.08)


@pytest.mark.usefixtures("steady")
def test_a_frame_without_landmarks_lies_between_its_neighbours() -> None:
    clip, _ = still(4)
    landmarks = np.stack([UNKNOWN, FACE, UNKNOWN, FACE + np.array([8, 0], np.float32)])
    filled = np.stack([FACE, FACE, FACE + np.array([4, 0], np.float32), FACE + np.array([8, 0], np.float32)])
    for seed in range(4):
        _, mask = blend(seed, clip, landmarks)
        assert torch.allclose(mask, blend(seed, clip, filled)[1], atol=1e-3)


@pytest.mark.usefixtures("steady")
def test_without_any_landmarks_the_box_places_the_mask() -> None:
    clip, _ = still(2)
    landmarks = np.stack([UNKNOWN] * 2)
    boxes = np.array([[12, 7, 52, 57], [20, 7, 60, 57]], np.float32)
    for seed in range(8):
        forged, mask = blend(seed, clip, landmarks, boxes)
        assert middle(mask[1]) - middle(mask[0]) == pytest.approx([8, 0], abs=0.5)
        assert not torch.equal(forged, clip)
        assert torch.isfinite(blend(seed, clip, landmarks)[1]).all()


def test_eyes_alone_tell_where_an_upright_face_is() -> None:
    clip, landmarks = still(1)
    without_mouth = landmarks.copy()
    without_mouth[:, 3:] = np.nan  # MediaPipe's detector tells no corners of the mouth
    for seed in range(8):
        (_, expected), (_, mask) = blend(seed, clip, landmarks), blend(seed, clip, without_mouth)
        assert middle(mask[0]) == pytest.approx(middle(expected[0]), abs=1.0)


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((5, 2)),  # all in one place
        np.array([[30, 24], [31, 24], [26, 32], [30, 40], [31, 40]]),  # a profile
        np.array([[24, 30], [40, 30], [32, 32], [26, 31], [38, 31]]),  # seen from above
        FACE + 500,
        FACE * 1e6,
    ],
)
def test_odd_landmarks_still_make_a_clip(points: Floats32) -> None:
    clip, _ = still(2)
    for seed in range(8):
        forged, mask = blend(seed, clip, np.stack([points.astype(np.float32)] * 2))
        assert forged.dtype == torch.uint8
        assert torch.isfinite(mask).all()
        assert not (forged != clip).any(dim=1)[mask < 1e-4].any()
        assert mask.max() > 0.2  # it is not said to be forged where nothing is


def test_a_profile_keeps_some_width() -> None:
    clip, _ = still(1)
    profile = np.array([[[30, 24], [31, 24], [26, 32], [30, 40], [31, 40]]], np.float32)
    for seed in range(8):
        _, mask = blend(seed, clip, profile)
        columns = mask[0].amax(0) > mask.max() / 2
        assert columns.sum() >= 10


@pytest.mark.parametrize("side", [-1, 1])
def test_the_mask_of_a_turned_face_reaches_further_behind_its_nose(side: int) -> None:
    clip, landmarks = still(1)
    turned = landmarks.copy()
    turned[0, 2, 0] += side * 3
    for seed in range(8):
        (_, ahead), (_, mask) = blend(seed, clip, landmarks), blend(seed, clip, turned)
        moved = middle(mask[0]) - middle(ahead[0])
        assert moved == pytest.approx([side * -2.4, 0], abs=0.4)
