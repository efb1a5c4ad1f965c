"""Packs become batches on the device, one ahead of the training."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import Empty, Full, Queue

import numpy as np
import torch
from torch import Tensor

from .encode import CONVERSATIONS, LAYOUT, LENGTH, Pack
from .pool import Pool

Batch = dict[str, Tensor]
"""As `encode.LAYOUT`, with the packs of a batch behind one another; places count through the whole batch."""

_NOWHERE = CONVERSATIONS * LENGTH


class Batches:
    """Endless batches of `packs` packs from `pool`, made in a thread; `close` ends it."""

    def __init__(self, pool: Pool, packs: int, device: str) -> None:
        self._pool, self._packs, self._device = pool, packs, device
        self._ahead: Queue[Batch | BaseException] = Queue(maxsize=2)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="batches", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Batch]:
        while True:
            made = self._ahead.get()
            if isinstance(made, BaseException):
                raise made
            yield made

    def close(self) -> None:
        """Stop making batches."""
        self._closed.set()
        while self._thread.is_alive():
            try:
                self._ahead.get(timeout=0.1)
            except Empty:
                continue

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                made: Batch | BaseException = self._make()
            except BaseException as error:  # handed to the trainer, which raises it
                made = error
            while not self._closed.is_set():
                try:
                    self._ahead.put(made, timeout=0.5)
                    break
                except Full:
                    continue
            if isinstance(made, BaseException):
                return

    def _make(self) -> Batch:
        pinned = self._device != "cpu"
        batch = {
            name: torch.empty((self._packs * shape[0], *shape[1:]), dtype=_TORCH[kind], pin_memory=pinned)
            for name, (shape, kind) in LAYOUT.items()
        }
        for number in range(self._packs):
            self._pool.take(lambda pack, number=number: _copy(pack, batch, number))  # type: ignore[misc]
        batch["place"][batch["place"] < 0] = self._packs * _NOWHERE
        return {name: value.to(self._device, non_blocking=True) for name, value in batch.items()}


def _copy(pack: Pack, batch: Batch, number: int) -> None:
    for name, (shape, _) in LAYOUT.items():
        part = batch[name][number * shape[0] : (number + 1) * shape[0]]
        part.copy_(torch.from_numpy(pack[name]))
        if name == "at":
            part += number * _NOWHERE
        elif name == "place":
            part[part == _NOWHERE] = -1 - number * _NOWHERE
            part += number * _NOWHERE


_TORCH = {np.int8: torch.int8, np.uint8: torch.uint8, np.int16: torch.int16, np.int32: torch.int32}
