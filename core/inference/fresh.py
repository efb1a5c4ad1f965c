"""Prompts that begin in the same step on a GPU: one call a layer for all of them, whatever their lengths.

Where each has a call of its own, naming the calls takes longer than computing them.
"""

from collections.abc import Sequence
from itertools import accumulate, takewhile

import torch

from core.inference import flash


class FreshChunks:
    """The first `count` chunks of a step: nothing of their sequences was computed before.

    They lie side by side on the packed axis, from `start` to `end`.
    """

    def __init__(self, chunks: Sequence[tuple[int, int, int]], causal: bool, device: torch.device) -> None:
        """`chunks`: start and end on the packed axis and slot of each."""
        lengths = [end - start for start, end, _ in chunks]
        ends = [0, *accumulate(lengths)]
        self.count = len(chunks)
        self.start, self.end = chunks[0][0], chunks[-1][1]
        self._causal = causal
        self._longest = max(lengths)
        # One copy to the device for all three.
        slots = [slot for length, (_, _, slot) in zip(lengths, chunks, strict=True) for _ in range(length)]
        places = [place for length in lengths for place in range(length)]
        numbers = torch.tensor([*slots, *places, *ends]).to(device)
        tokens = self.end - self.start
        self._slots, self._places = numbers[:tokens], numbers[tokens : 2 * tokens]
        self._ends = numbers[2 * tokens :].int()

    def attend(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        keys: torch.Tensor,
        values: torch.Tensor,
        scale: float,
    ) -> torch.Tensor:
        """`query` (1, heads, N, width), `key` and `value` (1, their heads, N, width) of the whole packed axis. Keys and
        values go to the slots in `keys` and `values`. Gives (1, tokens of these chunks, heads, width)."""
        asked, kept, said = (tensor[0, :, self.start : self.end].transpose(0, 1) for tensor in (query, key, value))
        keys[self._slots, :, self._places] = kept
        values[self._slots, :, self._places] = said
        return flash.attend(asked, kept, said, self._ends, self._longest, scale, self._causal)[None]


def fresh_chunks(
    chunks: Sequence[tuple[int, int, int, int]], causal: bool, keys: torch.Tensor, values: torch.Tensor
) -> FreshChunks | None:
    """Those of `chunks` (start, end, slot, tokens before) that come first and begin a sequence; None if there are not
    two of them, or no kernel here for slots as `keys` and `values` are."""
    if not flash.takes(keys, values):
        return None
    found = [chunk[:3] for chunk in takewhile(lambda chunk: not chunk[3], chunks)]
    return FreshChunks(found, causal, keys.device) if len(found) > 1 else None
