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
from safetensors.torch import load_file
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
# Steps of warming up where the weights are another run's.
WARM_UP_ON = 20
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
    tower_rate: float = 1.0,
) -> None:
    """Train for `minutes` in the folder `out`.

    Writes `tokenizer.json`, `checkpoint.pt` and the curve, `curve.jsonl`. `batch` counts conversations, a multiple of
    32; `workers` processes draw, `slots` packs of 32 conversations ahead each; every `save_every` minutes the run is
    saved. With `resume`, minutes already trained count towards `minutes`. `start` is another run's folder, or a model
    folder: go on from its weights, tower and all, with a schedule of its own. `seed` chooses the conversations.
    `exam`: so many unseen scenes are asked about at each saving, for the curve. `shape`: the model's size.
    `tower_rate`: the vision tower learns so much more slowly than the rest; 0 leaves it as it is.
    """
    if batch % CONVERSATIONS:
        raise ValueError(f"A batch is a multiple of {CONVERSATIONS} conversations, not {batch}.")
    if not (tower_rate or start or resume):
        raise ValueError("A vision tower that is to stay as it is must come from somewhere: give a start.")
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
        run = Run(Network(shape or Shape()), out, device, rate, seed, tower_rate)
        if start is not None:
            run.begin_from(start)
        if resume:
            run.load(out / "checkpoint.pt")
        if compile:
            run.network.compile_blocks()
        run.fit(pool, prompts, minutes, batch, save_every, tower=TOWER if tower_rate and start is None else 0.0)
    finally:
        pool.close()


class Run:
    """A network in training: its optimisers and its place in the schedule."""

    def __init__(
        self, network: Network, out: Path, device: str, rate: float, seed: int, tower_rate: float = 1.0
    ) -> None:
        torch.manual_seed(seed)
        torch.set_float32_matmul_precision("high")
        self.network = network.to(device)
        self._out, self._device, self._rate = out, device, rate
        self._helper, self._warm_up = HELPER, WARM_UP
        self._optimisers = optimisers(network, rate, tower_rate)
        self._tower_learns = tower_rate > 0
        self._step = 0
        self._minutes = 0.0

    def load(self, path: Path) -> None:
        """Go on from a checkpoint. Raises FileNotFoundError where there is none."""
        state = torch.load(path, map_location=self._device)
        self.network.load_state_dict(state["network"])
        for optimiser, saved in zip(self._optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self._step, self._minutes = state["step"], state["minutes"]
        self._helper, self._warm_up = state["helper"], state["warm_up"]

    def begin_from(self, folder: Path) -> None:
        """Take the weights of another run, or of a model folder: that has no helper, so answers alone are learned."""
        self._warm_up = WARM_UP_ON
        if (folder / "checkpoint.pt").exists():
            self.network.load_state_dict(torch.load(folder / "checkpoint.pt", map_location=self._device)["network"])
            return
        weights = load_file(folder / "model.safetensors", device=self._device)
        own = self.network.state_dict()
        self.network.load_state_dict(own | {name: value for name, value in weights.items() if name in own})
        self._helper = 0.0

    def save(self) -> None:
        """Write the checkpoint."""
        state: dict[str, Any] = {
            "shape": self.network.shape.as_dict(),
            "network": self.network.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self._optimisers],
            "step": self._step,
            "minutes": self._minutes,
            "helper": self._helper,
            "warm_up": self._warm_up,
        }
        save_atomically(state, self._out / "checkpoint.pt")

    def fit(
        self, pool: Pool, prompts: list[Prompt], minutes: float, batch: int, save_every: float, *, tower: float
    ) -> None:
        """Train until `minutes` are full; the first share `tower` of them is the tower's alone. `prompts`: an exam."""
        log = RunLog(self._out / "curve.jsonl")
        before = self._minutes
        batches = Batches(pool, batch // CONVERSATIONS, self._device)
        bar = tqdm(total=round(60 * minutes), initial=round(60 * before), unit="s", smoothing=0, mininterval=2)
        try:
            begin = saved = 0.0
            for made in batches:
                # The time starts with the first batch: how long drawing takes to begin is not learned from.
                begin, saved = begin or time.monotonic(), saved or time.monotonic()
                self._minutes = before + (time.monotonic() - begin) / 60
                done = self._minutes / minutes
                if done >= 1:
                    break
                pool.set_easy(ease(done, tower))
                rate = self._rate * min(1.0, (self._step + 1) / self._warm_up, (1 - done) / DECAY)
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
                group["lr"] = rate * group["share"]
        network = self.network
        with torch.autocast(torch.device(self._device).type, torch.bfloat16):
            with torch.set_grad_enabled(self._tower_learns):
                features = network.see(batch)
            loss, numbers = features.new_zeros(()), {}
            if self._helper and self._tower_learns:
                helper = network.helper_loss(features, batch)
                numbers["helper"] = helper.detach()
                loss = helper if tower_only else self._helper * helper
            if not tower_only:
                answers, right = network.answer_loss(features, batch)
                loss = loss + answers
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


def optimisers(network: Network, rate: float, tower_rate: float = 1.0) -> list[torch.optim.Optimizer]:
    """Muon for the hidden matrices, AdamW for embeddings, convolutions, norms, biases and the helper. The `share` of
    each group is its part of the learning rate: `tower_rate` for the vision tower's; 0 leaves the tower out."""
    out: list[torch.optim.Optimizer] = []
    for tower, share in ((False, 1.0), (True, tower_rate)):
        own = [(n, p) for n, p in network.named_parameters() if ("visual" in n) is tower]
        hidden = [n for n, p in own if p.ndim == 2 and "embed" not in n and "helper" not in n]
        matrices, others = ([p for n, p in own if (n in hidden) is wanted] for wanted in (True, False))
        if not share:
            for parameter in (*matrices, *others):
                parameter.requires_grad_(False)
            continue
        out += [Muon(matrices, rate), torch.optim.AdamW(others, rate, (0.9, 0.98), weight_decay=0.0, fused=True)]
        for optimiser in out[-2:]:
            for group in optimiser.param_groups:
                group["share"] = share
    return out
