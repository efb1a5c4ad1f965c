"""The vision tower in training: all pictures of a batch at once, padded to one size."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .encode import PATCHES
from .layers import Rms, Shape
from .picture import GRIDS, MEAN, MERGE, PATCH, STD, TOKENS

SQUARE = 16
"""Positions are learned on a square of so many patches; other pictures lie between them."""


class VisionAttention(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.qkv = nn.Linear(shape.width, 3 * shape.width, bias=False)
        self.proj = nn.Linear(shape.width, shape.width, bias=False)
        self.heads = shape.vision_heads

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor) -> Tensor:
        batch, count, width = x.shape
        q, k, v = self.qkv(x).view(batch, count, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q, k = _turn_halves(q, cos, sin), _turn_halves(k, cos, sin)
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        projected: Tensor = self.proj(out.transpose(1, 2).reshape(batch, count, width))
        return projected


def _turn_halves(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=-1)
    return (x * cos + torch.cat((-second, first), dim=-1) * sin).to(x.dtype)


class VisionMlp(nn.Module):
    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(width, inner, bias=False)
        self.up_proj = nn.Linear(width, inner, bias=False)
        self.down_proj = nn.Linear(inner, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))
        return out


class VisionBlock(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.norm1 = Rms(shape.width)
        self.norm2 = Rms(shape.width)
        self.attn = VisionAttention(shape)
        self.mlp = VisionMlp(shape.width, shape.width)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x), cos, sin, mask)
        out: Tensor = x + self.mlp(self.norm2(x))
        return out


class Merger(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.proj = nn.Linear(shape.width, shape.width, bias=False)
        self.post_projection_norm = nn.LayerNorm(shape.width)
        self.gate_proj = nn.Linear(shape.width, shape.merger_inner, bias=False)
        self.up_proj = nn.Linear(shape.width, shape.merger_inner, bias=False)
        self.down_proj = nn.Linear(shape.merger_inner, shape.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = F.gelu(self.post_projection_norm(self.proj(x)))
        out: Tensor = self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))
        return out


class _PatchEmbed(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.proj = nn.Conv3d(3, shape.width, (2, PATCH, PATCH), stride=(2, PATCH, PATCH))


class _Positions(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.position_embedding = nn.Embedding(SQUARE * SQUARE, shape.width)


class Vision(nn.Module):
    """The vision tower: patches (P, 256, 588) in uint8 and the number of each picture's grid to (P, 64, width)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embeddings = _Positions(shape)
        self.patch_embed = _PatchEmbed(shape)
        self.blocks = nn.ModuleList(VisionBlock(shape) for _ in range(shape.vision_layers))
        self.merger = Merger(shape)
        self.post_conv_layernorm = Rms(shape.width)
        self.downsample = nn.Conv2d(shape.width, shape.width, MERGE, stride=MERGE)
        self.post_layernorm = Rms(shape.width)
        for name, value in _grid_tables(shape.width // shape.vision_heads).items():
            self.register_buffer(name, value, persistent=False)

    def forward(self, pixels: Tensor, grid: Tensor) -> Tensor:
        tables: Any = self
        pictures = pixels.shape[0]
        scaled = ((pixels.view(pictures, PATCHES, 3, -1) / 255 - tables.mean) / tables.std).flatten(2)
        kernel = self.patch_embed.proj.weight.sum(2).flatten(1)
        x = self.post_conv_layernorm(F.linear(scaled, kernel, self.patch_embed.proj.bias))
        between = tables.between @ self.embeddings.position_embedding.weight
        x = x + between[grid].to(x.dtype)
        cos, sin, mask = tables.cos[grid][:, None], tables.sin[grid][:, None], tables.mask[grid][:, None, None]
        for block in self.blocks:
            x = block(x, cos, sin, mask)
        x = self.post_layernorm(x).view(pictures, TOKENS, -1)
        kernel = self.downsample.weight.permute(0, 2, 3, 1).flatten(1)
        merged: Tensor = self.merger(F.linear(x, kernel, self.downsample.bias))
        return merged


def _grid_tables(head: int) -> dict[str, Tensor]:
    """For each of `GRIDS`: where its patches lie between the learned positions, (G, 256, 256); cosine and sine of their
    rows and columns, (G, 256, head); which patches there are, (G, 256)."""
    between, angles, mask = [], [], []
    frequencies = 1.0 / (10000.0 ** (torch.arange(0, head // 2, 2).float() / (head // 2)))
    unit = torch.eye(SQUARE * SQUARE).view(1, SQUARE * SQUARE, SQUARE, SQUARE)
    for rows, columns in GRIDS:
        order = [
            (MERGE * r + dr, MERGE * c + dc)
            for r in range(rows)
            for c in range(columns)
            for dr in range(MERGE)
            for dc in range(MERGE)
        ]
        at = torch.tensor(order + [(0, 0)] * (PATCHES - len(order))).float()
        size = torch.tensor([rows * MERGE, columns * MERGE])
        scaled = ((at + 0.5) / size * 2 - 1).flip(-1)[None, None]
        found = F.grid_sample(unit, scaled, mode="bicubic", align_corners=False, padding_mode="border")
        between.append(found[0, :, 0].T)
        both = (at[..., None] * frequencies).flatten(1)
        angles.append(torch.cat((both, both), dim=-1))
        mask.append(torch.arange(PATCHES) < len(order))
    angle = torch.stack(angles)
    return {
        "between": torch.stack(between),
        "cos": angle.cos(),
        "sin": angle.sin(),
        "mask": torch.stack(mask),
        "mean": torch.tensor(MEAN).view(3, 1),
        "std": torch.tensor(STD).view(3, 1),
    }
