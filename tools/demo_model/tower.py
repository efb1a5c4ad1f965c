"""The vision tower in training: the model's own weights on a faster path, and its helper head.

Transformers runs pictures of a batch one by one through attention, and a 3-D convolution over two
equal frames. Training has pictures of one size, so all go through at once, and the frames' weights
are summed first. `features` gives what `Glm4vVisionModel` gives (a test compares them).
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from transformers import Glm4vVisionConfig
from transformers.models.glm4v.modeling_glm4v import (
    Glm4vVisionModel,
    apply_rotary_pos_emb_vision,
)
from transformers.vision_utils import get_vision_position_ids

from .pixels import MERGE, Grid
from .scenes import CELLS, COLOURS, SHAPES, Scene

HIDDEN = 192
COLOUR_NAMES = tuple(COLOURS)
CLASSES = (len(SHAPES) + 1, len(COLOUR_NAMES) + 1, CELLS + 1)
"""Sizes of the helper head's three answers for an image token; the last of each is "nothing"."""


def vision_config() -> Glm4vVisionConfig:
    """The tower's shape: 4 layers of width 192, positions learned on the 10x10 patches of a square."""
    return Glm4vVisionConfig(
        depth=4,
        hidden_size=HIDDEN,
        num_heads=6,
        out_hidden_size=HIDDEN,
        intermediate_size=384,
        image_size=140,
        initializer_range=0.04,
    )


def features(tower: Glm4vVisionModel, patches: torch.Tensor, grid: Grid) -> torch.Tensor:
    """Image tokens of equally sized pictures: patches (B, N, 588) to (B, N/4, hidden)."""
    batch, count, _ = patches.shape
    config = tower.config
    grid_thw = torch.tensor([[1, grid[0] * MERGE, grid[1] * MERGE]], device=patches.device)
    at = get_vision_position_ids(grid_thw, MERGE)

    kernel = tower.patch_embed.proj.weight.sum(2).flatten(1)
    x = F.linear(patches, kernel, tower.patch_embed.proj.bias)
    x = tower.post_conv_layernorm(x)
    nowhere = x.new_zeros(count, config.hidden_size, dtype=torch.float32)
    x = x + tower.embeddings(nowhere, [count], grid_thw, at[:, 0], at[:, 1])
    cos, sin = tower.rotary_pos_emb(x, at)
    blocks: Any = tower.blocks
    for block in blocks:
        x = x + _attend(block.attn, block.norm1(x), cos, sin)
        x = x + block.mlp(block.norm2(x))
    x = tower.post_layernorm(x)
    x = x.view(batch, count // MERGE**2, MERGE**2 * config.hidden_size)
    kernel = tower.downsample.weight.permute(0, 2, 3, 1).flatten(1)
    merged: torch.Tensor = tower.merger(F.linear(x, kernel, tower.downsample.bias))
    return merged


def _attend(attention: Any, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    batch, count, width = x.shape
    qkv = attention.qkv(x).view(batch * count, 3, attention.num_heads, -1)
    q, k, v = qkv.unbind(1)
    cos, sin = cos.repeat(batch, 1), sin.repeat(batch, 1)
    q, k = apply_rotary_pos_emb_vision(q, k, cos, sin)
    q, k, v = (t.view(batch, count, attention.num_heads, -1).transpose(1, 2) for t in (q, k, v))
    out = F.scaled_dot_product_attention(q, k, v)
    projected: torch.Tensor = attention.proj(out.transpose(1, 2).reshape(batch, count, width))
    return projected


class HelperHead(nn.Module):
    """Names the shape, colour and place of the object whose centre lies in an image token.

    Only there in training: told this densely, the tower learns shapes in a few hundred steps, where
    answers alone would take thousands. It is not exported.
    """

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(HIDDEN, sum(CLASSES))

    def forward(self, tokens: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Image tokens (B, T, hidden) to three score tensors (B, T, class)."""
        scores: torch.Tensor = self.linear(tokens)
        return torch.split(scores, list(CLASSES), dim=-1)

    def loss(self, tokens: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Mean cross entropy against `token_targets`, (B, T, 3)."""
        total = tokens.new_zeros((), dtype=torch.float32)
        for scores, target in zip(self(tokens), targets.unbind(-1), strict=True):
            total = total + F.cross_entropy(scores.flatten(0, 1).float(), target.flatten())
        return total


def token_targets(scene: Scene, grid: Grid) -> list[list[int]]:
    """For each image token, row by row: shape, colour and cell of the object centred there."""
    rows, columns = grid
    targets = [[size - 1 for size in CLASSES] for _ in range(rows * columns)]
    for thing in scene.things:
        row, column = int(thing.y * rows), int(thing.x * columns)
        targets[row * columns + column] = [
            SHAPES.index(thing.shape),
            COLOUR_NAMES.index(thing.colour),
            thing.cell,
        ]
    return targets
