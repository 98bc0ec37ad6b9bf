"""Several candidates as one network: the weighted sum of their margins.

Every member keeps its own normalisation and its own part of the crop, so that the whole is one graph from
stored pixels to a logit. Parameters: those of the members.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from components.models.base import Candidate, Outputs


class Ensemble(Candidate):
    """Clips are pixels here, uint8 `(B, T, 3, S, S)`: each member normalises them for itself.

    Args:
        members: trained.
        weights: of their margins, one each.
        bias: added to the sum.
    """

    def __init__(self, members: Sequence[Candidate], weights: Sequence[float], bias: float) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.weights = nn.Buffer(torch.tensor(list(weights), dtype=torch.float32))
        self.bias = nn.Buffer(torch.tensor(float(bias)))
        self.embedding_size = len(members)
        self.takes_mask = all(member.takes_mask for member in members)

    def prepare(self, clips: Tensor) -> Tensor:
        return clips

    def outputs(self, clips: Tensor, mask: Tensor | None = None) -> Outputs:
        margins = torch.stack([_margins(member, clips, mask) for member in self.members], dim=1)  # (B, M)
        summed = margins @ self.weights + self.bias
        return Outputs(torch.stack([torch.zeros_like(summed), summed], dim=1), margins)


def _margins(member: nn.Module, clips: Tensor, mask: Tensor | None) -> Tensor:
    """Returns fake logit minus real logit `(B,)`."""
    assert isinstance(member, Candidate)  # noqa: S101 - torch types what a ModuleList holds as modules
    logits = member.outputs(member.prepare(clips), mask).logits
    return logits[:, 1] - logits[:, 0]
