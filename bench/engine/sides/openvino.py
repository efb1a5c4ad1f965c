"""OpenVINO GenAI's continuous batching, in its own environment (`make bench-peers`)."""

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import openvino_genai as genai
from PIL import Image

from bench.engine.prompts import Prompts
from bench.engine.side import Arrivals, serve
from bench.engine.workload import Answer, Ask

# Tokens of one step; the default of 256 is slower here.
STEP_TOKENS = 512


class OpenVino:
    """Pictures are encoded where a request is added; the pipeline has no other way."""

    def __init__(self, options: dict[str, Any]) -> None:
        scheduler = genai.SchedulerConfig()
        scheduler.max_num_seqs = options["most_at_once"]
        scheduler.max_num_batched_tokens = STEP_TOKENS
        scheduler.cache_size = -(-options["cache_mb"] // 1024)
        scheduler.enable_prefix_caching = True
        precision = {"bfloat16": "bf16", "float16": "f16", "float32": "f32"}[options["dtype"]]
        self._pipeline = genai.ContinuousBatchingPipeline(
            options["converted"],
            scheduler,
            "CPU",
            {"INFERENCE_NUM_THREADS": options["threads"], "INFERENCE_PRECISION_HINT": precision},
        )
        self._tokenizer = self._pipeline.get_tokenizer()
        self._prompts = Prompts(Path(options["model"]), Path(options["pictures"]))
        self._ids = count()

    def answer(self, asks: Sequence[Ask]) -> list[Answer]:
        running: dict[int, tuple[Any, list[int], float]] = {}
        answers: dict[int, Answer] = {}
        arrivals = Arrivals(asks)
        while arrivals.left or running:
            for number, ask in arrivals.take(len(asks)):
                running[number] = (self._add(ask), [], 0.0)
            if not running:
                arrivals.sleep()
                continue
            self._pipeline.step()
            for number, (handle, ids, first) in list(running.items()):
                while handle.can_read():
                    for output in handle.read().values():
                        ids += output.generated_ids
                        first = first or arrivals.now_s
                running[number] = (handle, ids, first)
                if len(ids) == asks[number].new_tokens:
                    del running[number]
                    answers[number] = Answer(first, arrivals.now_s, len(ids), self._tokenizer.decode(ids))
        return [answers[number] for number in range(len(asks))]

    def counters(self) -> dict[str, float]:
        return {}

    def close(self) -> None:
        """Nothing of its own runs."""

    def _add(self, ask: Ask) -> Any:
        text, pictures = self._prompts(ask.messages)
        config = genai.GenerationConfig()
        config.max_new_tokens = config.min_new_tokens = ask.new_tokens
        config.ignore_eos = True
        config.do_sample = False
        config.apply_chat_template = False
        return self._pipeline.add_request(next(self._ids), text, [_tensor(picture) for picture in pictures], config)


def _tensor(picture: Image.Image) -> openvino.Tensor:
    return openvino.Tensor(np.asarray(picture)[None])


if __name__ == "__main__":
    serve(OpenVino)
