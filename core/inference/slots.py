"""Static memory for the keys and values of many sequences."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

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
    """Keys and values of one sequence's first tokens, taken out of its slot: of layers that are alike and follow each
    other, (layers, heads, tokens, width)."""

    parts: list[torch.Tensor]

    @property
    def bytes(self) -> int:
        """Memory that it holds."""
        return sum(tensor.nbytes for tensor in self.parts)


class KvSlots:
    """`keys[l]`, `values[l]`: (slots, heads, length, width) for layer l; a sequence has one slot.

    The memory of `tokens` tokens is taken once. It is cut into `count` slots of `length` tokens each, and cut anew
    when longer sequences come: what is in the first slots is kept. Not thread-safe.
    """

    def __init__(self, layers: Sequence[LayerShape], tokens: int, dtype: torch.dtype, device: torch.device) -> None:
        self.tokens = tokens
        # Layers that are alike lie in one block: what concerns a slot is one copy then, not one for each layer.
        self._groups = [(shape, len(list(alike))) for shape, alike in groupby(layers)]
        self._flat = [
            [
                torch.zeros(count, tokens * shape.heads * width, dtype=dtype, device=shape.device or device)
                for width in (shape.key_width, shape.value_width)
            ]
            for shape, count in self._groups
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
        return SavedTokens([block[:, slot, :, :tokens].clone() for block in self._blocks])

    def load(self, slot: int, saved: SavedTokens, tokens: int) -> None:
        """Put the first `tokens` of `saved` into `slot`."""
        for block, part in zip(self._blocks, saved.parts, strict=True):
            block[:, slot, :, :tokens] = part[:, :, :tokens]

    def move(self, source: int, to: int, tokens: int) -> None:
        """Copy the first `tokens` tokens of one slot over those of another."""
        for block in self._blocks:
            block[:, to, :, :tokens] = block[:, source, :, :tokens]

    def swap(self, one: int, other: int, in_one: int, in_other: int) -> None:
        """Exchange what is in two slots: as many tokens as are in each."""
        if not in_one or not in_other:
            source, to, tokens = (one, other, in_one) if in_one else (other, one, in_other)
            self.move(source, to, tokens)
            return
        kept = self.save(one, in_one)
        self.move(other, one, in_other)
        self.load(other, kept, in_one)

    def _cut(self, length: int) -> None:
        self.length = length
        self.count = self.tokens // length
        # (layers that are alike, slots, heads, length, width), and the same by layer.
        self._blocks: list[torch.Tensor] = []
        self.keys: list[torch.Tensor] = []
        self.values: list[torch.Tensor] = []
        for (shape, layers), flat in zip(self._groups, self._flat, strict=True):
            for memory, by_layer in zip(flat, (self.keys, self.values), strict=True):
                width = memory.shape[1] // (self.tokens * shape.heads)
                taken = memory[:, : self.count * shape.heads * length * width]
                block = taken.view(layers, self.count, shape.heads, length, width)
                self._blocks.append(block)
                by_layer += block.unbind()
