"""vLLM for CPUs, in its own environment (`make bench-peers`), compiled as it comes."""

import asyncio
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from vllm import SamplingParams
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.v1.engine.async_llm import AsyncLLM

from bench.engine.prompts import Prompts
from bench.engine.side import serve
from bench.engine.workload import Answer, Ask


class Vllm:
    """Behind the interface that its server uses: this process takes requests, one of vLLM's own computes."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._prompts = Prompts(Path(options["model"]), Path(options["pictures"]))
        self._ids = count()
        # Its tasks belong to the loop that it was made in.
        self._loop = asyncio.new_event_loop()
        self._engine = self._loop.run_until_complete(self._made(options))

    def answer(self, asks: Sequence[Ask]) -> list[Answer]:
        async def all_of_them() -> list[Answer]:
            began = time.perf_counter()
            return await asyncio.gather(*(self._one(ask, began) for ask in asks))

        return self._loop.run_until_complete(all_of_them())

    def counters(self) -> dict[str, float]:
        return {}

    def close(self) -> None:
        self._engine.shutdown()

    @staticmethod
    async def _made(options: dict[str, Any]) -> Any:
        return AsyncLLM.from_engine_args(
            AsyncEngineArgs(
                options["model"],
                dtype=options["dtype"],
                max_model_len=options["context_tokens"],
                max_num_seqs=options["most_at_once"],
                kv_cache_memory_bytes=options["cache_mb"] * 2**20,
                limit_mm_per_prompt={"image": 1, "video": 0},
                seed=0,
            )
        )

    async def _one(self, ask: Ask, began: float) -> Answer:
        await asyncio.sleep(ask.at_s - (time.perf_counter() - began))
        text, pictures = self._prompts(ask.messages)
        prompt = {"prompt": text, "multi_modal_data": {"image": pictures}}
        sampling = SamplingParams(temperature=0.0, max_tokens=ask.new_tokens, ignore_eos=True)
        first, output = 0.0, None
        async for so_far in self._engine.generate(prompt, sampling, str(next(self._ids))):
            first, output = first or time.perf_counter() - began, so_far
        end = time.perf_counter() - began
        assert output is not None
        made = output.outputs[0]
        return Answer(
            first, end, len(made.token_ids), made.text, len(output.prompt_token_ids or ()), output.num_cached_tokens
        )


if __name__ == "__main__":
    serve(Vllm)
