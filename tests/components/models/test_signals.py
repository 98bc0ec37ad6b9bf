"""What networks are shown instead of pixels, against what it must be by definition: spectra and residuals."""

import numpy as np
import pytest
import torch
from onnxruntime import InferenceSession
from pydantic import TypeAdapter
from scipy.fft import dctn
from torch import nn
from torch.export import Dim

from components.export.exporter import build_bundle
from components.models import STD, create
from components.models.f3net_frame import Decomposition, cosines
from components.models.srm_frame import KERNELS, Residuals
from components.params import Network


def pictures(side: int = 24) -> torch.Tensor:
    return torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("side", [8, 25, 299])
def test_the_transform_is_the_orthonormal_cosine_transform(side: int) -> None:
    waves, shown = cosines(side), pictures(side)
    expected = dctn(shown.double().numpy(), axes=(2, 3), norm="ortho")
    np.testing.assert_allclose((waves @ shown @ waves.T).numpy(), expected, atol=1e-4)


def test_bands_are_disjoint_and_make_the_whole_picture() -> None:
    decomposition = Decomposition(24)
    torch.nn.init.zeros_(decomposition.filters)
    low, middle, high, whole = decomposition(pictures()).unflatten(1, (4, 3)).unbind(1)
    torch.testing.assert_close(low + middle + high, whole)
    torch.testing.assert_close(whole, pictures())
    shares = decomposition.bands.mean(dim=(1, 2)).tolist()
    assert shares == pytest.approx([1 / 16, 1 / 16, 7 / 8, 1], abs=0.02)
    flat = torch.ones(1, 3, 24, 24)
    shown = decomposition(flat).unflatten(1, (4, 3))[0]
    torch.testing.assert_close(shown[0], flat[0])  # what is flat is of the lowest frequency
    assert shown[1:3].abs().max() < 1e-5


def test_a_filter_passes_more_or_less_of_a_frequency() -> None:
    decomposition = Decomposition(24)
    torch.nn.init.constant_(decomposition.filters, -100.0)  # σ of −1
    shown = decomposition(pictures()).unflatten(1, (4, 3))
    torch.testing.assert_close(shown[:, 3], torch.zeros_like(shown[:, 3]), atol=1e-5, rtol=0)
    torch.testing.assert_close(shown[:, :3].sum(dim=1), -2 * pictures(), atol=1e-5, rtol=1e-4)


def grey_levels(pixels: torch.Tensor) -> torch.Tensor:
    """Residuals of grey pictures `(N, H, W)`."""
    colours = pixels[:, None].expand(-1, 3, -1, -1) / 255
    middle, spread = (torch.tensor(value).view(3, 1, 1) for value in ((0.5, 0.4, 0.3), STD))
    shown: torch.Tensor = Residuals(STD)((colours - middle) / spread)
    return shown


def test_residuals_see_neither_light_nor_slopes() -> None:
    slope = torch.linspace(20, 200, 12).expand(12, 12)
    for picture in (torch.full((1, 12, 12), 90.0), slope[None], slope.T[None]):
        assert grey_levels(picture)[..., 3:-3, 3:-3].abs().max() < 1e-3
    assert grey_levels(torch.full((1, 12, 12), 200.0)).abs().max() < 1e-3  # at the rim, too


def test_residuals_are_those_of_the_filters_in_grey_levels_and_are_cut_off() -> None:
    for height in (1.0, 2.0, 60.0):
        dot = torch.full((1, 11, 11), 90.0)
        dot[0, 5, 5] += height
        found = grey_levels(dot)[0, :, 3:8, 3:8]
        expected = torch.stack([height * torch.tensor(kernel) / divisor for kernel, divisor in KERNELS])
        torch.testing.assert_close(found, expected.clamp(-3, 3), atol=1e-3, rtol=0)


class Signals(nn.Module):
    """Both, side by side: what the rest of an exported network sees."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.decomposition, self.residuals = Decomposition(24), Residuals(STD)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.decomposition(images), self.residuals(images)], dim=1)


def test_exported_they_are_the_same_for_any_number_of_pictures() -> None:
    signals = Signals().eval()
    content = build_bundle(signals, {"images": pictures()}, ["signals"], {0: Dim("images")}, 18)
    session = InferenceSession(content, providers=["CPUExecutionProvider"])
    for images in (pictures(), pictures()[:1], 3 * pictures().repeat(2, 1, 1, 1)):
        with torch.inference_mode():
            expected = signals(images).numpy()
        (found,) = session.run(["signals"], {"images": images.numpy()})
        np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("name", ["f3net_frame", "srm_frame"])
def test_mixed_precision_leaves_them_exact(name: str) -> None:
    torch.manual_seed(0)
    network = TypeAdapter(Network).validate_python({"name": name, "backbone": "test_efficientnet"})
    backbone = create(network, 24).backbone
    signal = backbone.decomposition if name == "f3net_frame" else backbone.residuals
    exact = signal(pictures())
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(signal(pictures()), exact)
