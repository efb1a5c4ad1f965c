"""Conversations as tensors: tokens, M-RoPE positions, labels, pictures."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from transformers import PreTrainedTokenizerFast

from .chat import IMAGE, pieces
from .dialogue import Dialogue, sample_counting, sample_dialogue
from .pixels import GRID_WEIGHTS, GRIDS, Grid, draw_pixels
from .tower import token_targets

IGNORE = -100
LENGTH = 256
COUNTING_LENGTH = 352
COUNTING_EVERY = 8


@dataclass
class Batch:
    """Conversations whose pictures all have the same `grid`; padded on the right.

    `ids`, `labels`: (B, L). `positions`: (3, B, L), time, row and column. `pixels`: uint8
    (P, H, W, 3) of all pictures in reading order; `targets`: (P, tokens, 3) for the helper head.
    Both are None where no conversation has a picture.
    """

    ids: torch.Tensor
    positions: torch.Tensor
    labels: torch.Tensor
    grid: Grid
    pixels: torch.Tensor | None
    targets: torch.Tensor | None

    def to(self, device: str) -> Batch:
        """The same batch on `device`."""
        return Batch(
            self.ids.to(device),
            self.positions.to(device),
            self.labels.to(device),
            self.grid,
            None if self.pixels is None else self.pixels.to(device),
            None if self.targets is None else self.targets.to(device),
        )


@dataclass
class Encoded:
    """One conversation, cut to length: how many of its pictures are left is `pictures`."""

    ids: list[int]
    positions: list[tuple[int, int, int]]
    labels: list[int]
    pictures: int


class BatchMaker:
    """Makes batch `number`, always the same for the same number, seed and share. Picklable.

    Each process of a team makes its own `share` of every batch, `size` conversations.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast, size: int, *, share: int = 0, seed: int = 0) -> None:
        self._tokenizer = tokenizer
        self._size = size
        self._share = share
        self._seed = seed

    def __call__(self, number: int) -> Batch:
        rng = random.Random(f"train {self._seed} {number} {self._share}")
        grid = rng.choices(GRIDS, weights=GRID_WEIGHTS)[0]
        if number % COUNTING_EVERY == COUNTING_EVERY - 1:
            dialogues = [sample_counting(rng) for _ in range(max(2, self._size // 2))]
            length = COUNTING_LENGTH
        else:
            dialogues = [sample_dialogue(rng) for _ in range(self._size)]
            length = LENGTH
        return collate(dialogues, self._tokenizer, grid, length, rng)


def collate(
    dialogues: list[Dialogue], tokenizer: PreTrainedTokenizerFast, grid: Grid, length: int, rng: random.Random
) -> Batch:
    """Draw, encode and pad `dialogues`, none longer than `length` tokens."""
    encoded = [encode(dialogue, tokenizer, grid, length) for dialogue in dialogues]
    # A few lengths only, so that kernels and buffers are reused.
    width = min(length, -(-max(len(e.ids) for e in encoded) // 32) * 32)
    ids = np.full((len(encoded), width), tokenizer.pad_token_id, dtype=np.int64)
    labels = np.full((len(encoded), width), IGNORE, dtype=np.int64)
    positions = np.zeros((3, len(encoded), width), dtype=np.int64)
    pixels, targets = [], []
    for row, (dialogue, item) in enumerate(zip(dialogues, encoded, strict=True)):
        count = len(item.ids)
        ids[row, :count] = item.ids
        labels[row, :count] = item.labels
        positions[:, row, :count] = np.array(item.positions).T
        for scene in dialogue.scenes[: item.pictures]:
            pixels.append(draw_pixels(scene, grid, rng))
            targets.append(token_targets(scene, grid))
    return Batch(
        torch.from_numpy(ids),
        torch.from_numpy(positions),
        torch.from_numpy(labels),
        grid,
        torch.from_numpy(np.stack(pixels)) if pixels else None,
        torch.tensor(targets) if targets else None,
    )


def encode(dialogue: Dialogue, tokenizer: PreTrainedTokenizerFast, grid: Grid, length: int) -> Encoded:
    """Tokens of `dialogue` up to the last whole answer within `length` tokens."""
    image = tokenizer.convert_tokens_to_ids(IMAGE)
    out = Encoded([], [], [], 0)
    best = Encoded([], [], [], 0)
    at = 0
    for piece in pieces(dialogue.system, dialogue.exchanges, quiet=dialogue.quiet):
        for token in tokens_of(piece.text, tokenizer):
            if token == image:
                rows, columns = grid
                out.positions += [(at, at + r, at + c) for r in range(rows) for c in range(columns)]
                out.ids += [image] * (rows * columns)
                out.labels += [IGNORE] * (rows * columns)
                out.pictures += 1
                at += max(rows, columns)
                continue
            out.positions.append((at, at, at))
            out.ids.append(token)
            out.labels.append(token if piece.learn else IGNORE)
            at += 1
        if len(out.ids) > length:
            break
        if piece.text == "<|user|>":
            best = Encoded(out.ids[:], out.positions[:], out.labels[:], out.pictures)
    if not best.ids:
        raise ValueError(f"no exchange fits {length} tokens: {dialogue}")
    return best


@lru_cache(maxsize=100_000)
def _cached(text: str, tokenizer: PreTrainedTokenizerFast) -> tuple[int, ...]:
    return tuple(tokenizer.encode(text, add_special_tokens=False))


def tokens_of(text: str, tokenizer: PreTrainedTokenizerFast) -> tuple[int, ...]:
    """Tokens of `text`; remembered, since questions come again and again."""
    return _cached(text, tokenizer)
