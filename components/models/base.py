"""What all candidates share: their base class, their classifier, and how pixels become their input."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

MEAN = (0.485, 0.456, 0.406)
"""Mean of ImageNet's RGB values in 0…1, which pretrained backbones expect."""

STD = (0.229, 0.224, 0.225)
"""Standard deviation of the same."""

WeightsOrigin = Literal["random", "loaded", "bundled"]
"""Where the weights came from before training: drawn at random, from timm's hub, or with Unmask."""


class Outputs(NamedTuple):
    """What a network says about clips."""

    logits: Tensor  # (B, 2): 0 is real, 1 is fake
    embedding: Tensor  # (B, E): of a clip, before the classifier
    attention: Tensor | None = None  # (B, T): how much each frame weighs, sums to one; None: all the same


class Candidate(nn.Module):
    """A network from clips to logits `(B, 2)`: 0 is real, 1 is fake.

    Clips are normalised, `(B, T, 3, H, W)`. A mask `(B, T)` is true where a frame is one, false where it only
    fills the clip up to the length of its batch.

    A subclass has `embed` and `classify`, and sets `embedding_size`.
    """

    origin: WeightsOrigin = "random"
    mean: Sequence[float] = MEAN
    std: Sequence[float] = STD
    input_size: int | None = None
    """Side of the square that is taken from the middle of a crop, px; None: the whole crop."""
    takes_mask = True
    """Whether clips of different lengths may share a batch."""
    attends = False
    """Whether its outputs tell how much each frame weighs."""
    embedding_size: int
    method_head: nn.Linear | None

    def __init__(self) -> None:
        super().__init__()
        self.method_head = None  # not of the class, where it would hide the module that takes its place

    def add_method_head(self, methods: int) -> None:
        """Let it also tell the method of forgery, from the embedding: a second task for the same features."""
        self.method_head = nn.Linear(self.embedding_size, methods)

    def embed(self, frames: Tensor) -> Tensor:
        """Returns features `(N, C)` of single frames `(N, 3, H, W)`."""
        raise NotImplementedError

    def classify(self, features: Tensor, mask: Tensor | None = None) -> Outputs:
        """Returns what the features `(B, T, C)` of clips say."""
        raise NotImplementedError

    def outputs(self, clips: Tensor, mask: Tensor | None = None) -> Outputs:
        """Returns all that is said about clips."""
        # What only fills a clip up would count in the statistics of batch norms.
        return self.classify(per_frame(self.embed, clips, mask if self.training else None), mask)

    def forward(self, clips: Tensor, mask: Tensor | None = None) -> Tensor:
        return self.outputs(clips, mask).logits

    def prepare(self, clips: Tensor) -> Tensor:
        """Stored crops, uint8 `(B, T, 3, S, S)`, as `forward` takes them."""
        return normalise(centre(clips, self.input_size), self.mean, self.std)

    @property
    def size(self) -> int:
        """Number of parameters, trained or not; buffers are not counted."""
        return sum(parameter.numel() for parameter in self.parameters())

    @property
    def trainable_size(self) -> int:
        """Number of parameters that learn: all but those of a frozen backbone."""
        return sum(parameter.numel() for parameter in self.parameters() if parameter.requires_grad)


def classifier(dropout: float = 0.2) -> nn.Sequential:
    """Returns features `(…, 256)` → 128 → logits `(…, 2)`."""
    return nn.Sequential(nn.Linear(256, 128), nn.ReLU(), nn.Dropout(dropout), nn.Linear(128, 2))


def full_precision(tensor: Tensor) -> AbstractContextManager[object]:
    """Computes in full precision sums of pixels of which mixed precision would leave but the rounding.

    Where precision is not mixed it does nothing at all, so that an exported graph is not cut in two.
    """
    kind = tensor.device.type
    return torch.autocast(kind, enabled=False) if torch.is_autocast_enabled(kind) else nullcontext()


def per_frame(network: Callable[[Tensor], Tensor], clips: Tensor, mask: Tensor | None) -> Tensor:
    """Returns what a network `(N, …)` → `(N, C)` says of every frame of clips `(B, T, …)`.

    Returns:
        `(B, T, C)`; zeros where the mask says that there is no frame, which the network does not see.
    """
    if mask is None:
        return network(clips.flatten(0, 1)).reshape(*clips.shape[:2], -1)
    features = network(clips[mask])
    filled = features.new_zeros(*mask.shape, features.shape[-1])
    filled[mask] = features
    return filled


def mean_over_frames(values: Tensor, mask: Tensor | None) -> Tensor:
    """Returns `(B, T, C)` → `(B, C)`, without the frames that are none."""
    if mask is None:
        return values.mean(dim=1)
    weights = mask.to(values.dtype).unsqueeze(-1)  # (B, T, 1)
    return (values * weights).sum(dim=1) / weights.sum(dim=1)


def centre(clips: Tensor, size: int | None) -> Tensor:
    """Returns the middle `(…, size, size)` of `(…, S, S)`; all of it where there is no more."""
    if size is None or size >= clips.shape[-1]:
        return clips
    start = (clips.shape[-1] - size) // 2
    return clips[..., start : start + size, start : start + size]


def normalise(clips: Tensor, mean: Sequence[float] = MEAN, std: Sequence[float] = STD) -> Tensor:
    """Turns stored pixels into a candidate's input.

    Args:
        clips: uint8 `(B, T, 3, H, W)`, RGB.
        mean: per channel, of values in 0…1.
        std: per channel, of values in 0…1.

    Returns:
        float32 `(B, T, 3, H, W)`.
    """
    middle = torch.tensor(mean, device=clips.device).view(3, 1, 1)
    spread = torch.tensor(std, device=clips.device).view(3, 1, 1)
    return (clips.float() / 255 - middle) / spread
