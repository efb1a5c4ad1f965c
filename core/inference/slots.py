"""Static memory for the keys and values of many sequences."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

# Lengths that slots are cut to are powers of two, so that they are cut anew rarely.
SHORTEST = 256


def slot_length(tokens: int) -> int:
    """The shortest of those lengths that holds `tokens` tokens."""
    length = SHORTEST
    while length < tokens:
        length *= 2
    return length


@dataclass(frozen=True, slots=True)
class LayerShape:
    """What one token takes in one layer: `heads` keys of `key_width` and values of `value_width` numbers.

    `device` is where the layer is, if it is not where all are.
    """

    heads: int
    key_width: int
    value_width: int
    device: torch.device | None = None

    def bytes(self, dtype: torch.dtype) -> int:
        """Memory of one token."""
        return self.heads * (self.key_width + self.value_width) * dtype.itemsize


@dataclass(frozen=True, slots=True)
class SavedTokens:
    """Keys and values of one sequence's first tokens, taken out of its slot: per layer (heads, tokens, width)."""

    keys: list[torch.Tensor]
    values: list[torch.Tensor]

    @property
    def bytes(self) -> int:
        """Memory that it holds."""
        return sum(tensor.nbytes for tensor in (*self.keys, *self.values))


class KvSlots:
    """`keys[l]`, `values[l]`: (slots, heads, length, width) for layer l; a sequence has one slot.

    The memory of `tokens` tokens is taken once. It is cut into `count` slots of `length` tokens each, and cut anew
    when longer sequences come: what is in the first slots is kept. Not thread-safe.
    """

    def __init__(self, layers: Sequence[LayerShape], tokens: int, dtype: torch.dtype, device: torch.device) -> None:
        self.tokens = tokens
        self._layers = layers
        self._flat = [
            (
                torch.zeros(tokens * layer.heads * layer.key_width, dtype=dtype, device=layer.device or device),
                torch.zeros(tokens * layer.heads * layer.value_width, dtype=dtype, device=layer.device or device),
            )
            for layer in layers
        ]
        self._cut(min(SHORTEST, tokens))

    def fit(self, tokens: int) -> int:
        """The length that a slot for `tokens` tokens is cut to."""
        return min(slot_length(tokens), self.tokens)

    def cut(self, length: int, used: int) -> None:
        """Cut into slots of `length`; the first `used` slots keep what fits of their content."""
        kept = min(length, self.length)
        before = (*self.keys, *self.values)
        self._cut(length)
        # One tensor after the other, so that there is never a copy of more than one.
        for old, new in zip(before, (*self.keys, *self.values), strict=True):
            new[:used, :, :kept] = old[:used, :, :kept].clone()

    def save(self, slot: int, tokens: int) -> SavedTokens:
        """A copy of the first `tokens` tokens in `slot`."""
        return SavedTokens(
            [keys[slot, :, :tokens].clone() for keys in self.keys],
            [values[slot, :, :tokens].clone() for values in self.values],
        )

    def load(self, slot: int, saved: SavedTokens, tokens: int) -> None:
        """Put the first `tokens` of `saved` into `slot`."""
        for keys, source in zip(self.keys, saved.keys, strict=True):
            keys[slot, :, :tokens] = source[:, :tokens]
        for values, source in zip(self.values, saved.values, strict=True):
            values[slot, :, :tokens] = source[:, :tokens]

    def move(self, source: int, to: int, tokens: int) -> None:
        """Copy the first `tokens` tokens of one slot over those of another."""
        for tensor in (*self.keys, *self.values):
            tensor[to, :, :tokens] = tensor[source, :, :tokens]

    def swap(self, one: int, other: int, tokens: int) -> None:
        """Exchange the first `tokens` tokens of two slots."""
        kept = self.save(one, tokens)
        self.move(other, one, tokens)
        self.load(other, kept, tokens)

    def _cut(self, length: int) -> None:
        self.length = length
        self.count = self.tokens // length
        self.keys: list[torch.Tensor] = []
        self.values: list[torch.Tensor] = []
        for layer, (keys, values) in zip(self._layers, self._flat, strict=True):
            taken = self.count * layer.heads * length
            self.keys.append(keys[: taken * layer.key_width].view(self.count, layer.heads, length, layer.key_width))
            self.values.append(
                values[: taken * layer.value_width].view(self.count, layer.heads, length, layer.value_width)
            )
