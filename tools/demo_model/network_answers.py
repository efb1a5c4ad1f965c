"""A network in training answers an exam: greedily, many prompts at once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from tokenizers import Tokenizer
from torch import Tensor

from .chat import IMAGE, Exchange, pieces
from .encode import PATCHES
from .exam import Prompt
from .memory import Memory
from .network import Network
from .picture import FACTOR, GRIDS, MAX_PIXELS, MIN_PIXELS, TOKENS, Grid, patches


@dataclass(frozen=True)
class _Row:
    """A prompt's tokens, their positions, where its pictures start, and the position that follows."""

    ids: list[int]
    positions: list[tuple[int, int, int]]
    starts: list[int]
    following: int


class NetworkAnswers:
    """Answers by `network`, `rows` prompts at a time. A picture is looked at once, until `forget`."""

    def __init__(self, network: Network, tokenizer: Tokenizer, device: str, rows: int | None = None) -> None:
        self._network, self._tokenizer, self._device = network, tokenizer, device
        # What stays in a processor's cache is read faster; a GPU wants much at once.
        self._rows = rows or (48 if device == "cpu" else 1024)
        self._image = tokenizer.token_to_id(IMAGE)
        self._ends = [tokenizer.token_to_id("<|user|>"), tokenizer.token_to_id("<|endoftext|>")]
        self._seen: dict[int, Tensor] = {}

    def forget(self) -> None:
        """Drop what was seen of pictures, before others take their place in memory."""
        self._seen.clear()

    @torch.no_grad()
    def answer(self, prompts: Sequence[Prompt], longest: int) -> None:
        """Fill in the answers; similar prompts go together."""
        ordered = sorted(prompts, key=lambda p: (len(p.pictures), len(p.exchanges), p.kind, len(p.question)))
        # Compiled layers would be compiled anew for each shape.
        eager: Any = torch.compiler.set_stance("force_eager") if self._network.compiled else nullcontext()
        with eager, torch.autocast(torch.device(self._device).type, torch.bfloat16):
            images = {id(image): image for prompt in ordered for image in prompt.pictures}
            fresh = [image for key, image in images.items() if key not in self._seen]
            for start in range(0, len(fresh), self._rows):
                self._look(fresh[start : start + self._rows])
            for start in range(0, len(ordered), self._rows):
                self._answer(ordered[start : start + self._rows], longest)

    def _look(self, images: Sequence[Image.Image]) -> None:
        pixels, grids = [], []
        for image in images:
            grid = grid_of(image)
            cut = patches(image.resize((grid[1] * FACTOR, grid[0] * FACTOR), Image.Resampling.BICUBIC))
            pixels.append(np.concatenate((cut, np.zeros((PATCHES - len(cut), cut.shape[1]), np.uint8))))
            grids.append(GRIDS.index(grid))
        batch = {"pixels": torch.from_numpy(np.stack(pixels)).to(self._device)}
        batch["grid"] = torch.tensor(grids, device=self._device)
        for image, features in zip(images, self._network.see(batch), strict=True):
            self._seen[id(image)] = features

    def _answer(self, prompts: Sequence[Prompt], longest: int) -> None:
        rows = [self._tokens(prompt) for prompt in prompts]
        length = max(len(row.ids) for row in rows)
        nowhere = len(rows) * length
        ids = np.zeros((len(rows), length), np.int64)
        positions = np.zeros((len(rows), 3, length), np.int64)
        places, seen = [[nowhere] * TOKENS], [torch.zeros(TOKENS, self._network.shape.width, device=self._device)]
        for number, (row, prompt) in enumerate(zip(rows, prompts, strict=True)):
            ids[number, : len(row.ids)] = row.ids
            positions[number, :, : len(row.ids)] = np.array(row.positions).T
            for image, start in zip(prompt.pictures, row.starts, strict=True):
                used = int(np.prod(grid_of(image)))
                first = number * length + start
                places.append([*range(first, first + used), *[nowhere] * (TOKENS - used)])
                seen.append(self._seen[id(image)])
        batch = {
            "ids": torch.from_numpy(ids).to(self._device),
            "positions": torch.from_numpy(positions).to(self._device),
            "place": torch.tensor(places, device=self._device),
        }
        features = torch.stack([one.to(seen[-1].dtype) for one in seen])
        said = self._say(batch, features, rows, longest)
        for prompt, tokens in zip(prompts, said, strict=True):
            prompt.answer = self._tokenizer.decode(tokens, skip_special_tokens=False).strip() or " "

    def _say(self, batch: dict[str, Tensor], features: Tensor, rows: list[_Row], longest: int) -> list[list[int]]:
        at = torch.tensor([len(row.ids) for row in rows], device=self._device)
        position = torch.tensor([row.following for row in rows], device=self._device)
        ended = torch.zeros_like(at, dtype=torch.bool)
        said: list[list[int]] = [[] for _ in rows]
        ends = torch.tensor(self._ends, device=self._device)
        words = self._network.model.language_model.embed_tokens.weight
        memories = [Memory(batch["ids"].shape[1] + longest) for _ in range(self._network.shape.text_layers)]
        hidden = self._network.read(features, batch, memories)[torch.arange(len(rows), device=self._device), at - 1]
        for _ in range(longest):
            best = (hidden @ words.T.to(hidden.dtype)).argmax(-1)
            ended |= torch.isin(best, ends)
            if bool(ended.all()):
                break
            for row, (token, over) in enumerate(zip(best.tolist(), ended.tolist(), strict=True)):
                if not over:
                    said[row].append(token)
            hidden = self._network.read_on(best, position[:, None].expand(-1, 3), at, memories)
            at, position = at + 1, position + 1
        return said

    def _tokens(self, prompt: Prompt) -> _Row:
        asked = Exchange(prompt.question, "", prompt.new)
        parts = pieces(prompt.system, [*prompt.exchanges, asked], quiet=prompt.quiet)
        # Behind the last question the model speaks.
        text = "".join(piece.text for piece in parts[:-2])
        if prompt.quiet is False:
            text = text.removesuffix("<think></think>\n")
        pictures = iter(prompt.pictures)
        ids: list[int] = []
        positions: list[tuple[int, int, int]] = []
        starts: list[int] = []
        at = 0
        for token in self._tokenizer.encode(text, add_special_tokens=False).ids:
            if token != self._image:
                ids.append(token)
                positions.append((at, at, at))
                at += 1
                continue
            rows, columns = grid_of(next(pictures))
            starts.append(len(ids))
            ids += [token] * (rows * columns)
            positions += [(at, at + r, at + c) for r in range(rows) for c in range(columns)]
            at += max(rows, columns)
        return _Row(ids, positions, starts, at)


def grid_of(image: Image.Image) -> Grid:
    """The image tokens that Glm4v's processor makes of a picture of this size."""
    width, height = image.size
    rows, columns = max(1, round(height / FACTOR)), max(1, round(width / FACTOR))
    if 2 * rows * columns * FACTOR**2 > MAX_PIXELS:
        shrink = (2 * width * height / MAX_PIXELS) ** 0.5
        rows, columns = int(height / shrink / FACTOR), int(width / shrink / FACTOR)
    elif 2 * rows * columns * FACTOR**2 < MIN_PIXELS:
        grow = (MIN_PIXELS / (2 * width * height)) ** 0.5
        rows, columns = -int(-height * grow // FACTOR), -int(-width * grow // FACTOR)
    return rows, columns
