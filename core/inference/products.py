"""Attention as products of matrices: for bfloat16 on a CPU, and for rows that look back far on a GPU.

On a CPU torch's scaled dot product attention is slow: *measured* on one core with AVX-512, a vision tower's layer of
576 patches took 8.0 ms and 2.9 as products, 32 decoding rows of 224 keys 1.7 and 1.0. Scores are rounded to bfloat16
before the softmax, as in transformers' own eager attention. In float32 nothing is gained.
"""

from typing import Any

import torch
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

NAME = "glimt_products"
# Scores that are held at once: they should stay in the caches nearest to a core.
SCORES = 2**20
# Below so many queries, or decoding rows, a call costs more than what it saves.
LEAST_QUERIES = 16
LEAST_ROWS = 8
# On a GPU torch's attention with a mask reads a row's keys one after the other. *Measured* on an H100: a row that looks
# back 4096 tokens takes 159 us a layer, and not more than 93 as products.
LEAST_REACH = 2048
_LEAST_SCORES = 2**14


def worthwhile(dtype: torch.dtype, device: torch.device) -> bool:
    """Whether tensors of this kind are better off here."""
    return device.type == "cpu" and dtype == torch.bfloat16


def rows_worthwhile(rows: int, reach: int, dtype: torch.dtype, device: torch.device) -> bool:
    """Whether `rows` decoding rows that look back up to `reach` tokens are better off here."""
    if device.type == "cuda":
        return reach >= LEAST_REACH and dtype in (torch.bfloat16, torch.float16)
    return rows >= LEAST_ROWS and worthwhile(dtype, device)


def attend_rows(
    asked: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, seen: torch.Tensor, scale: float
) -> torch.Tensor:
    """One token of each row: `asked` (rows, groups, heads of a group, width), `keys` and `values` (rows, groups, L,
    width), `seen` (rows, 1, 1, L) with 0 or -inf. Gives (rows, groups, heads of a group, width of values)."""
    rows, groups, length = keys.shape[:3]
    # The keys come first: they are a cut of longer slots, and as the second factor they would be copied.
    scores = torch.bmm(keys.flatten(0, 1), (asked * scale).flatten(0, 1).transpose(1, 2))
    scores = scores.transpose(1, 2).reshape(rows, groups, -1, length) + seen
    made = torch.bmm(torch.softmax(scores, -1).flatten(0, 1), values.flatten(0, 1))
    return made.view(rows, groups, -1, values.shape[-1])


def attend_chunk(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, past: int, scale: float, at_once: int = SCORES
) -> torch.Tensor:
    """Tokens `past` to `past + N` of one sequence: `query` (heads, N, width), `keys` and `values` (groups, past + N,
    width). Each sees itself and what stands before. Gives (1, N, heads, width of values)."""
    heads, tokens = query.shape[:2]
    groups, length = keys.shape[:2]
    asked = (query * scale).view(groups, heads // groups, tokens, -1)
    made = query.new_empty(1, tokens, heads, values.shape[-1])
    block = max(LEAST_QUERIES, at_once // (heads * length))
    for start in range(0, tokens, block):
        end = min(tokens, start + block)
        count, seen = end - start, past + end
        part = asked[:, :, start:end].flatten(1, 2)
        scores = torch.bmm(part, keys[:, :seen].transpose(1, 2)).view(groups, -1, count, seen)
        scores[..., past + start :] += _future(count, query)
        weights = torch.softmax(scores, -1).flatten(1, 2)
        made[0, start:end] = torch.bmm(weights, values[:, :seen]).view(heads, count, -1).transpose(0, 1)
    return made


def attend_all(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float, at_once: int = SCORES
) -> torch.Tensor:
    """Each token sees all: `query`, `key` and `value` (B, heads, tokens, width). Gives (B, tokens, heads, width of
    values)."""
    batch, heads, tokens = query.shape[:3]
    asked, keys, values = (query * scale).flatten(0, 1), key.flatten(0, 1), value.flatten(0, 1)
    made = query.new_empty(batch, tokens, heads, value.shape[-1])
    together = max(1, at_once // (tokens * key.shape[2]))
    block = max(LEAST_QUERIES, at_once // key.shape[2])
    for first in range(0, batch * heads, together):
        some = slice(first, min(first + together, batch * heads))
        for start in range(0, tokens, block):
            here = slice(start, start + block)
            weights = torch.softmax(torch.bmm(asked[some, here], keys[some].transpose(1, 2)), -1)
            part = torch.bmm(weights, values[some])
            for number, of_head in enumerate(part, first):
                made[number // heads, here, number % heads] = of_head
    return made


def _future(count: int, like: torch.Tensor) -> torch.Tensor:
    """(count, count) with -inf where a token would see one that comes later."""
    return like.new_full((count, count), float("-inf")).triu(1)


def products_attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None = None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """What transformers calls in towers: `query`, `key` and `value` (B, heads, tokens, width), no order of tokens."""
    causal = kwargs.get("is_causal")
    if causal is None:
        # As transformers has it where nothing is said.
        causal = getattr(module, "is_causal", True)
    plain = causal or attention_mask is not None or query.shape[1] != key.shape[1]
    if plain or scaling is None or query.shape[2] * key.shape[2] < _LEAST_SCORES:
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs
        )
    return attend_all(query, key, value, scaling), None


AttentionInterface.register(NAME, products_attention)
AttentionMaskInterface.register(NAME, sdpa_mask)


def use_in_towers(model: Any, name: str = NAME) -> None:
    """Have every part of `model` but its text decoder compute attention here, or by the function that is registered as
    `name`, where it would take torch's own."""
    text = model.config.get_text_config()
    for module in model.modules():
        config = getattr(module, "config", None)
        # What is set for a model of parts is set for all of them, whatever they would take: the parts have their own.
        if config is None or config is text or getattr(config, "sub_configs", None):
            continue
        if getattr(config, "_attn_implementation", "") == "sdpa":
            config._attn_implementation = name
