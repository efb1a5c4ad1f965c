"""Patch embeddings as matrix products."""

import torch
from torch import nn

from core.inference.patches import embed_patches_by_product


class TinyPatchEmbed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.proj = nn.Conv3d(3, 8, kernel_size=(2, 4, 4), stride=(2, 4, 4))

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = self.proj(patches.view(-1, 3, 2, 4, 4)).view(-1, 8)
        return made


class Overlapping(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.proj = nn.Conv3d(3, 8, kernel_size=3, stride=1)


def test_the_product_is_the_convolution() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(TinyPatchEmbed())
    patches = torch.randn(5, 3 * 2 * 4 * 4)
    before = model(patches)
    assert embed_patches_by_product(model) == 1
    assert torch.allclose(model(patches), before, atol=1e-5)
    assert embed_patches_by_product(model) == 0


def test_other_convolutions_stay() -> None:
    model = nn.Sequential(Overlapping())
    assert embed_patches_by_product(model) == 0
    assert isinstance(model[0].proj, nn.Conv3d)
