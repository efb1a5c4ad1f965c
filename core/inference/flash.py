"""Attention over sequences of any length side by side, in one call: torch's flash attention, in 16 bits on a GPU.

In towers that see several pictures at once transformers would have a call for each picture in each layer, and read
their sizes back from the GPU each time.
"""

from functools import cache
from typing import Any

import torch
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

# With "flash" in its name transformers' towers say how long their sequences are.
NAME = "glimt_flash_towers"
# The widest heads that the kernel takes; widths are multiples of 8.
_WIDEST = 256


def takes(key: torch.Tensor, value: torch.Tensor) -> bool:
    """Whether there is a kernel for tensors like these."""
    width = key.shape[-1]
    half = key.dtype in (torch.bfloat16, torch.float16)
    fits = width == value.shape[-1] and not width % 8 and width <= _WIDEST
    return key.device.type == "cuda" and half and fits and _able(key.device)


@cache
def _able(device: torch.device) -> bool:
    """Whether torch has these kernels, and the GPU is not older than they are (Ampere). AMD's are others."""
    there = torch.backends.cuda.is_flash_attention_available() and torch.version.hip is None
    return there and torch.cuda.get_device_capability(device) >= (8, 0)


def attend(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    ends: torch.Tensor,
    longest: int,
    scale: float,
    causal: bool,
) -> torch.Tensor:
    """`query` (N, heads, width), `key` and `value` (N, their heads, width) of sequences that follow each other on N;
    `ends` (sequences + 1,) int32 where they end, the first number is 0; `longest` of them. Gives (N, heads, width)."""
    made: torch.Tensor = torch.ops.aten._flash_attention_forward(
        query, key, value, ends, ends, longest, longest, 0.0, causal, False, scale=scale
    )[0]
    return made


def tower_attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None = None,
    scaling: float | None = None,
    dropout: float = 0.0,
    cu_seq_lens_q: torch.Tensor | None = None,
    max_length_q: int | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """What transformers calls: `query`, `key` and `value` (1, heads, N, width). Gives (1, N, heads, width)."""
    ends, longest = cu_seq_lens_q, max_length_q
    for name in ("cu_seq_lens_k", "max_length_k"):
        kwargs.pop(name, None)
    if ends is None or longest is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, dropout, scaling, **kwargs)
    if not takes(key, value):
        lengths = (ends[1:] - ends[:-1]).tolist()
        parts = zip(query.split(lengths, 2), key.split(lengths, 2), value.split(lengths, 2), strict=True)
        seen = [sdpa_attention_forward(module, q, k, v, None, dropout, scaling, **kwargs)[0] for q, k, v in parts]
        return torch.cat(seen, 1), None
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    asked, keys, values = (tensor[0].transpose(0, 1) for tensor in (query, key, value))
    return attend(asked, keys, values, ends.int(), longest, scale, causal=False)[None], None


AttentionInterface.register(NAME, tower_attention)
AttentionMaskInterface.register(NAME, sdpa_mask)
