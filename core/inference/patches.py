"""Patch embeddings as what they are: a matrix product.

GLM and Qwen cut pictures into patches before the vision tower and embed each with a convolution whose kernel is just
as large as the patch. Convolution kernels are not made for that: in bfloat16 on a CPU it took 44 % of the tower's time.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn


class PatchEmbedding(nn.Module):
    """Stands in for `convolution` and has its weights: (patches, channels, *kernel) to (patches, width, 1, 1 …)."""

    def __init__(self, convolution: nn.Conv3d) -> None:
        super().__init__()
        self.weight = convolution.weight
        self.bias = convolution.bias

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        flat = F.linear(patches.flatten(1), self.weight.flatten(1), self.bias)
        return flat[..., None, None, None]


def embed_patches_by_product(model: Any) -> int:
    """Replace the three-dimensional convolutions of `model` that only ever meet single patches; how many there were."""
    replaced = 0
    # Only these modules of transformers hand over single patches.
    for module in [module for module in model.modules() if type(module).__name__.endswith("PatchEmbed")]:
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Conv3d) and child.kernel_size == child.stride:
                setattr(module, name, PatchEmbedding(child))
                replaced += 1
    return replaced
