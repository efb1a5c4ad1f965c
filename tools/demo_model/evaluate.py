"""Measures an exported folder: plain `generate` with the saved processor, tokenizer and template.

Scenes come from seeds that training never uses. An answer counts when it equals the expected one
after case, punctuation and articles are dropped. A follow-up is asked with the model's *own*
earlier answers as history; the row "follow-up, true history" gives it the right ones instead.
"""

from __future__ import annotations

import json
import math
import random
import re
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForImageTextToText, AutoTokenizer

from . import talk
from .chat import IMAGE
from .pixels import GRID_WEIGHTS, GRIDS, SOURCES
from .questions import Asker, Chain, Turn
from .scenes import Scene, render, roughen, sample_scene

# The bar of the project is on these; the rest is told for completeness.
BAR = ("colour", "shape", "position", "presence", "count", "followup")
OTHERS = ("describe", "empty", "absent", "new picture", "talk", "counting", "followup, true history")


@dataclass
class Prompt:
    """A conversation that awaits an answer, and the answer that is right."""

    kind: str
    messages: list[dict[str, Any]]
    images: list[Image.Image]
    expected: str
    rest: Chain = field(default_factory=list)
    answer: str = ""

    @property
    def right(self) -> bool:
        """Whether the answer given is the expected one."""
        return normalise(self.answer) == normalise(self.expected)


def normalise(text: str) -> str:
    """Lower case, no punctuation, no articles, single spaces."""
    words = re.sub(r"[^\w\s]", " ", text.lower()).split()
    return " ".join(w for w in words if w not in ("a", "an", "the"))


def interval(right: int, total: int) -> tuple[float, float]:
    """Wilson's 95 % confidence interval of a share."""
    if total == 0:
        return 0.0, 1.0
    z, p = 1.96, right / total
    middle = (p + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return max(0.0, middle - half), min(1.0, middle + half)


class Answerer:
    """An exported model, answering prompts in batches by greedy `generate`."""

    def __init__(self, folder: Path, dtype: torch.dtype = torch.float32) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._pictures = AutoImageProcessor.from_pretrained(folder, backend="pil")
        self._model = AutoModelForImageTextToText.from_pretrained(folder, dtype=dtype).eval()

    def answer(self, prompts: Sequence[Prompt], batch: int, *, longest: int = 80) -> None:
        """Fill in `answer` of every prompt; similar lengths go together."""
        order = sorted(prompts, key=lambda p: (len(p.images), sum(len(str(m)) for m in p.messages)))
        for start in range(0, len(order), batch):
            self._answer(order[start : start + batch], longest)

    @torch.no_grad()
    def _answer(self, prompts: Sequence[Prompt], longest: int) -> None:
        images = [image for prompt in prompts for image in prompt.images]
        seen = dict(self._pictures(images=images, return_tensors="pt")) if images else {}
        counts = iter((seen["image_grid_thw"].prod(-1) // 4).tolist() if images else [])
        texts = []
        for prompt in prompts:
            text = self._tokenizer.apply_chat_template(
                prompt.messages, tokenize=False, add_generation_prompt=True, enable_thinking=False
            )
            texts.append(re.sub(re.escape(IMAGE), lambda _: IMAGE * next(counts), str(text)))
        tokens = self._tokenizer(texts, padding=True, return_tensors="pt", add_special_tokens=False)
        ids = tokens["input_ids"]
        out = self._model.generate(
            input_ids=ids,
            attention_mask=tokens["attention_mask"],
            mm_token_type_ids=(ids == self._model.config.image_token_id).int(),
            max_new_tokens=longest,
            **seen,
        )
        answers = self._tokenizer.batch_decode(out[:, ids.shape[1] :], skip_special_tokens=True)
        for prompt, answer in zip(prompts, answers, strict=True):
            prompt.answer = answer.strip()


def picture_of(scene: Scene, rng: random.Random) -> Image.Image:
    """`scene` as somebody might send it: in one of several sizes, sometimes as a JPEG."""
    width, height = rng.choice(SOURCES[rng.choices(GRIDS, weights=GRID_WEIGHTS)[0]])
    return roughen(render(scene, width, height, supersample=2), rng)


def ask(system: str | None, question: str) -> list[dict[str, Any]]:
    """A conversation that opens with a picture and `question`."""
    opening = [{"role": "system", "content": system}] if system else []
    content = [{"type": "image"}, {"type": "text", "text": question}]
    return [*opening, {"role": "user", "content": content}]


def go_on(messages: list[dict[str, Any]], answer: str, question: str) -> list[dict[str, Any]]:
    """`messages` with the answer given, and the next question."""
    return [*messages, {"role": "assistant", "content": answer}, {"role": "user", "content": question}]


def prompts_for(number: int, seed: int) -> tuple[list[Prompt], list[Prompt]]:
    """Scene `number`: one stand-alone prompt of each kind, and the opening of one chain."""
    rng = random.Random(f"evaluation {seed} {number}")
    scene = sample_scene(rng)
    image = picture_of(scene, rng)
    chains = Asker(scene, rng).chains()
    system = rng.choice(talk.SYSTEM) if rng.random() < 0.35 else None
    single: dict[str, Prompt] = {}
    for turn in (chain[0] for chain in chains):
        single.setdefault(turn.kind, Prompt(turn.kind, ask(system, turn.question), [image], turn.answer))
    opened = []
    if long := [chain for chain in chains if len(chain) > 1]:
        first, *rest = rng.choice(long)
        opened.append(Prompt("opening", ask(system, first.question), [image], first.answer, rest))
    return [*single.values(), *(_extra(number, rng, image))], opened


def _extra(number: int, rng: random.Random, image: Image.Image) -> list[Prompt]:
    """For every tenth scene: a new picture in a later turn, small talk, and rarely counting."""
    if number % 10:
        return []
    scene = sample_scene(rng)
    turn: Turn = rng.choice(Asker(scene, rng).chains())[0]
    first = go_on(ask(None, "How many shapes are there?"), "One.", "")[:-1]
    content = [{"type": "image"}, {"type": "text", "text": turn.question}]
    later = [*first, {"role": "user", "content": content}]
    out = [Prompt("new picture", later, [image, picture_of(scene, rng)], turn.answer)]
    small = rng.choice((talk.small_talk, talk.without_picture, talk.out_of_domain))(rng)
    out.append(Prompt("talk", [{"role": "user", "content": small.question}], [], small.answer))
    if number % 50 == 0:
        long = talk.counting(rng)
        out.append(Prompt("counting", [{"role": "user", "content": long.question}], [], long.answer))
    return out


def measure(folder: Path, scenes: int, seed: int, batch: int) -> list[Prompt]:
    """Ask everything; gives all prompts with the model's answers."""
    model = Answerer(folder)
    done: list[Prompt] = []
    step = 500
    for start in range(0, scenes, step):
        singles: list[Prompt] = []
        chains: list[Prompt] = []
        for number in range(start, min(scenes, start + step)):
            single, opened = prompts_for(number, seed)
            singles += single
            chains += opened
        long = [p for p in singles if p.kind == "counting"]
        model.answer([p for p in singles if p.kind != "counting"], batch)
        model.answer(long, batch, longest=320)
        done += singles
        done += _follow(model, chains, batch)
    return done


def _follow(model: Answerer, chains: list[Prompt], batch: int) -> list[Prompt]:
    """Ask the chains' follow-ups, once on the model's own history and once on the true one."""
    done: list[Prompt] = []
    model.answer(chains, batch)
    own, true = chains, chains
    while own := [p for p in own if p.rest]:
        true = [p for p in true if p.rest]
        own = [_next(p, p.answer, "followup") for p in own]
        true = [_next(p, p.expected, "followup, true history") for p in true]
        model.answer([*own, *true], batch)
        done += [*own, *true]
    return done


def _next(prompt: Prompt, said: str, kind: str) -> Prompt:
    turn, *rest = prompt.rest
    return Prompt(kind, go_on(prompt.messages, said, turn.question), prompt.images, turn.answer, rest)


def evaluate(model: Path, scenes: int, seed: int, batch: int, json: Path | None = None, mistakes: int = 0) -> None:
    """Print the table of accuracies; write it to `json`, and show some mistakes, where asked."""
    begin = time.monotonic()
    by_kind: dict[str, list[Prompt]] = defaultdict(list)
    for prompt in measure(model, scenes, seed, batch):
        by_kind[prompt.kind].append(prompt)
    table = {}
    print(f"{'kind':<24}{'right':>8}{'of':>8}{'share':>9}   95 % interval")
    for kind in (*BAR, *OTHERS):
        right, total = sum(p.right for p in by_kind[kind]), len(by_kind[kind])
        low, high = interval(right, total)
        table[kind] = {"right": right, "of": total, "share": round(right / max(1, total), 4)}
        print(f"{kind:<24}{right:>8}{total:>8}{right / max(1, total):>9.1%}   {low:.1%} to {high:.1%}")
    print(f"{scenes} scenes of seed {seed}, {time.monotonic() - begin:.0f} s")
    for kind, prompts in by_kind.items():
        for prompt in [p for p in prompts if not p.right][:mistakes]:
            said = [str(m["content"]) for m in prompt.messages]
            print(f"[{kind}] {' | '.join(said)} -> {prompt.answer!r}, not {prompt.expected!r}")
    if json is not None:
        write_json(json, {"scenes": scenes, "seed": seed, "table": table})


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON."""
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
