"""Examines an exported folder as it is shipped: the saved processor, tokenizer, template and weights, greedily."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForImageTextToText, AutoTokenizer
from transformers.modeling_outputs import BaseModelOutputWithPooling

from .chat import IMAGE
from .exam import AS_SENT, CONDITIONS, KINDS, Answerer, Prompt, examine, prompts_for

STEP = 100
"""Scenes that are drawn and examined at a time."""


class FolderAnswers:
    """An exported model, answering prompts in batches by greedy `generate`. A picture is looked at once."""

    def __init__(self, folder: Path, batch: int = 48, dtype: torch.dtype = torch.float32) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._pictures = AutoImageProcessor.from_pretrained(folder, backend="pil")
        self._model = AutoModelForImageTextToText.from_pretrained(folder, dtype=dtype).eval()
        self._batch = batch
        self._seen: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def forget(self) -> None:
        """Drop what was seen of pictures, before others take their place in memory."""
        self._seen.clear()

    @torch.no_grad()
    def answer(self, prompts: Sequence[Prompt], longest: int) -> None:
        """Fill in `answer` of every prompt; similar lengths go together."""
        self._look({id(image): image for prompt in prompts for image in prompt.pictures})
        order = sorted(prompts, key=lambda p: (len(p.pictures), p.kind, len(p.question)))
        for start in range(0, len(order), self._batch):
            self._answer(order[start : start + self._batch], longest)

    def _look(self, images: dict[int, Image.Image]) -> None:
        for key, image in images.items():
            if key not in self._seen:
                made = self._pictures(images=[image], return_tensors="pt")
                grid = made["image_grid_thw"]
                found = self._model.model.get_image_features(
                    made["pixel_values"].to(self._model.dtype), grid, return_dict=True
                )
                self._seen[key] = (found.pooler_output[0], grid[0])

    def _answer(self, prompts: Sequence[Prompt], longest: int) -> None:
        seen = [self._seen[id(image)] for prompt in prompts for image in prompt.pictures]
        counts = iter(len(features) for features, _ in seen)
        texts = []
        for prompt in prompts:
            thinking: Any = {"enable_thinking": False} if prompt.quiet else {}
            text = self._tokenizer.apply_chat_template(
                messages_of(prompt), tokenize=False, add_generation_prompt=True, **thinking
            )
            texts.append(re.sub(re.escape(IMAGE), lambda _: IMAGE * next(counts), str(text)))
        tokens = self._tokenizer(texts, padding=True, return_tensors="pt", add_special_tokens=False)
        ids = tokens["input_ids"]
        looked: dict[str, Any] = {}
        if seen:
            looked["image_grid_thw"] = torch.stack([grid for _, grid in seen])
            features = tuple(f for f, _ in seen)
            looked["mm_encoder_outputs"] = {"image": BaseModelOutputWithPooling(pooler_output=features)}  # type: ignore[arg-type]
        out = self._model.generate(
            input_ids=ids,
            attention_mask=tokens["attention_mask"],
            mm_token_type_ids=(ids == self._model.config.image_token_id).int(),
            max_new_tokens=longest,
            **looked,
        )
        ends = {"<|user|>", "<|endoftext|>"}
        for prompt, row in zip(prompts, out[:, ids.shape[1] :], strict=True):
            said = str(self._tokenizer.decode(row, skip_special_tokens=False))
            for end in ends:
                said = said.partition(end)[0]
            prompt.answer = said.strip() or " "


def messages_of(prompt: Prompt) -> list[dict[str, Any]]:
    """The conversation as the chat template takes it."""
    out: list[dict[str, Any]] = [{"role": "system", "content": prompt.system}] if prompt.system else []
    for exchange in prompt.exchanges:
        out.append({"role": "user", "content": _content(exchange.pictures, exchange.question)})
        out.append({"role": "assistant", "content": exchange.answer})
    return [*out, {"role": "user", "content": _content(prompt.new, prompt.question)}]


def _content(pictures: int, text: str) -> list[dict[str, str]]:
    return [*({"type": "image"} for _ in range(pictures)), {"type": "text", "text": text}]


def interval(right: int, total: int) -> tuple[float, float]:
    """Wilson's 95 % confidence interval of a share."""
    if total == 0:
        return 0.0, 1.0
    z, p = 1.96, right / total
    middle = (p + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return max(0.0, middle - half), min(1.0, middle + half)


class Examined(Answerer, Protocol):
    """A model that remembers pictures until `forget`."""

    def forget(self) -> None:
        """Drop what was seen of pictures."""


def measure(model: Examined, scenes: Iterable[int], seed: int, condition: str = AS_SENT) -> list[Prompt]:
    """Ask everything about these scenes; all prompts with the model's answers, without their pictures."""
    numbers = list(scenes)
    done: list[Prompt] = []
    for start in range(0, len(numbers), STEP):
        prompts = [p for number in numbers[start : start + STEP] for p in prompts_for(number, seed, condition)]
        done += examine(model, prompts)
        model.forget()
        for prompt in done[-len(prompts) :]:
            prompt.pictures = []
    return done


Counts = dict[str, tuple[int, int]]
"""By kind: how many answers were right, and of how many."""


def count(prompts: Iterable[Prompt]) -> Counts:
    """The table of an exam."""
    out: Counts = {}
    for prompt in prompts:
        right, total = out.get(prompt.kind, (0, 0))
        out[prompt.kind] = (right + prompt.right, total + 1)
    return {kind: out[kind] for kind in KINDS if kind in out}


HOW = "Measured with the files in this folder by `python -m tools.demo_model eval`, in float32."


def evaluate(model: Path, scenes: int, seed: int, robust: int, card: Path | None = None, mistakes: int = 0) -> None:
    """Print the table of accuracies and some mistakes. With `card`, a text on the training, write evaluation.json and
    MODEL_CARD.md anew. `robust`: so many scenes under each of the conditions that pictures suffer."""
    begin = time.monotonic()
    answers = FolderAnswers(model)
    done = measure(answers, range(scenes), seed)
    told: dict[str, Any] = {"scenes": scenes, "seed": seed, "how": HOW, **tables(done)}
    told["conditions"] = {AS_SENT: {"scenes": scenes, "counts": told["all"]}}
    for condition in CONDITIONS[1:] if robust else ():
        counts = count(measure(answers, range(robust), seed, condition))
        told["conditions"][condition] = {"scenes": robust, "counts": counts}
    print(f"{'kind':<14}{'right':>8}{'of':>8}{'share':>9}   95 % interval")
    for kind, (right, total) in told["all"].items():
        low, high = interval(right, total)
        print(f"{kind:<14}{right:>8}{total:>8}{right / total:>9.1%}   {low:.1%} to {high:.1%}")
    print(f"{scenes} scenes of seed {seed}, {time.monotonic() - begin:.0f} s")
    for kind in KINDS:
        for prompt in [p for p in done if p.kind == kind and not p.right][:mistakes]:
            print(f"[{kind}] {prompt.scene}: {prompt.question} -> {prompt.answer!r}, not {prompt.expected!r}")
    if card is not None:
        from .card import write_card

        path = model / "evaluation.json"
        before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        write_json(path, before | told)
        write_card(model, card.read_text(encoding="utf-8"))


def tables(done: Sequence[Prompt]) -> dict[str, Any]:
    """What the card shows of an exam: everything, and by language."""
    return {
        "all": count(done),
        "en": count(p for p in done if p.language == "en"),
        "zh": count(p for p in done if p.language == "zh"),
    }


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
