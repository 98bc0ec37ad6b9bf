"""Weights that Unmask ships, so that training need not start at random where no hub can be reached.

How they came about stands in `weights/README.md`.
"""

from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor

from components.errors import ParamsError

FOLDER = Path(__file__).parent / "weights"
WEIGHTS_SUFFIX = "_faces.safetensors"


def bundled_weights(name: str) -> dict[str, Tensor]:
    """Returns a backbone's weights, float32.

    Args:
        name: of the network, as timm has it; what stands behind the dot says how others trained it.

    Raises:
        ParamsError: none are shipped for it.
    """
    architecture = name.partition(".")[0]
    file = FOLDER / f"{architecture}{WEIGHTS_SUFFIX}"
    if not file.is_file():
        shipped = ", ".join(
            sorted(path.name.removesuffix(WEIGHTS_SUFFIX) for path in FOLDER.glob(f"*{WEIGHTS_SUFFIX}"))
        )
        raise ParamsError(f"pretrained: bundled: none for {name}; there are some for {shipped or 'none'}")
    return {key: tensor.float() for key, tensor in load_file(file).items()}
