"""Processes that draw and write packs into memory that they share with the trainer.

Each worker fills slots of its own; a slot is ready until the trainer empties it. Where the trainer is faster, it takes
a ready slot more than once.
"""

from __future__ import annotations

import mmap
import multiprocessing
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from .encode import LAYOUT, Pack, fill

_EMPTY, _READY = 0, 1
_REUSE = 4
_ALIGN = 64


class Pool:
    """`workers` processes with `slots` packs each. `tokenizer`: its file. `seed`: which conversations."""

    def __init__(self, workers: int, slots: int, tokenizer: Path, seed: str) -> None:
        self._count = workers * slots
        size = sum(_room(name) for name in LAYOUT)
        # Anonymous memory, inherited by fork: /dev/shm may be small.
        self._memory = mmap.mmap(-1, self._count * size)
        self._state = np.frombuffer(mmap.mmap(-1, self._count), np.int8)
        self._easy = np.frombuffer(mmap.mmap(-1, 8), np.float64)
        self._packs = [_views(self._memory, number * size) for number in range(self._count)]
        self._uses = [0] * self._count
        self._rng = random.Random(seed)
        context = multiprocessing.get_context("fork")
        self._processes = [
            context.Process(target=self._work, args=(worker, workers, str(tokenizer), seed), daemon=True)
            for worker in range(workers)
        ]
        for process in self._processes:
            process.start()

    def set_easy(self, share: float) -> None:
        """How many of the scenes that are drawn from now on show one large thing."""
        self._easy[0] = share

    def take(self, use: Callable[[Pack], None]) -> None:
        """Hand a ready pack to `use`, which must copy it. Waits for the first.

        Raises:
            RuntimeError: a worker has died.
        """
        while True:
            ready = [i for i in range(self._count) if self._state[i] == _READY]
            if ready:
                break
            self._check()
            time.sleep(0.01)
        least = min(self._uses[i] for i in ready)
        number = self._rng.choice([i for i in ready if self._uses[i] == least])
        use(self._packs[number])
        self._uses[number] += 1
        if len(ready) > self._count // 2 or self._uses[number] >= _REUSE:
            self._uses[number] = 0
            self._state[number] = _EMPTY

    def ready(self) -> float:
        """The share of slots that are ready."""
        return float(self._state.mean())

    def close(self) -> None:
        """End the workers."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join()

    def _check(self) -> None:
        if dead := [p for p in self._processes if not p.is_alive()]:
            raise RuntimeError(f"A process that draws has ended with code {dead[0].exitcode}; see its error above.")

    def _work(self, worker: int, workers: int, tokenizer: str, seed: str) -> None:
        parent, core, made = os.getppid(), Tokenizer.from_file(tokenizer), 0
        own = range(worker, self._count, workers)
        while os.getppid() == parent:
            empty = [i for i in own if self._state[i] == _EMPTY]
            if not empty:
                time.sleep(0.02)
                continue
            fill(self._packs[empty[0]], core, f"{seed} {worker} {made}", float(self._easy[0]))
            made += 1
            self._state[empty[0]] = _READY


def _room(name: str) -> int:
    shape, kind = LAYOUT[name]
    return -(-int(np.prod(shape)) * np.dtype(kind).itemsize // _ALIGN) * _ALIGN


def _views(memory: mmap.mmap, start: int) -> Pack:
    views: dict[str, Any] = {}
    for name, (shape, kind) in LAYOUT.items():
        views[name] = np.frombuffer(memory, kind, int(np.prod(shape)), start).reshape(shape)
        start += _room(name)
    return views
