"""vLLM for CPUs, in its own environment (`make bench-peers`), compiled as it comes."""

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from vllm import SamplingParams
from vllm.engine.arg_utils import EngineArgs
from vllm.sampling_params import RequestOutputKind
from vllm.v1.engine.llm_engine import LLMEngine

from bench.engine.prompts import Prompts
from bench.engine.side import Arrivals, serve
from bench.engine.workload import Answer, Ask


class Vllm:
    """The engine is driven in this process: its memory is one process's, and no message passing is in its way."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._engine = LLMEngine.from_engine_args(
            EngineArgs(
                options["model"],
                dtype=options["dtype"],
                max_model_len=options["context_tokens"],
                max_num_seqs=options["most_at_once"],
                kv_cache_memory_bytes=options["cache_mb"] * 2**20,
                limit_mm_per_prompt={"image": 1, "video": 0},
                seed=0,
            )
        )
        self._prompts = Prompts(Path(options["model"]), Path(options["pictures"]))
        self._ids = count()

    def answer(self, asks: Sequence[Ask]) -> list[Answer]:
        running: dict[str, tuple[int, Ask, float]] = {}
        answers: dict[int, Answer] = {}
        arrivals = Arrivals(asks)
        while arrivals.left or running:
            for number, ask in arrivals.take(len(asks)):
                id = str(next(self._ids))
                self._add(id, ask)
                running[id] = (number, ask, 0.0)
            if not running:
                arrivals.sleep()
                continue
            for output in self._engine.step():
                number, ask, first = running[output.request_id]
                running[output.request_id] = (number, ask, first := first or arrivals.now_s)
                if output.finished:
                    del running[output.request_id]
                    made = output.outputs[0]
                    prompt, cached = len(output.prompt_token_ids or ()), output.num_cached_tokens
                    answers[number] = Answer(first, arrivals.now_s, len(made.token_ids), made.text, prompt, cached)
        return [answers[number] for number in range(len(asks))]

    def counters(self) -> dict[str, float]:
        return {}

    def _add(self, id: str, ask: Ask) -> None:
        text, pictures = self._prompts(ask.messages)
        prompt: Any = {"prompt": text, "multi_modal_data": {"image": pictures}}
        self._engine.add_request(
            id,
            prompt,
            SamplingParams(
                temperature=0.0,
                max_tokens=ask.new_tokens,
                ignore_eos=True,
                output_kind=RequestOutputKind.CUMULATIVE,
            ),
        )


if __name__ == "__main__":
    serve(Vllm)
