"""`glimt bench engine`: many picture questions at once, against transformers' own `generate`, in the same process.

Workload W: 32 questions at once, each with a picture of its own (144 tokens of about 190), 64 new tokens, none of which
may end the answer. Workload M: one conversation about one picture, six turns. Rounds of all sides alternate, so that a
noisy machine disturbs all alike; what is reported are ratios.
"""

import asyncio
import gc
import io
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, TextIO

import torch
from PIL import Image

from bench.random_model import save_model
from core.inference.engine import TransformersEngine
from core.inference.loader import LoadedModel, load_model
from core.inference.port import Delta, Finished, Message, Picture, Request, Sampling, Started
from core.inference.steppers import create_stepper
from core.settings import Settings

QUESTIONS = 32
NEW_TOKENS = 64
TURNS = 6
SIDE = 336
STATIC_BATCH = 32
# Of W, so many are enough to know the speed of one after the other.
SEQUENTIAL_SAMPLE = 4


@dataclass(frozen=True, slots=True)
class Round:
    """One round of W. `answers_per_s`; `first_s`: seconds until each answer's first token."""

    answers_per_s: float
    first_s: list[float]


def run(settings: Settings, *, model: str, rounds: int, as_json: bool, out: TextIO, small: bool = False) -> None:
    """Measure the checkpoint in the folder `model`, or one of random weights that is made for it, and print."""
    with tempfile.TemporaryDirectory(prefix="glimt-bench-") as folder:
        model = model or str(save_model(Path(folder), small=small))
        settings = settings.model_copy(update={"model": model, "context_tokens": 0, "worker_slots": QUESTIONS})
        result = measure(settings, rounds, small=small)
    if as_json:
        out.write(json.dumps(result, indent=2) + "\n")
        return
    for name, value in result["ratios"].items():
        out.write(f"{name:<32} {value}\n")
    for name, value in result.items():
        if name != "ratios":
            out.write(f"{name:<32} {value}\n")


def measure(settings: Settings, rounds: int, *, small: bool = False) -> dict[str, Any]:
    """All figures, as the JSON holds them."""
    loaded = _endless(load_model(settings))
    # The engine changes its model a little; the others get theirs as transformers made it.
    plain = _endless(load_model(settings))
    new_tokens = 8 if small else NEW_TOKENS
    questions = [_question(number) for number in range(QUESTIONS)]
    identity = _identity(settings, questions[:4], new_tokens)
    sides: dict[str, Callable[[], Round]] = {
        "engine": lambda: asyncio.run(_together(loaded, settings, questions, new_tokens)),
        "sequential": lambda: _generate(plain, questions[:SEQUENTIAL_SAMPLE], 1, new_tokens),
        "static32": lambda: _generate(plain, questions, STATIC_BATCH, new_tokens),
    }
    sides["engine"]()  # warm-up
    seen: dict[str, list[Round]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            seen[name].append(side())
    conversation = [_conversation(loaded, settings, new_tokens) for _ in range(rounds)]
    speeds = {name: [round.answers_per_s for round in rounds_] for name, rounds_ in seen.items()}

    def ratio(other: str) -> dict[str, float]:
        ratios = [a / b for a, b in zip(speeds["engine"], speeds[other], strict=True)]
        return {
            "median": round(statistics.median(ratios), 2),
            "least": round(min(ratios), 2),
            "most": round(max(ratios), 2),
        }

    sequential, static = ratio("sequential"), ratio("static32")
    return {
        "ratios": {
            "w_vs_sequential": sequential["median"],
            "w_vs_static32": static["median"],
            "w_vs_vllm": None,
            "w_vs_openvino": None,
            "w_ttft_p50_vs_vllm": None,
            "poisson_latency_p50_vs_vllm": None,
            "m_turn6_ttft_vs_no_reuse": round(statistics.median(a / b for a, b in conversation), 3),
            "memory_vs_vllm": None,
            "identity_fp32": identity,
        },
        "spread": {"w_vs_sequential": sequential, "w_vs_static32": static},
        "answers_per_s": {name: [round(x, 2) for x in values] for name, values in speeds.items()},
        "w_ttft_p50_s": [round(statistics.median(one.first_s), 2) for one in seen["engine"]],
        "m_turn6_ttft_s": [round(a, 3) for a, _ in conversation],
        "m_turn6_ttft_no_reuse_s": [round(b, 3) for _, b in conversation],
        "parameters": sum(p.numel() for p in loaded.model.parameters()),
        "dtype": str(loaded.model.dtype).removeprefix("torch."),
        "device": str(loaded.device),
        "threads": torch.get_num_threads(),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _endless(loaded: LoadedModel) -> LoadedModel:
    """No token ends an answer, so that every side computes the same number."""
    return replace(loaded, vocabulary=replace(loaded.vocabulary, ends=frozenset()))


def _question(number: int) -> list[Message]:
    pixels = random.Random(number).randbytes(SIDE * SIDE * 3)
    file = io.BytesIO()
    Image.frombytes("RGB", (SIDE, SIDE), pixels).save(file, "PNG", compress_level=1)
    picture = Picture(sha256(file.getvalue()).hexdigest(), file.getvalue(), SIDE, SIDE)
    return [Message("user", f"Question {number:2}: what is it?", (picture,))]


def _engine(loaded: LoadedModel, settings: Settings) -> TransformersEngine:
    stepper, _ = create_stepper(loaded, settings)
    return TransformersEngine(loaded, stepper)


async def _together(loaded: LoadedModel, settings: Settings, asked: Sequence[list[Message]], new_tokens: int) -> Round:
    engine = _engine(loaded, settings)
    began = time.perf_counter()
    try:
        first = await asyncio.gather(
            *(_ask(engine, str(n), messages, new_tokens, began, "") for n, messages in enumerate(asked))
        )
        return Round(len(asked) / (time.perf_counter() - began), list(first))
    finally:
        engine.close()
        del engine
        gc.collect()


async def _ask(
    engine: TransformersEngine, id: str, messages: list[Message], new_tokens: int, began: float, scope: str
) -> float:
    """Seconds from `began` to the first text."""
    request = Request(id, tuple(messages), Sampling(max_new_tokens=new_tokens), tenant=scope, cache_scope=scope)
    first = 0.0
    async for event in engine.submit(request):
        if isinstance(event, Delta | Finished) and not first:
            first = time.perf_counter() - began
        assert not isinstance(event, Started) or event.prompt_tokens > 0
    return first


def _inputs(loaded: LoadedModel, asked: Sequence[list[Message]]) -> dict[str, torch.Tensor]:
    chats = [
        [
            {
                "role": message.role,
                "content": [
                    *({"type": "image", "image": Image.open(io.BytesIO(p.data))} for p in message.pictures),
                    {"type": "text", "text": message.text},
                ],
            }
            for message in messages
        ]
        for messages in asked
    ]
    inputs = loaded.processor.apply_chat_template(  # type: ignore[union-attr]
        chats, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt", padding=True
    )
    return {
        name: value.to(loaded.device, loaded.model.dtype if value.is_floating_point() else None)
        for name, value in inputs.items()
    }


@torch.inference_mode()
def _generate(loaded: LoadedModel, asked: Sequence[list[Message]], batch: int, new_tokens: int) -> Round:
    """transformers' own loop over batches of `batch`; pictures and text are prepared within the time, as ours are."""
    began = time.perf_counter()
    for start in range(0, len(asked), batch):
        _tokens(loaded, asked[start : start + batch], new_tokens)
    return Round(len(asked) / (time.perf_counter() - began), [])


def _tokens(loaded: LoadedModel, asked: Sequence[list[Message]], new_tokens: int) -> torch.Tensor:
    inputs = _inputs(loaded, asked)
    made: torch.Tensor = loaded.model.generate(
        **inputs,
        do_sample=False,
        min_new_tokens=new_tokens,
        max_new_tokens=new_tokens,
        suppress_tokens=sorted(loaded.vocabulary.suppressed),
    )
    return made[:, inputs["input_ids"].shape[1] :]


def _identity(settings: Settings, asked: Sequence[list[Message]], new_tokens: int) -> float:
    """Share of answers that are, token by token, those of `generate` alone, in float32."""
    exact = settings.model_copy(update={"dtype": "float32"})
    loaded, plain = _endless(load_model(exact)), _endless(load_model(exact))
    engine = _engine(loaded, settings)
    try:

        async def ask(number: int) -> str:
            request = Request(str(number), tuple(asked[number]), Sampling(max_new_tokens=new_tokens))
            return "".join([event.text async for event in engine.submit(request) if isinstance(event, Delta)])

        async def ask_all() -> list[str]:
            return await asyncio.gather(*(ask(number) for number in range(len(asked))))

        texts = asyncio.run(ask_all())
    finally:
        engine.close()
    with torch.inference_mode():
        alone = [_tokens(plain, [messages], new_tokens)[0].tolist() for messages in asked]
    shown = [_readable(loaded, ids) for ids in alone]
    return sum(a == b for a, b in zip(texts, shown, strict=True)) / len(asked)


def _readable(loaded: LoadedModel, ids: Sequence[int]) -> str:
    text: str = loaded.tokenizer.decode([id for id in ids if id not in loaded.vocabulary.hidden])
    return text.strip()


def _conversation(loaded: LoadedModel, settings: Settings, new_tokens: int) -> tuple[float, float]:
    """Seconds to the first token of M's last turn: with what was computed before, and without."""

    async def talk(scope: str) -> float:
        engine = _engine(loaded, settings)
        messages = _question(0)
        try:
            for turn in range(TURNS):
                began = time.perf_counter()
                first = await _ask(engine, str(turn), messages, new_tokens, began, scope)
                messages = [*messages, Message("assistant", "It is a picture of noise. " * 2), Message("user", "And?")]
            return first
        finally:
            engine.close()

    return asyncio.run(talk("conversation")), asyncio.run(talk(""))
