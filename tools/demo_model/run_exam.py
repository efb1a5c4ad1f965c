"""Examines a run with the forward pass of the training, on the weights as they are shipped: a minute on a GPU, a
quarter of an hour on a core that reckons in bfloat16."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from .evaluate import STEP, count, measure, tables, write_json
from .exam import AS_SENT, CONDITIONS, Prompt
from .layers import Shape
from .network import Network
from .network_answers import NetworkAnswers

Part = tuple[str, int, int]
"""A condition, and the first scene and the one behind the last."""


def examine_run(run: Path, device: str, scenes: int, robust: int, seed: int, json: Path, workers: int = 1) -> None:
    """Ask about `scenes` unseen scenes, and about `robust` under each other condition; write the tables to `json` as
    `eval` does into evaluation.json. `workers` processes share the scenes, each on one core."""
    many = {condition: scenes if condition == AS_SENT else robust for condition in CONDITIONS}
    parts = [(how, start, min(start + STEP, end)) for how, end in many.items() for start in range(0, end, STEP)]
    done: dict[str, list[Prompt]] = {}
    for (how, _, end), prompts in zip(parts, _asked(run, device, seed, parts, workers), strict=True):
        done.setdefault(how, []).extend(prompts)
        right = sum(prompt.right for prompt in done[how])
        print(f"{how}: {end} scenes, {right} of {len(done[how])} right", flush=True)
    told: dict[str, Any] = {"scenes": scenes, "seed": seed, **tables(done[AS_SENT])}
    told["how"] = "Measured with the forward pass of the training (`exam`), on the weights as they are shipped."
    told["conditions"] = {how: {"scenes": many[how], "counts": count(prompts)} for how, prompts in done.items()}
    write_json(json, told)


def _asked(run: Path, device: str, seed: int, parts: list[Part], workers: int) -> Iterator[list[Prompt]]:
    """The answered prompts of each part, in order."""
    if workers == 1:
        examiner = _Examiner(run, device, seed)
        yield from map(examiner.ask, parts)
        return
    with multiprocessing.get_context("spawn").Pool(workers, _begin, (run, device, seed)) as pool:
        yield from pool.imap(_ask, parts)


class _Examiner:
    def __init__(self, run: Path, device: str, seed: int) -> None:
        state = torch.load(run / "checkpoint.pt", map_location=device)
        network = Network(Shape(**state["shape"])).to(device)
        network.load_state_dict(state["network"])
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.copy_(parameter.bfloat16())
        self._model = NetworkAnswers(network, Tokenizer.from_file(str(run / "tokenizer.json")), device)
        self._seed = seed

    def ask(self, part: Part) -> list[Prompt]:
        condition, start, end = part
        return measure(self._model, range(start, end), self._seed, condition)


_examiner: _Examiner


def _begin(run: Path, device: str, seed: int) -> None:
    global _examiner
    torch.set_num_threads(1)
    _examiner = _Examiner(run, device, seed)


def _ask(part: Part) -> list[Prompt]:
    return _examiner.ask(part)
