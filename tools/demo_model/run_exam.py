"""Examines a run with the forward pass of the training: on the weights as they are shipped, a minute on a GPU, a
quarter of an hour on a core that reckons in bfloat16."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from .evaluate import count, measure, tables, write_json
from .exam import CONDITIONS, Prompt
from .layers import Shape
from .network import Network
from .network_answers import NetworkAnswers


def examine_run(run: Path, device: str, scenes: int, robust: int, seed: int, json: Path) -> None:
    """Ask about `scenes` unseen scenes, and about `robust` under each condition; write the tables to `json` as
    `eval` does into evaluation.json."""
    state = torch.load(run / "checkpoint.pt", map_location=device)
    network = Network(Shape(**state["shape"])).to(device)
    network.load_state_dict(state["network"])
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(parameter.bfloat16())
    model = NetworkAnswers(network, Tokenizer.from_file(str(run / "tokenizer.json")), device)

    def ask(numbers: Iterable[int], condition: str) -> list[Prompt]:
        done = measure(model, numbers, seed, condition)
        print(f"{condition}: {sum(p.right for p in done)} of {len(done)} right", flush=True)
        return done

    told: dict[str, Any] = {"scenes": scenes, "seed": seed, **tables(ask(range(scenes), CONDITIONS[0]))}
    told["how"] = "Measured with the forward pass of the training (`exam`), on the weights as they are shipped."
    told["conditions"] = {c: {"scenes": robust, "counts": count(ask(range(robust), c))} for c in CONDITIONS if robust}
    write_json(json, told)
