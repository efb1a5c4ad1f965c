"""The inside of a side's process: loads once, then computes each round that comes in as a line of JSON.

Only the standard library, because other engines' environments have nothing of ours.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from bench.engine.workload import Answer, Ask, Round, ask_from


class Side(Protocol):
    """Something that answers."""

    def answer(self, asks: Sequence[Ask]) -> list[Answer]:
        """Answer all of them, each as soon after its time of arrival as this engine can."""

    def counters(self) -> dict[str, float]:
        """What was found again instead of computed, since it was loaded."""

    def close(self) -> None:
        """End threads and processes of its own."""


class Arrivals:
    """The asks of a round that have not been taken yet, for engines that are driven step by step."""

    def __init__(self, asks: Sequence[Ask]) -> None:
        self._began = time.perf_counter()
        self._waiting = sorted(enumerate(asks), key=lambda numbered: numbered[1].at_s)

    @property
    def now_s(self) -> float:
        """Seconds since the round began."""
        return time.perf_counter() - self._began

    @property
    def left(self) -> bool:
        """Whether there is anything that was not taken."""
        return bool(self._waiting)

    def take(self, most: int) -> list[tuple[int, Ask]]:
        """At most `most` asks that have arrived by now, with their numbers."""
        due = [numbered for numbered in self._waiting if numbered[1].at_s <= self.now_s][:most]
        self._waiting = self._waiting[len(due) :]
        return due

    def sleep(self) -> None:
        """Until the next one arrives."""
        if self._waiting:
            time.sleep(max(0.0, self._waiting[0][1].at_s - self.now_s))


def serve(load: Callable[[dict[str, Any]], Side]) -> None:
    """Load with the options that the first argument holds, then answer until standard input ends."""
    # Libraries write to standard output what is not for the one who asked.
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def reply(**content: object) -> None:
        replies.write(json.dumps(content) + "\n")

    began = time.perf_counter()
    try:
        side = load(json.loads(sys.argv[1]))
        reply(loaded_s=time.perf_counter() - began, peak_mb=peak_mb())
        for line in sys.stdin:
            asks = [ask_from(data) for data in json.loads(line)]
            began = time.perf_counter()
            answers = side.answer(asks)
            seconds = time.perf_counter() - began
            round = Round(answers, [ask.at_s for ask in asks], seconds, side.counters())
            reply(round=asdict(round), peak_mb=peak_mb())
        side.close()
    except Exception as error:
        reply(error=f"{type(error).__name__}: {error}")
        raise


def peak_mb() -> float:
    """The most memory (MiB) that this process held, and each child that still lives; what children share with others
    counts once."""
    own = _high_water_mb("self")
    if own is None:
        # Not Linux; bytes on macOS.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2 ** (20 if sys.platform == "darwin" else 10)
    return own + sum(max(0.0, (_high_water_mb(pid) or 0.0) - _shared_mb(pid)) for pid in _descendants(os.getpid()))


def _high_water_mb(pid: int | str) -> float | None:
    # Unlike ru_maxrss it does not begin with what the parent held when it forked.
    sizes = _sizes_mb(f"/proc/{pid}/status")
    return sizes["VmHWM"] if sizes else None


def _shared_mb(pid: int) -> float:
    sizes = _sizes_mb(f"/proc/{pid}/smaps_rollup")
    return sizes["Shared_Clean"] + sizes["Shared_Dirty"] if sizes else 0.0


def _sizes_mb(file: str) -> dict[str, float]:
    """The lines `Name: 123 kB`; none where there is no such file."""
    try:
        lines = [line.split() for line in Path(file).read_text().splitlines()]
    except OSError:
        return {}
    return {words[0].rstrip(":"): int(words[1]) / 1024 for words in lines if words[-1:] == ["kB"]}


def _descendants(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in task.read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *_descendants(child)]
    return found
