"""What a language model that answers remembers of the tokens it has read: keys and values of each layer."""

from __future__ import annotations

import torch
from torch import Tensor


class Memory:
    """One layer's keys and values, (B, heads, L, head width), for rows that are of different lengths.

    The first call reads whole prompts, filled up behind their ends; each later one reads one token of each row, at
    the places `at`, and forgets what the filling left there.
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._keys: Tensor | None = None
        self._values: Tensor | None = None

    def extend(self, keys: Tensor, values: Tensor, at: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
        """Remember `keys` and `values`; all keys and values to attend to, and a mask (B, 1, 1, L) where a row must not
        look at all of them. `at` is None for the prompts."""
        if at is None:
            batch, heads, read, width = keys.shape
            self._keys, self._values = (x.new_zeros(batch, heads, self._length, width) for x in (keys, values))
            self._keys[:, :, :read], self._values[:, :, :read] = keys, values
            return keys, values, None
        assert self._keys is not None
        assert self._values is not None
        rows = torch.arange(len(at), device=at.device)
        self._keys[rows, :, at], self._values[rows, :, at] = keys[:, :, 0], values[:, :, 0]
        mask = torch.arange(self._length, device=at.device) <= at[:, None]
        return self._keys, self._values, mask[:, None, None]
