"""The language model in training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .layers import Rms, Shape
from .memory import Memory


class TextAttention(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        head = shape.width // shape.heads
        self.q_proj = nn.Linear(shape.width, shape.width)
        self.k_proj = nn.Linear(shape.width, shape.key_heads * head)
        self.v_proj = nn.Linear(shape.width, shape.key_heads * head)
        self.o_proj = nn.Linear(shape.width, shape.width, bias=False)
        self.head, self.groups = head, shape.heads // shape.key_heads

    def forward(
        self, x: Tensor, cos: Tensor, sin: Tensor, memory: Memory | None = None, at: Tensor | None = None
    ) -> Tensor:
        batch, length, width = x.shape
        q, k, v = (
            p(x).view(batch, length, -1, self.head).transpose(1, 2) for p in (self.q_proj, self.k_proj, self.v_proj)
        )
        q, k = _turn_pairs(q, cos, sin), _turn_pairs(k, cos, sin)
        mask = None
        if memory is not None:
            k, v, mask = memory.extend(k, v, at)
        if mask is None:
            k, v = k.repeat_interleave(self.groups, 1), v.repeat_interleave(self.groups, 1)
            out = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            # One token asks: the heads that share a key stand where else tokens would.
            asking = q.view(batch, -1, self.groups, self.head)
            out = F.scaled_dot_product_attention(asking, k, v, attn_mask=mask).view_as(q)
        projected: Tensor = self.o_proj(out.transpose(1, 2).reshape(batch, length, width))
        return projected


def _turn_pairs(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    turned, rest = x[..., : cos.shape[-1]], x[..., cos.shape[-1] :]
    even, odd = turned[..., 0::2], turned[..., 1::2]
    across = torch.stack((-odd, even), dim=-1).flatten(-2)
    return torch.cat(((turned * cos + across * sin).to(x.dtype), rest), dim=-1)


class TextMlp(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.gate_up_proj = nn.Linear(shape.width, 2 * shape.text_inner, bias=False)
        self.down_proj = nn.Linear(shape.text_inner, shape.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate, up = self.gate_up_proj(x).chunk(2, dim=-1)
        out: Tensor = self.down_proj(up * F.silu(gate))
        return out


class TextLayer(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.self_attn = TextAttention(shape)
        self.mlp = TextMlp(shape)
        self.input_layernorm = Rms(shape.width)
        self.post_attention_layernorm = Rms(shape.width)
        self.post_self_attn_layernorm = Rms(shape.width)
        self.post_mlp_layernorm = Rms(shape.width)

    def forward(
        self, x: Tensor, cos: Tensor, sin: Tensor, memory: Memory | None = None, at: Tensor | None = None
    ) -> Tensor:
        attended = self.self_attn(self.input_layernorm(x), cos, sin, memory, at)
        x = x + self.post_self_attn_layernorm(attended)
        out: Tensor = x + self.post_mlp_layernorm(self.mlp(self.post_attention_layernorm(x)))
        return out


class Text(nn.Module):
    """The language model: embedded tokens (B, L, width) and their positions (B, 3, L) to the last hidden states.
    `memories`, one a layer: what is read is remembered; `at`: one more token of each row, at these places."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.width)
        self.layers = nn.ModuleList(TextLayer(shape) for _ in range(shape.text_layers))
        self.norm = Rms(shape.width)
        turned = shape.width // shape.heads // 2
        frequencies = 1.0 / (10000.0 ** (torch.arange(0, turned, 2).float() / turned))
        self.register_buffer("frequencies", frequencies, persistent=False)
        # Which of time, row and column each frequency turns with: GLM's sections, here 2, 3 and 3 of 8.
        self.register_buffer("axis", torch.tensor(axes(turned // 2)), persistent=False)

    def forward(
        self, x: Tensor, positions: Tensor, memories: Sequence[Memory] | None = None, at: Tensor | None = None
    ) -> Tensor:
        tables: Any = self
        angles = positions[:, tables.axis].transpose(1, 2).float() * tables.frequencies
        angles = angles.repeat_interleave(2, dim=-1)[:, None]
        cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
        for number, layer in enumerate(self.layers):
            x = layer(x, cos, sin) if memories is None else layer(x, cos, sin, memories[number], at)
        out: Tensor = self.norm(x)
        return out


def sections(frequencies: int) -> list[int]:
    """How many of the frequencies turn with time, row and column."""
    third = (frequencies * 3 + 4) // 8
    return [frequencies - 2 * third, third, third]


def axes(frequencies: int) -> list[int]:
    """For each frequency: 0 time, 1 row, 2 column."""
    return [axis for axis, count in enumerate(sections(frequencies)) for _ in range(count)]
