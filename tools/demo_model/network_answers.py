"""A network in training answers an exam: greedily, without a cache, many prompts at once. Meant for a GPU."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from tokenizers import Tokenizer
from torch import Tensor

from .chat import IMAGE, Exchange, pieces
from .encode import PATCHES
from .exam import Prompt
from .network import Network
from .picture import FACTOR, GRIDS, MAX_PIXELS, MIN_PIXELS, TOKENS, Grid, patches


class NetworkAnswers:
    """Answers by `network`, `rows` prompts at a time."""

    def __init__(self, network: Network, tokenizer: Tokenizer, device: str, rows: int = 1024) -> None:
        self._network, self._tokenizer, self._device, self._rows = network, tokenizer, device, rows
        self._image = tokenizer.token_to_id(IMAGE)
        self._ends = [tokenizer.token_to_id("<|user|>"), tokenizer.token_to_id("<|endoftext|>")]

    @torch.no_grad()
    def answer(self, prompts: Sequence[Prompt], longest: int) -> None:
        """Fill in the answers; prompts of a length go together."""
        ordered = sorted(prompts, key=lambda p: (len(p.pictures), len(p.exchanges)))
        # Compiled layers would be compiled anew for each shape.
        with torch.compiler.set_stance("force_eager"):
            for start in range(0, len(ordered), self._rows):
                self._answer(ordered[start : start + self._rows], longest)

    def _answer(self, prompts: Sequence[Prompt], longest: int) -> None:
        rows = [self._tokens(prompt) for prompt in prompts]
        longest_prompt = max(len(ids) for ids, _, _, _ in rows)
        length = -(-(longest_prompt + longest) // 32) * 32
        count = len(prompts)
        ids = np.zeros((count, length), np.int64)
        positions = np.zeros((count, 3, length), np.int64)
        pixels, grids, places = [], [], []
        for row, (tokens, at, starts, following) in enumerate(rows):
            ids[row, : len(tokens)] = tokens
            positions[row, :, : len(tokens)] = np.array(at).T
            positions[row, :, len(tokens) :] = np.arange(following, following + length - len(tokens))
            for image, start in zip(prompts[row].pictures, starts, strict=True):
                grid = grid_of(image)
                cut = patches(image.resize((grid[1] * FACTOR, grid[0] * FACTOR), Image.Resampling.BICUBIC))
                pixels.append(np.concatenate((cut, np.zeros((PATCHES - len(cut), cut.shape[1]), np.uint8))))
                grids.append(GRIDS.index(grid))
                used = grid[0] * grid[1]
                first = row * length + start
                places.append([*range(first, first + used), *[count * length] * (TOKENS - used)])
        batch = {
            "ids": torch.from_numpy(ids).to(self._device),
            "positions": torch.from_numpy(positions).to(self._device),
        }
        with torch.autocast(torch.device(self._device).type, torch.bfloat16):
            if pixels:
                batch["pixels"] = torch.from_numpy(np.stack(pixels)).to(self._device)
                batch["grid"] = torch.tensor(grids, device=self._device)
                batch["place"] = torch.tensor(places, device=self._device)
                features = torch.cat([self._see(batch, i) for i in range(0, len(pixels), 512)])
            else:
                batch["place"] = torch.full((1, TOKENS), count * length, device=self._device)
                features = torch.zeros(1, TOKENS, self._network.shape.width, device=self._device, dtype=torch.bfloat16)
            said = self._say(batch, features, [len(tokens) for tokens, _, _, _ in rows], longest)
        for prompt, tokens in zip(prompts, said, strict=True):
            prompt.answer = self._tokenizer.decode(tokens, skip_special_tokens=False).strip() or " "

    def _see(self, batch: dict[str, Tensor], start: int) -> Tensor:
        part = {name: batch[name][start : start + 512] for name in ("pixels", "grid")}
        return self._network.see(part)

    def _say(self, batch: dict[str, Tensor], features: Tensor, lengths: list[int], longest: int) -> list[list[int]]:
        rows = torch.arange(len(lengths), device=self._device)
        at = torch.tensor(lengths, device=self._device)
        ended = torch.zeros_like(at, dtype=torch.bool)
        said: list[list[int]] = [[] for _ in lengths]
        ends = torch.tensor(self._ends, device=self._device)
        for _ in range(longest):
            hidden = self._network.read(features, batch)[rows, at - 1]
            best = (hidden @ self._network.model.language_model.embed_tokens.weight.T.to(hidden.dtype)).argmax(-1)
            ended |= torch.isin(best, ends)
            if bool(ended.all()):
                break
            for row, (token, over) in enumerate(zip(best.tolist(), ended.tolist(), strict=True)):
                if not over:
                    said[row].append(token)
            batch["ids"][rows, at] = torch.where(ended, batch["ids"][rows, at], best)
            at = torch.where(ended, at, at + 1)
        return said

    def _tokens(self, prompt: Prompt) -> tuple[list[int], list[tuple[int, int, int]], list[int], int]:
        """Tokens, their positions, where pictures start, and the position that follows."""
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
        return ids, positions, starts, at


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
