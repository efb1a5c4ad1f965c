"""Attention for steps in which sequences of any length take part: tokens of all of them lie on one packed axis.

transformers calls it for every layer of a model whose `_attn_implementation` is `NAME`. Outside a step, for example in
a plain `generate`, it is scaled dot product attention as always.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch.nn.attention.bias import causal_lower_right
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

from core.errors import InferenceError
from core.inference import products
from core.inference.fresh import fresh_chunks
from core.inference.slots import KvSlots, LayerShape

NAME = "glimt_ragged"
# A multiple for the length that decoding rows look back, so that few shapes of kernels are met.
_ROUND = 32


@dataclass(frozen=True, slots=True)
class Chunk:
    """Tokens `start` to `end` of the packed axis: they go to `slot`, behind `past` tokens that are there already."""

    start: int
    end: int
    slot: int
    past: int


class Layout:
    """Where the packed tokens of one step belong.

    The first `len(places)` of them are one token each for the slots 0, 1, …: the token at `places[i]` of slot i.
    Then come the `chunks`. `causal` false lets the tokens of a chunk see those behind them too.
    """

    def __init__(self, slots: KvSlots, places: list[int], chunks: list[Chunk], causal: bool = True) -> None:
        self.slots = slots
        self.chunks = chunks
        self.causal = causal
        self.rows = len(places)
        device = slots.keys[0].device
        self.by_products = products.worthwhile(slots.keys[0].dtype, device)
        spans = [(chunk.start, chunk.end, chunk.slot, chunk.past) for chunk in chunks]
        one_device = all(keys.device == device for keys in slots.keys)
        self.fresh = fresh_chunks(spans, causal, slots.keys[0], slots.values[0]) if one_device else None
        self._masks: dict[tuple[Chunk, torch.device], torch.Tensor] = {}
        if places:
            longest = min(slots.length, -(-(max(places) + 1) // _ROUND) * _ROUND)
            self._look_back(torch.tensor(places, device=device), longest)

    @classmethod
    def decoding(cls, slots: KvSlots, places: torch.Tensor, longest: int) -> "Layout":
        """Of rows alone, whose `places` (rows,) are on the device already; none is `longest` or more."""
        layout = cls(slots, [], [])
        layout.rows = len(places)
        layout._look_back(places, longest)
        return layout

    def _look_back(self, places: torch.Tensor, longest: int) -> None:
        self.longest = longest
        self.places = places
        self.slot_of_row = torch.arange(self.rows, device=places.device)
        seen = torch.arange(longest, device=places.device)[None] <= places[:, None]
        self.seen = torch.zeros(seen.shape, dtype=self.slots.keys[0].dtype, device=places.device)
        self.seen = self.seen.masked_fill_(~seen, float("-inf"))[:, None, None]
        self._by_device = {places.device: (self.slot_of_row, self.places, self.seen)}

    def mask(self, chunk: Chunk, device: torch.device) -> torch.Tensor | None:
        """Which of the tokens in its slot each token of `chunk` sees; None if all that are not behind it, or all."""
        if not self.causal or not chunk.past:
            return None
        if (chunk, device) not in self._masks:
            tokens = chunk.end - chunk.start
            mask: torch.Tensor = (
                # No numbers, so that kernels can be used that take none.
                causal_lower_right(tokens, chunk.past + tokens)
                if device.type == "cuda"
                else torch.ones(tokens, chunk.past + tokens, dtype=torch.bool, device=device).tril(chunk.past)
            )
            self._masks[chunk, device] = mask
        return self._masks[chunk, device]

    def on(self, device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """`slot_of_row`, `places` and `seen` on a layer's device, where layers are on several."""
        if device not in self._by_device:
            here = (self.slot_of_row.to(device), self.places.to(device), self.seen.to(device))
            self._by_device[device] = here
        return self._by_device[device]


class Probe:
    """Stands in for a layout to learn what each layer keeps of a token."""

    def __init__(self) -> None:
        self.layers: dict[int, LayerShape] = {}


_step = threading.local()


@contextmanager
def computing(layout: Layout | Probe) -> Iterator[None]:
    """Within it, this thread's forward passes are steps over `layout`."""
    _step.layout = layout
    try:
        yield
    finally:
        _step.layout = None


def ragged_attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """`query`: (1, heads, N, width), `key` and `value`: (1, their heads, N, width). Gives (1, N, heads, width)."""
    layout = getattr(_step, "layout", None)
    if layout is None:
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs
        )
    if isinstance(layout, Probe):
        layout.layers[module.layer_idx] = LayerShape(key.shape[1], key.shape[-1], value.shape[-1], key.device)
        return query.new_zeros(1, query.shape[2], query.shape[1], value.shape[-1]), None
    keys, values = layout.slots.keys[module.layer_idx], layout.slots.values[module.layer_idx]
    parts = []
    if layout.rows:
        parts.append(_rows(layout, query, key, value, keys, values, scaling))
    fresh = layout.fresh
    if fresh is not None:
        parts.append(fresh.attend(query, key, value, keys, values, _scale(query, scaling)))
    for chunk in layout.chunks[fresh.count if fresh is not None else 0 :]:
        parts.append(_chunk(layout, chunk, query, key, value, keys, values, scaling))
    return parts[0] if len(parts) == 1 else torch.cat(parts, 1), None


def _rows(
    layout: Layout,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    scaling: float | None,
) -> torch.Tensor:
    rows, heads, groups = layout.rows, query.shape[1], key.shape[1]
    slot_of_row, places, allowed = layout.on(keys.device)
    keys[slot_of_row, :, places] = key[0, :, :rows].transpose(0, 1)
    values[slot_of_row, :, places] = value[0, :, :rows].transpose(0, 1)
    # The query heads that share a key head stand as its query length: nothing has to be repeated.
    asked = query[0, :, :rows].transpose(0, 1).reshape(rows, groups, heads // groups, query.shape[-1])
    kept = keys[:rows, :, : layout.longest], values[:rows, :, : layout.longest]
    if products.rows_worthwhile(rows, layout.longest, keys.dtype, keys.device):
        seen = products.attend_rows(asked, *kept, allowed, _scale(query, scaling))
    else:
        seen = F.scaled_dot_product_attention(asked, *kept, attn_mask=allowed, scale=scaling)
    return seen.reshape(1, rows, heads, values.shape[-1])


def _chunk(
    layout: Layout,
    chunk: Chunk,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    scaling: float | None,
) -> torch.Tensor:
    here, end = slice(chunk.start, chunk.end), chunk.past + chunk.end - chunk.start
    keys[chunk.slot, :, chunk.past : end] = key[0, :, here]
    values[chunk.slot, :, chunk.past : end] = value[0, :, here]
    if layout.by_products and layout.causal and chunk.end - chunk.start >= products.LEAST_QUERIES:
        kept = keys[chunk.slot, :, :end], values[chunk.slot, :, :end]
        return products.attend_chunk(query[0, :, here], *kept, chunk.past, _scale(query, scaling))
    mask = layout.mask(chunk, key.device)
    seen = F.scaled_dot_product_attention(
        query[:, :, here],
        keys[chunk.slot : chunk.slot + 1, :, :end],
        values[chunk.slot : chunk.slot + 1, :, :end],
        attn_mask=mask,
        is_causal=layout.causal and mask is None,
        scale=scaling,
        enable_gqa=True,
    )
    return seen.transpose(1, 2)


def _scale(query: torch.Tensor, scaling: float | None) -> float:
    return query.shape[-1] ** -0.5 if scaling is None else scaling


AttentionInterface.register(NAME, ragged_attention)
AttentionMaskInterface.register(NAME, sdpa_mask)


def layer_shapes(model: Any, device: torch.device) -> list[LayerShape]:
    """What each layer of `model` keeps of a token, seen in a pass over one token. Switches its attention to `NAME`.

    Raises:
        InferenceError: its attention does not go through transformers' interface.
    """
    model.config.get_text_config()._attn_implementation = NAME
    one = torch.zeros(1, 1, dtype=torch.long, device=device)
    probe = Probe()
    with torch.inference_mode(), computing(probe):
        model.get_decoder()(
            inputs_embeds=model.get_input_embeddings()(one),
            position_ids=one,
            attention_mask=torch.empty(1, 1, 1, 1, device=device),
            use_cache=False,
        )
    if not probe.layers:
        raise InferenceError("the attention of this model cannot be batched")
    return [probe.layers[number] for number in sorted(probe.layers)]
