"""Conversations as arrays: a pack of them, of one size always, so that a GPU never waits for another shape.

No torch here: processes that only draw and write load none.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from .chat import IMAGE, pieces
from .dialogue import Dialogue, Shot, sample_counting, sample_dialogue
from .helper import SLOTS, token_targets
from .picture import FACTOR, GRIDS, PATCH, TOKENS, patches

LENGTH = 448
CONVERSATIONS = 32
PICTURES = 44
# Answer tokens of a pack; what is more is not learned from.
LEARNED = CONVERSATIONS * 160
PATCHES = TOKENS * 4
PIXELS = 3 * PATCH * PATCH
IGNORE = -100
COUNTING = 0.08

Pack = Mapping[str, npt.NDArray[np.generic]]
"""One pack, by the names and shapes of `LAYOUT`.

`ids` and `positions` (time, row, column) of each token; `at` which tokens one of an answer is predicted, and that
`target`, filled up with `IGNORE`; `pixels` and `grid` of pictures: patches, and which of `GRIDS`; the `place` of the
tokens of each picture, filled up with one behind the last; `glyphs` and `marks` for the helper head.
"""

LAYOUT: dict[str, tuple[tuple[int, ...], type[np.generic]]] = {
    "ids": ((CONVERSATIONS, LENGTH), np.int16),
    "positions": ((CONVERSATIONS, 3, LENGTH), np.int16),
    "at": ((LEARNED,), np.int32),
    "target": ((LEARNED,), np.int16),
    "pixels": ((PICTURES, PATCHES, PIXELS), np.uint8),
    "grid": ((PICTURES,), np.int8),
    "place": ((PICTURES, TOKENS), np.int32),
    "glyphs": ((PICTURES, TOKENS, SLOTS), np.int8),
    "marks": ((PICTURES, TOKENS, 2), np.int8),
}


@dataclass
class Encoded:
    """One conversation, cut to length: how many of its pictures are left is `pictures`."""

    ids: list[int]
    positions: list[tuple[int, int, int]]
    learned: list[int]
    starts: list[int]


def fill(pack: Pack, tokenizer: Tokenizer, seed: str, easy: float) -> None:
    """Write the conversations of `seed` into `pack`; always the same for the same seed."""
    rng = random.Random(seed)
    pack["ids"][:] = 0
    pack["positions"][:] = 0
    pack["at"][:] = 0
    pack["target"][:] = IGNORE
    pack["grid"][:] = 0
    pack["place"][:] = CONVERSATIONS * LENGTH
    pack["glyphs"][:] = -1
    pack["marks"][:] = -1
    used = learned = 0
    for row in range(CONVERSATIONS):
        spare = PICTURES - used - (CONVERSATIONS - row)
        dialogue, one = _fitting(rng, tokenizer, easy, 2 if spare > 0 else 1)
        count = len(one.ids)
        pack["ids"][row, :count] = one.ids
        pack["positions"][row, :, :count] = np.array(one.positions, dtype=np.int16).T
        # A token is predicted by the one before it.
        learn = one.learned[: LEARNED - learned]
        pack["at"][learned : learned + len(learn)] = np.array(learn, dtype=np.int32) - 1 + row * LENGTH
        pack["target"][learned : learned + len(learn)] = [one.ids[i] for i in learn]
        learned += len(learn)
        for shot, start in zip(dialogue.shots, one.starts, strict=False):
            _picture(pack, used, shot, row * LENGTH + start)
            used += 1


def _fitting(rng: random.Random, tokenizer: Tokenizer, easy: float, pictures: int) -> tuple[Dialogue, Encoded]:
    """A conversation of which something fits: two pictures behind a long system prompt may be too much."""
    while True:
        if rng.random() < COUNTING:
            dialogue = sample_counting(rng)
        else:
            dialogue = sample_dialogue(rng, easy=easy, pictures=pictures)
        if (one := encode(dialogue, tokenizer)).ids:
            return dialogue, one


def _picture(pack: Pack, number: int, shot: Shot, start: int) -> None:
    rows, columns = shot.grid
    tokens = rows * columns
    cut = patches(shot.drawn.image)
    pack["pixels"][number, : len(cut)] = cut
    pack["pixels"][number, len(cut) :] = 0
    pack["grid"][number] = GRIDS.index(shot.grid)
    pack["place"][number, :tokens] = np.arange(start, start + tokens)
    token_targets(shot.drawn, shot.grid, pack["glyphs"][number], pack["marks"][number])


def encode(dialogue: Dialogue, tokenizer: Tokenizer, length: int = LENGTH) -> Encoded:
    """Tokens of `dialogue` up to the last whole answer within `length` tokens; none where not even the first fits."""
    image = tokenizer.token_to_id(IMAGE)
    out = Encoded([], [], [], [])
    shots = iter(dialogue.shots)
    kept = (0, 0)
    at = 0
    for piece in pieces(dialogue.system, dialogue.exchanges, quiet=dialogue.quiet):
        tokens = _cached(piece.text, tokenizer)
        if len(out.ids) + len(tokens) > length:
            break
        for token in tokens:
            if token == image:
                rows, columns = next(shots).grid
                out.starts.append(len(out.ids))
                out.positions += [(at, at + r, at + c) for r in range(rows) for c in range(columns)]
                out.ids += [image] * (rows * columns)
                at += max(rows, columns)
                continue
            if piece.learn:
                out.learned.append(len(out.ids))
            out.positions.append((at, at, at))
            out.ids.append(token)
            at += 1
        if len(out.ids) > length:
            break
        if piece.text == "<|user|>":
            kept = (len(out.ids), len(out.starts))
    count, pictures = kept
    learned = [i for i in out.learned if i < count]
    return Encoded(out.ids[:count], out.positions[:count], learned, out.starts[:pictures])


@lru_cache(maxsize=200_000)
def _cached(text: str, tokenizer: Tokenizer) -> tuple[int, ...]:
    """Tokens of `text`; remembered, since questions come again and again."""
    return tuple(tokenizer.encode(text, add_special_tokens=False).ids)


assert FACTOR == 2 * PATCH
