"""What both halves of the network have: its size, and the norm."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPSILON = 1e-5


@dataclass(frozen=True)
class Shape:
    """The model's size. Heads are 32 wide; half of each turns with the position in the language model."""

    vocabulary: int = 2048
    width: int = 256
    heads: int = 8
    key_heads: int = 4
    text_layers: int = 6
    text_inner: int = 768
    vision_layers: int = 8
    vision_heads: int = 8
    merger_inner: int = 768

    def as_dict(self) -> dict[str, int]:
        """For the checkpoint."""
        return asdict(self)


class Rms(nn.Module):
    """Root mean square norm, in the type of what comes in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, x.shape[-1:], self.weight.to(x.dtype), EPSILON)
