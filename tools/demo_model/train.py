"""The training run: the vision tower learns to name what lies in each image token, then all of it learns to answer.

The schedule is in minutes, not steps, so that a run fits the time there is on any machine: a GPU takes minutes for what
two cores take a night for. Every few minutes the run is written to its folder; `resume` goes on from there.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import nn
from tqdm import tqdm

from .batches import Batch, Batches
from .encode import CONVERSATIONS
from .exam import BAR, Prompt, examine, prompts_for
from .layers import Shape
from .muon import Muon
from .network import Network
from .network_answers import NetworkAnswers
from .pool import Pool
from .runlog import RunLog, save_atomically
from .vocabulary import build_core

# The first part of a run, in which only the tower learns.
TOWER = 0.18
# The last part, over which the learning rate falls to zero.
DECAY = 0.6
WARM_UP = 100
HELPER = 0.3
LOG_EVERY = 20
EXAM_SEED = 7


def train(
    out: Path,
    minutes: float,
    *,
    device: str = "cpu",
    batch: int = 32,
    rate: float = 2e-3,
    workers: int = 1,
    slots: int = 8,
    compile: bool = False,
    save_every: float = 3.0,
    resume: bool = False,
    start: Path | None = None,
    seed: int = 0,
    exam: int = 0,
    shape: Shape | None = None,
) -> None:
    """Train for `minutes` in the folder `out`.

    Writes `tokenizer.json`, `checkpoint.pt` and the curve, `curve.jsonl`. `batch` counts conversations, a multiple of
    32; `workers` processes draw, `slots` packs of 32 conversations ahead each; every `save_every` minutes the run is
    saved. With `resume`, minutes already trained count towards `minutes`. `start` is another run's folder: go on from
    its weights, tower and all, with a schedule of its own. `seed` chooses the conversations. `exam`: so many unseen
    scenes are asked about at each saving, for the curve; meant for a GPU. `shape`: the model's size.
    """
    if batch % CONVERSATIONS:
        raise ValueError(f"A batch is a multiple of {CONVERSATIONS} conversations, not {batch}.")
    out.mkdir(parents=True, exist_ok=True)
    tokenizer = out / "tokenizer.json"
    if not tokenizer.exists():
        if start is None:
            build_core().save(str(tokenizer))
        else:
            tokenizer.write_bytes((start / "tokenizer.json").read_bytes())
    # The processes start before anything touches the device, which a fork would not survive.
    pool = Pool(workers, slots, tokenizer, f"train {seed} {time.time_ns() if resume else 0}")
    try:
        prompts = [p for number in range(exam) for p in prompts_for(number, EXAM_SEED) if p.kind in BAR]
        run = Run(Network(shape or Shape()), out, device, rate, seed)
        if resume:
            run.load(out / "checkpoint.pt")
        elif start is not None:
            run.begin_from(start / "checkpoint.pt")
        if compile:
            run.network.compile_blocks()
        run.fit(pool, prompts, minutes, batch, save_every, tower=TOWER if start is None else 0.0)
    finally:
        pool.close()


class Run:
    """A network in training: its optimisers and its place in the schedule."""

    def __init__(self, network: Network, out: Path, device: str, rate: float, seed: int) -> None:
        torch.manual_seed(seed)
        torch.set_float32_matmul_precision("high")
        self.network = network.to(device)
        self._out, self._device, self._rate = out, device, rate
        self._optimisers = optimisers(network, rate)
        self._step = 0
        self._minutes = 0.0

    def load(self, path: Path) -> None:
        """Go on from a checkpoint. Raises FileNotFoundError where there is none."""
        state = torch.load(path, map_location=self._device)
        self.network.load_state_dict(state["network"])
        for optimiser, saved in zip(self._optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self._step, self._minutes = state["step"], state["minutes"]

    def begin_from(self, path: Path) -> None:
        """Take the weights of another run's checkpoint."""
        self.network.load_state_dict(torch.load(path, map_location=self._device)["network"])

    def save(self) -> None:
        """Write the checkpoint."""
        state: dict[str, Any] = {
            "shape": self.network.shape.as_dict(),
            "network": self.network.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self._optimisers],
            "step": self._step,
            "minutes": self._minutes,
        }
        save_atomically(state, self._out / "checkpoint.pt")

    def fit(
        self, pool: Pool, prompts: list[Prompt], minutes: float, batch: int, save_every: float, *, tower: float
    ) -> None:
        """Train until `minutes` are full; the first share `tower` of them is the tower's alone. `prompts`: an exam."""
        log = RunLog(self._out / "curve.jsonl")
        begin, before, saved = time.monotonic(), self._minutes, time.monotonic()
        batches = Batches(pool, batch // CONVERSATIONS, self._device)
        bar = tqdm(total=round(60 * minutes), initial=round(60 * before), unit="s", smoothing=0, mininterval=2)
        try:
            for made in batches:
                self._minutes = before + (time.monotonic() - begin) / 60
                done = self._minutes / minutes
                if done >= 1:
                    break
                pool.set_easy(ease(done, tower))
                rate = self._rate * min(1.0, (self._step + 1) / WARM_UP, (1 - done) / DECAY)
                numbers = self._one_step(made, rate, tower_only=done < tower)
                if self._step % LOG_EVERY == 0:
                    told = {name: float(value) for name, value in numbers.items()}
                    log.write(step=self._step, minutes=self._minutes, rate=rate, ready=pool.ready(), **told)
                    bar.set_postfix(step=self._step, **{name: f"{value:.3f}" for name, value in told.items()})
                    bar.update(round(60 * self._minutes) - bar.n)
                self._step += 1
                if time.monotonic() - saved > 60 * save_every:
                    self.save()
                    if prompts and done > tower:
                        log.write(step=self._step, minutes=self._minutes, exam=self.examine(prompts))
                    saved = time.monotonic()
            self.save()
        finally:
            batches.close()
            bar.close()

    def examine(self, prompts: list[Prompt]) -> dict[str, float]:
        """The share of right answers of each kind."""
        tokenizer = Tokenizer.from_file(str(self._out / "tokenizer.json"))
        fresh = [replace(prompt, answer="") for prompt in prompts]
        done = examine(NetworkAnswers(self.network, tokenizer, self._device), fresh)
        by_kind: dict[str, list[bool]] = {}
        for prompt in done:
            by_kind.setdefault(prompt.kind, []).append(prompt.right)
        return {kind: round(sum(right) / len(right), 4) for kind, right in sorted(by_kind.items())}

    def _one_step(self, batch: Batch, rate: float, *, tower_only: bool) -> dict[str, torch.Tensor]:
        for optimiser in self._optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate
        network = self.network
        with torch.autocast(torch.device(self._device).type, torch.bfloat16):
            features = network.see(batch)
            helper = network.helper_loss(features, batch)
            numbers = {"helper": helper.detach()}
            loss = helper
            if not tower_only:
                answers, right = network.answer_loss(features, batch)
                loss = answers + HELPER * helper
                numbers |= {"answers": answers.detach(), "right": right}
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        for optimiser in self._optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        return numbers


def ease(done: float, tower: float) -> float:
    """How many scenes show one large thing at this part of the run: many at first, never none."""
    return max(0.04, 0.6 * (1 - done / max(0.02, 1.5 * tower)))


def optimisers(network: Network, rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the hidden matrices, AdamW for embeddings, convolutions, norms, biases and the helper."""
    matrices: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, parameter in network.named_parameters():
        hidden = parameter.ndim == 2 and "embed" not in name and "helper" not in name
        (matrices if hidden else others).append(parameter)
    return [
        Muon(matrices, rate),
        torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True),
    ]
