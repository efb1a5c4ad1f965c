"""The engine of this repository, through its port."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import torch

from bench.engine.side import serve
from bench.engine.sides.settings import side_settings
from bench.engine.workload import SIDE, Answer, Ask, Say, picture_file
from core.inference.batch import BatchStepper
from core.inference.engine import TransformersEngine
from core.inference.loader import load_model
from core.inference.port import Delta, Finished, Message, Picture, Request, Sampling, Started
from core.inference.steppers import create_stepper


class Ours:
    """Asks come in through an event loop, as they do in the worker."""

    def __init__(self, options: dict[str, Any]) -> None:
        settings = side_settings(options)
        loaded = load_model(settings)
        # No token ends an answer, so that every side computes the same number.
        vocabulary = replace(loaded.vocabulary, ends=frozenset())
        loaded = replace(loaded, vocabulary=vocabulary, threads=options["threads"])
        self._stepper, _ = create_stepper(loaded, settings)
        self._engine = TransformersEngine(loaded, self._stepper)
        self._pictures = Path(options["pictures"])
        self._ids = count()

    def answer(self, asks: Sequence[Ask]) -> list[Answer]:
        async def all_of_them() -> list[Answer]:
            began = time.perf_counter()
            return await asyncio.gather(*(self._one(ask, began) for ask in asks))

        return asyncio.run(all_of_them())

    def counters(self) -> dict[str, float]:
        stepper, found = self._stepper, {}
        if isinstance(stepper, BatchStepper):
            seen = stepper.encoder.cache
            found = {
                "picture_hits": seen.hits,
                "picture_lookups": seen.hits + seen.misses,
                "prefix_tokens_reused": stepper.prefixes.reused,
                "prefix_tokens_asked": stepper.prefixes.asked,
            }
        if torch.cuda.is_available():
            found["device_peak_mb"] = round(torch.cuda.max_memory_allocated() / 2**20)
        return dict(found)

    def close(self) -> None:
        self._engine.close()

    async def _one(self, ask: Ask, began: float) -> Answer:
        await asyncio.sleep(ask.at_s - (time.perf_counter() - began))
        request = Request(
            str(next(self._ids)),
            tuple(self._message(say) for say in ask.messages),
            Sampling(max_new_tokens=ask.new_tokens),
            tenant=ask.pictures_of,
            cache_scope=ask.conversation,
            deadline_s=3600.0,
        )
        first, text, started, tokens = 0.0, [], Started(0), 0
        async for event in self._engine.submit(request):
            if isinstance(event, Started):
                started = event
                continue
            first = first or time.perf_counter() - began
            if isinstance(event, Delta):
                text.append(event.text)
            elif isinstance(event, Finished):
                tokens = event.completion_tokens
        end = time.perf_counter() - began
        return Answer(first, end, tokens, "".join(text), started.prompt_tokens, started.cached_tokens)

    def _message(self, say: Say) -> Message:
        role: Any = say.role
        if say.picture is None:
            return Message(role, say.text)
        data = picture_file(self._pictures, say.picture).read_bytes()
        return Message(role, say.text, (Picture(sha256(data).hexdigest(), data, SIDE, SIDE),))


if __name__ == "__main__":
    serve(Ours)
