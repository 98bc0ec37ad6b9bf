import io
import itertools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from components.errors import ParamsError
from components.params import AugmentationParams, load_params
from components.training.augmentation import augmentation

NONE: dict[str, Any] = {"flip": 0.0, "brightness": 0.0, "contrast": 0.0, "shift": 0.0}
SIZE = 32

ALIKE: dict[str, dict[str, Any]] = {
    "flip": {"flip": 0.5},
    "rotation": {"rotation": 20},
    "scale": {"scale": (0.8, 1.2)},
    "shear": {"shear": 15},
    "brightness": {"brightness": 0.5},
    "contrast": {"contrast": 0.5},
    "saturation": {"saturation": 0.5},
    "hue": {"hue": 0.3},
    "grey": {"grey": 0.5},
    "tint": {"tint": {"chance": 1.0}},
    "crop": {"crop": 24},
    "shift": {"shift": 0.25},
    "blur": {"blur": {"chance": 1.0}},
    "downscale": {"downscale": {"chance": 1.0}},
    "jpeg": {"jpeg": {"chance": 1.0}},
    "erasing": {"erasing": 1.0},
}
NOISES: dict[str, dict[str, Any]] = {
    "iso_noise": {"iso_noise": {"chance": 1.0}},
    "gaussian_noise": {"gaussian_noise": {"chance": 1.0}},
}
EVERYTHING = {name: value for changed in (ALIKE | NOISES).values() for name, value in changed.items()}


def transform(changed: Mapping[str, Any], size: int = SIZE) -> v2.Transform:
    return augmentation(AugmentationParams(**NONE | changed), size)


def still(frames: int = 5, size: int = SIZE) -> torch.Tensor:
    """One picture `frames` times."""
    seeded = torch.Generator().manual_seed(3)
    coarse = torch.randint(40, 200, (1, 3, size // 4, size // 4), dtype=torch.uint8, generator=seeded)
    return functional.resize(coarse, [size, size]).expand(frames, -1, -1, -1).clone()


def grey(value: int, frames: int = 3, size: int = 64) -> torch.Tensor:
    return torch.full((frames, 3, size, size), value, dtype=torch.uint8)


def strength(noisy: torch.Tensor, value: int) -> list[float]:
    """Standard deviation from a grey, by frame."""
    spread: list[float] = (noisy.float() - value).flatten(1).pow(2).mean(1).sqrt().tolist()
    return spread


def by_pillow(frame: torch.Tensor) -> torch.Tensor:
    """A frame as JPEG of quality 30."""
    file = io.BytesIO()
    Image.fromarray(frame.permute(1, 2, 0).numpy()).save(file, "JPEG", quality=30)
    return torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1)


def test_off_means_untouched() -> None:
    off = {"blur": {"chance": 0.0, "kernel": (7, 7)}, "jpeg": {"chance": 0.0, "quality": (1, 1)}}
    for changed in ({}, off):
        assert torch.equal(transform(changed)(still()), still())


@pytest.mark.parametrize("kind", list(ALIKE))
def test_all_frames_of_a_clip_change_alike(kind: str) -> None:
    torch.manual_seed(0)
    augment = transform(ALIKE[kind])
    results = [augment(still()) for _ in range(12)]
    side = 24 if kind == "crop" else SIZE
    for clip in results:
        assert clip.shape == (5, 3, side, side)
        assert clip.dtype == torch.uint8
        assert all(torch.equal(clip[0], frame) for frame in clip)
    assert len({clip.numpy().tobytes() for clip in results}) > 1


@pytest.mark.parametrize("kind", list(NOISES))
def test_noise_is_fresh_in_each_frame_and_of_one_strength_in_a_clip(kind: str) -> None:
    torch.manual_seed(0)
    augment = transform(NOISES[kind], 64)
    clips = [augment(grey(128)) for _ in range(12)]
    for clip in clips:
        assert not torch.equal(clip[0], clip[1])
        least, *_, most = sorted(strength(clip, 128))
        assert most < 1.1 * least
    least, *_, most = sorted(strength(clip, 128)[0] for clip in clips)
    assert most > 1.5 * least


def test_the_seed_decides_everything_and_memory_layout_nothing() -> None:
    augment = transform(EVERYTHING)
    clip = still()
    channels_last = clip.contiguous(memory_format=torch.channels_last)
    results = []
    for seed, pixels in ((1, clip), (1, clip), (1, channels_last), (2, clip)):
        torch.manual_seed(seed)
        results.append(augment(pixels))
    assert torch.equal(results[0], results[1])
    assert (results[0].int() - results[2].int()).abs().max() <= 1  # convolutions round in another order
    assert (results[0] == results[2]).float().mean() > 0.99
    assert not torch.equal(results[0], results[3])
    assert torch.equal(clip, still())  # what the dataset keeps in memory stays as it is


@pytest.mark.parametrize(
    "shipped", [NONE, {"flip": 0.5, "brightness": 0.15, "contrast": 0.15, "shift": 0.05}]
)
def test_the_four_first_kinds_draw_as_they_always_have(shipped: dict[str, float]) -> None:
    """So that figures published with them can be had again."""
    plain = v2.Compose(
        [
            v2.RandomHorizontalFlip(shipped["flip"]),
            v2.ColorJitter(shipped["brightness"], shipped["contrast"]),
            v2.RandomCrop(SIZE, padding=round(shipped["shift"] * SIZE), padding_mode="edge"),
        ]
    )
    for seed in range(5):
        torch.manual_seed(seed)
        expected = plain(still())
        torch.manual_seed(seed)
        assert torch.equal(transform(shipped)(still()), expected)


@pytest.mark.parametrize("shift", [0.0625, 0.125])
def test_a_shift_keeps_to_its_share(shift: float) -> None:
    marked = torch.zeros(1, 3, 16, 16, dtype=torch.uint8)
    marked[:, :, 8, 8] = 255
    augment, most = transform({"shift": shift}, 16), round(shift * 16)
    torch.manual_seed(0)
    places = {tuple(augment(marked)[0, 0].nonzero()[0].tolist()) for _ in range(200)}
    within = range(8 - most, 9 + most)
    assert places == {(y, x) for y in within for x in within}


def test_a_crop_is_a_part_of_the_stored_one() -> None:
    counted = torch.arange(16, dtype=torch.uint8).expand(1, 3, 16, 16) * 16
    torch.manual_seed(0)
    seen = {tuple(transform({"crop": 12}, 16)(counted)[0, 0, 0].tolist()) for _ in range(50)}
    assert seen == {tuple(range(16 * left, 16 * (left + 12), 16)) for left in range(5)}


def test_a_crop_is_cut_anywhere_in_the_blocks_of_its_compression() -> None:
    noise = torch.randint(
        0, 256, (1, 3, 24, 24), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    coarse = {"jpeg": {"chance": 1.0, "quality": [10, 10]}}
    whole = transform(coarse, 24)(noise)
    cut = transform(coarse | {"crop": 16}, 24)(noise)
    places = [(y, x) for y in range(9) for x in range(9)]
    assert any(torch.equal(cut, whole[..., y : y + 16, x : x + 16]) for y, x in places)


def test_a_crop_larger_than_the_stored_one_is_refused() -> None:
    with pytest.raises(ParamsError, match=r"crop = 33: the stored crops have 32 px; lower it, or raise"):
        transform({"crop": SIZE + 1})


@pytest.mark.parametrize(
    "changed",
    [
        {"rotation": 15},
        {"rotation": 180},
        {"scale": (0.5, 1.0)},
        {"shear": 60},
        {"rotation": 30, "scale": (0.7, 0.8), "shear": 20},
    ],
)
def test_an_affine_change_leaves_no_black_corner(changed: dict[str, Any]) -> None:
    torch.manual_seed(0)
    augment = transform(changed)
    assert min(int(augment(grey(200, 1, SIZE)).min()) for _ in range(40)) == 200


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"jpeg": {"chance": 1.0, "quality": (30, 30)}}, lambda clip: torch.stack([*map(by_pillow, clip)])),
        ({"blur": {"chance": 1.0, "kernel": (5, 5)}}, lambda clip: functional.gaussian_blur(clip, [5, 5])),
        (
            {"downscale": {"chance": 1.0, "factor": (0.5, 0.5)}},
            lambda clip: functional.resize(functional.resize(clip, [SIZE // 2]), [SIZE]),
        ),
    ],
)
def test_strengths_are_in_the_units_of_the_field(changed: dict[str, Any], expected: Any) -> None:
    assert torch.equal(transform(changed)(still()), expected(still()))


def test_ranges_are_used_from_end_to_end() -> None:
    """Seven sides of a downscaled picture and three kernels, told apart by what they leave of a line."""
    line = grey(0, 1, 16)
    line[..., 8] = 255
    torch.manual_seed(0)
    for changed, kinds in (
        ({"downscale": {"chance": 1.0, "factor": (0.5, 0.875)}}, 7),
        ({"blur": {"chance": 1.0, "kernel": (3, 7)}}, 3),
    ):
        augment = transform(changed, 16)
        assert len({augment(line).numpy().tobytes() for _ in range(100)}) == kinds


def test_a_chance_is_one() -> None:
    torch.manual_seed(0)
    augment = transform({"blur": {"chance": 0.25}})
    touched = sum(not torch.equal(augment(still(1)), still(1)) for _ in range(80))
    assert 8 <= touched <= 34


def test_a_grey_clip_has_no_colour_and_keeps_its_luma() -> None:
    shown = transform({"grey": 1.0})(still())
    assert torch.equal(shown[:, 0], shown[:, 1])
    assert torch.equal(shown[:, 0], shown[:, 2])
    luma = torch.einsum("tchw,c->thw", still().float(), torch.tensor([0.299, 0.587, 0.114]))
    assert (shown[:, 0].float() - luma).abs().max() < 1.1  # cut to whole levels, with weights of four digits


@pytest.mark.parametrize("strength", [0.3, 0.9])
def test_a_tint_takes_its_strength_from_one_colour_and_less_from_the_others(strength: float) -> None:
    torch.manual_seed(0)
    augment = transform({"tint": {"chance": 1.0, "strength": (strength, strength)}})
    kept = torch.stack([augment(grey(200, 2, SIZE))[0, :, 0, 0] for _ in range(60)]) / 200  # (60, 3)
    assert kept.amax(1).tolist() == pytest.approx([1.0] * 60)
    assert kept.amin(1).tolist() == pytest.approx([1 - strength] * 60, abs=0.01)
    assert {tuple(order) for order in kept.argsort(1).tolist()} == set(itertools.permutations(range(3)))


def test_shipped_settings_take_colours_away_and_cast_others() -> None:
    """So that no detector takes the loss of colour for forgery; green night vision is among it."""
    params = load_params(Path(__file__).parents[3] / "params.yaml").training.augmentation
    torch.manual_seed(0)
    augment = augmentation(params, SIZE)
    means = torch.stack([augment(still(1)).float().mean((0, 2, 3)) for _ in range(300)])  # (300, 3)
    spread = (means.amax(1) - means.amin(1)) / means.amax(1)
    assert 20 < (spread < 0.01).sum() < 150
    green = (means[:, 1] > 1.2 * means[:, 0]) & (means[:, 1] > 1.2 * means[:, 2])
    assert green.any()


def test_the_sigma_of_noise_is_a_share_of_white() -> None:
    torch.manual_seed(0)
    noisy = transform({"gaussian_noise": {"chance": 1.0, "sigma": (0.04, 0.04)}}, 64)(grey(128))
    assert strength(noisy, 128) == pytest.approx([0.04 * 255] * 3, rel=0.05)


def test_the_sigma_of_a_blur_is_drawn_from_end_to_end() -> None:
    """Of the middle px of a line, a kernel of 3 px leaves 1 / (1 + 2 exp(−1 / 2σ²))."""
    line = grey(0, 1, 16)
    line[..., 8] = 255
    torch.manual_seed(0)
    augment = transform({"blur": {"chance": 1.0, "kernel": (3, 3), "sigma": (0.1, 2.0)}}, 16)
    left = [int(augment(line)[0, 0, 8, 8]) for _ in range(200)]
    assert max(left) == 255
    assert min(left) == pytest.approx(255 / (1 + 2 * math.exp(-1 / 8)), abs=1)
    assert len(set(left)) > 50


def test_iso_noise_shifts_colours_and_leaves_their_brightness() -> None:
    red = torch.tensor([180, 90, 60], dtype=torch.uint8).view(1, 3, 1, 1).expand(2, 3, 64, 64)

    def seen(shift: float, clip: torch.Tensor = red) -> torch.Tensor:
        torch.manual_seed(0)
        clean = {"chance": 1.0, "electrons": (1e9, 1e9), "colour_shift": (shift, shift)}
        shown: torch.Tensor = transform({"iso_noise": clean}, 64)(clip).float()
        return shown

    def hues(frames: torch.Tensor) -> torch.Tensor:
        r, g, b = frames.unbind(1)
        return torch.atan2(math.sqrt(3) * (g - b), 2 * r - g - b) / (2 * math.pi)

    assert hues(seen(0.0)).std() < 0.001
    for shift in (0.01, 0.05):
        assert float(hues(seen(shift)).std()) == pytest.approx(shift, rel=0.05)
        assert (seen(shift).mean(1) - 110).abs().max() <= 1
        assert not torch.equal(seen(shift)[0], seen(shift)[1])  # as fresh in each frame as other grain
    assert torch.equal(seen(0.05, grey(128)), grey(128).float())


def test_a_higher_iso_is_grainier_and_most_in_the_shadows() -> None:
    def seen(electrons: float, value: int) -> torch.Tensor:
        torch.manual_seed(0)
        changed = {"iso_noise": {"chance": 1.0, "electrons": (electrons, electrons)}}
        noisy: torch.Tensor = transform(changed, 64)(grey(value))
        return noisy

    assert strength(seen(100, 128), 128)[0] > 2 * strength(seen(1000, 128), 128)[0]
    assert strength(seen(1000, 40), 40)[0] > 1.5 * strength(seen(1000, 220), 220)[0]
    assert seen(1000, 128).float().mean().item() == pytest.approx(128, abs=1)  # neither brighter nor darker
    by_colour = seen(100, 128).float().sub(128).flatten(2).transpose(0, 1).flatten(1)
    assert torch.corrcoef(by_colour).fill_diagonal_(0).abs().max() < 0.05


def test_what_is_erased_is_one_black_rectangle() -> None:
    torch.manual_seed(0)
    for _ in range(10):
        erased = (transform({"erasing": 1.0})(grey(200, 2, SIZE)) == 0).all(1)  # (T, S, S)
        assert torch.equal(erased[0], erased[1])
        rows, columns = erased[0].any(1), erased[0].any(0)
        assert erased[0].sum() == rows.sum() * columns.sum()
        assert 0.01 < erased[0].float().mean() < 0.4
