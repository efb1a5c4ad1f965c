"""The training run: first the vision tower alone, then all of it on conversations.

The schedule is in minutes, not steps, so that a run fits the time there is on any machine. Every
few minutes the run is written to its folder; `--resume` goes on from there.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn
from transformers import AutoTokenizer, Glm4vForConditionalGeneration, PreTrainedTokenizerFast

from .data import LENGTH, Batch, BatchMaker
from .feed import feed
from .model import Trainee
from .pretrain import optimisers, pretrain_tower, set_rate
from .runlog import RunLog, save_atomically
from .team import agree, average, rank_and_size, run_team
from .vocabulary import build_tokenizer

RATE = 2e-3
SAVE_EVERY_MINUTES = 3.0
LOG_EVERY = 20
# The last part of the run, over which the learning rate falls to zero.
DECAY = 0.6


def train(
    out: Path,
    minutes: float,
    *,
    tower_minutes: float,
    device: str = "cpu",
    resume: bool = False,
    compile: bool = False,
    processes: int = 1,
    batch: int = 32,
    hold_tower: float = 0.0,
    rate: float = RATE,
    start: Path | None = None,
    seed: int = 0,
) -> None:
    """Train for `minutes` (after `tower_minutes` for the tower, unless `out/tower.pt` is there).

    Writes `out/tokenizer/`, `out/checkpoint.pt` and the curves `out/tower.jsonl`,
    `out/curve.jsonl`. `processes` share each batch (CPU only). The tower is held as it is up to
    minute `hold_tower`. With `resume`, minutes already trained count towards `minutes`. `seed` chooses
    the conversations: another one makes others.

    `start` is a folder that `export` wrote: the run goes on from its weights. The tower is then held
    all the time, since the head that keeps it honest is not exported.
    """
    if start is not None:
        hold_tower = minutes
    load_tokenizer(out, start)
    if start is None and not (out / "tower.pt").exists():
        pretrain_tower(out, tower_minutes, device)
    plan = Plan(minutes, batch, hold_tower, rate, start, seed)
    run_team(processes, _train_together, out, plan, device, resume, compile)


@dataclass(frozen=True)
class Plan:
    """A run's length and size: see `train`. `batch` counts conversations, over all processes."""

    minutes: float
    batch: int
    hold_tower: float
    rate: float
    start: Path | None
    seed: int


def _train_together(out: Path, plan: Plan, device: str, resume: bool, compile: bool) -> None:
    tokenizer = load_tokenizer(out)
    torch.manual_seed(0)
    model = Trainee(tokenizer).to(device)
    if plan.start is None:
        begun = torch.load(out / "tower.pt", map_location=device)
        model.glm.model.visual.load_state_dict(begun["tower"])
        model.head.load_state_dict(begun["head"])
    else:
        exported = Glm4vForConditionalGeneration.from_pretrained(plan.start, dtype=torch.float32)
        model.glm.load_state_dict(exported.state_dict())
    _, size = rank_and_size()
    if compile:
        model.compile_for((plan.batch // size, LENGTH))
    run = Run(model, out, device)
    if resume:
        run.load()
    run.fit(tokenizer, plan)


def load_tokenizer(out: Path, start: Path | None = None) -> PreTrainedTokenizerFast:
    """The run's tokenizer, grown (or taken over from the folder `start`) and saved on first use."""
    folder = out / "tokenizer"
    if not folder.exists():
        first: Any = build_tokenizer() if start is None else AutoTokenizer.from_pretrained(start)
        first.save_pretrained(folder)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    return cast(PreTrainedTokenizerFast, tokenizer)


class Run:
    """A model in training: its optimisers, its averaged weights, its place in the schedule."""

    def __init__(self, model: Trainee, out: Path, device: str) -> None:
        self._model = model
        self._out = out
        self._device = device
        self._optimisers = optimisers([model], RATE)
        self._average = {name: value.detach().clone() for name, value in model.state_dict().items()}
        self._step = 0
        self._minutes = 0.0

    def load(self) -> None:
        """Go on from the run's checkpoint. Raises FileNotFoundError where there is none."""
        state = torch.load(self._out / "checkpoint.pt", map_location=self._device)
        self._model.load_state_dict(state["model"])
        self._average = state["average"]
        for optimiser, saved in zip(self._optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self._step, self._minutes = state["step"], state["minutes"]

    def save(self) -> None:
        """Write the checkpoint."""
        state: dict[str, Any] = {
            "model": self._model.state_dict(),
            "average": self._average,
            "optimisers": [optimiser.state_dict() for optimiser in self._optimisers],
            "step": self._step,
            "minutes": self._minutes,
        }
        save_atomically(state, self._out / "checkpoint.pt")

    def fit(self, tokenizer: PreTrainedTokenizerFast, plan: Plan) -> None:
        """Train until the plan's minutes are full."""
        rank, size = rank_and_size()
        log = RunLog(self._out / "curve.jsonl")
        before, begin, saved = self._minutes, time.monotonic(), time.monotonic()
        for batch in feed(BatchMaker(tokenizer, plan.batch // size, share=rank, seed=plan.seed), self._step):
            self._minutes = agree(before + (time.monotonic() - begin) / 60)
            done = self._minutes / plan.minutes
            if done >= 1:
                break
            rate = plan.rate * min(1.0, (self._step + 1) / 100, (1 - done) / DECAY)
            set_rate(self._optimisers, rate)
            self._model.hold_tower(self._minutes < plan.hold_tower)
            loss, answers, right = self._one_step(batch.to(self._device))
            if rank == 0 and self._step % LOG_EVERY == 0:
                log.write(step=self._step, minutes=self._minutes, rate=rate, loss=loss, answers=answers, right=right)
            self._step += 1
            if rank == 0 and time.monotonic() - saved > 60 * SAVE_EVERY_MINUTES:
                self.save()
                saved = time.monotonic()
        if rank == 0:
            self.save()

    def _one_step(self, batch: Batch) -> list[float]:
        with torch.autocast(torch.device(self._device).type, torch.bfloat16):
            loss, answers, right = self._model(batch)
        loss.backward()
        shared = average(self._model, loss.item(), answers.item(), right.item())
        nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
        for optimiser in self._optimisers:
            optimiser.step()
            optimiser.zero_grad()
        # Early weights are forgotten faster: they are far from where the run ends.
        keep = min(0.998, (1 + self._step) / (20 + self._step))
        with torch.no_grad():
            for name, value in self._model.state_dict().items():
                self._average[name].lerp_(value, 1 - keep)
        return shared
