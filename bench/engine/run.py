"""The whole measurement, from the command line to the JSON."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from bench.engine.figures import cache_figures, floor_figures, ratios, sides, talk_figures
from bench.engine.identity import measure_identity
from bench.engine.lineup import OURS, SEQUENTIAL, SIDES, Lineup, find_start
from bench.engine.others import DISTURBED, Others
from bench.engine.page import write_page
from bench.engine.process import ask_once
from bench.engine.rounds import Rounds, as_measured
from bench.engine.scale import SMALL, Scale
from bench.engine.workload import Pictures
from core.errors import ConfigurationError
from core.settings import ENV_FILE, Settings

PARTS = ("w", "poisson", "m", "growth", "identity")
# MiB for keys, values and features, the same for every engine that has a budget.
CACHE_MB = 1024
# Longer conversations than the longest that is measured.
CONTEXT_TOKENS = 8192
Say = Callable[[str], None]


def run(
    settings: Settings,
    *,
    model: str = "",
    rounds: int = 3,
    rate: float = 0.0,
    threads: int = 0,
    take_part: Sequence[str] = SIDES,
    parts: Sequence[str] = PARTS,
    as_json: bool = False,
    html: Path | None = None,
    small: bool = False,
    out: TextIO = sys.stdout,
) -> None:
    """Measure the checkpoint in the folder `model`, or one of random weights that is made for it, and print.

    Raises:
        ConfigurationError: an unknown side or part, or no such model.
        SideFailed: our engine or transformers' own could not be measured.
    """
    _require_known("--sides", take_part, SIDES)
    _require_known("--parts", parts, PARTS)
    if OURS not in take_part:
        raise ConfigurationError(f"--sides must name {OURS!r}: the others are measured against it.")
    if model and not Path(model).is_dir():
        raise ConfigurationError(
            f"--model {model!r} is no folder. It must hold a checkpoint in the transformers format."
        )
    scale = SMALL if small else Scale(rounds=rounds, rate=rate)
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:5.0f} s  {line}", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="glimt-bench-") as folder:
        result = _Measurement(settings, Path(folder), scale, threads, say).result(model, take_part, parts, small=small)
    result = {**result, "seconds": round(time.monotonic() - began), "command": _command()}
    if html is not None:
        write_page(result, html)
        say(f"the page is in {html}")
    if as_json:
        out.write(json.dumps(result, indent=2) + "\n")
    else:
        _print(result, out)


class _Measurement:
    def __init__(self, settings: Settings, folder: Path, scale: Scale, threads: int, say: Say) -> None:
        self._settings = settings
        self._folder = folder
        self._scale = scale
        self._threads = threads
        self._say = say
        self._pictures = Pictures(folder / "pictures")

    def result(self, model: str, take_part: Sequence[str], parts: Sequence[str], *, small: bool) -> dict[str, Any]:
        """All figures, as the JSON holds them."""
        load, others = os.getloadavg()[0], Others()
        self._say("the machine: products of matrices, reading memory")
        machine = self._machine(model, small)
        floor = floor_figures(machine, self._scale)
        with self._lineup(machine, take_part) as lineup:
            rounds = Rounds(lineup, self._pictures, self._scale, self._say)
            rounds.warm_up()
            for part, measure in (
                ("w", rounds.w),
                ("poisson", rounds.poisson),
                ("m", rounds.conversations),
                ("growth", rounds.growth),
            ):
                if part in parts:
                    measure()
            identity = self._identity(machine, lineup) if "identity" in parts else None
        measured, busy = rounds.measured, others.cores()
        disturbed = None if busy is None else busy > DISTURBED * machine["cores"]
        if disturbed:
            self._say(f"other work took {busy:.1f} of {machine['cores']} cores meanwhile: measure when it is quiet")
        own = {"peak_mb": lineup.peak_mb, "loaded_s": lineup.loaded_s}
        return {
            **ratios(measured, lineup.peak_mb, identity),
            "sides": sides(measured, floor["w_s"], own),
            "absent": lineup.absent,
            "m_ttft_s": talk_figures(measured),
            "caches": cache_figures(measured),
            "identity": None if identity is None else {"equal": identity[0], "of": identity[1]},
            "floor": {name: round(value, 3) for name, value in floor.items()},
            "growth": as_measured(measured),
            "workload": {
                "questions": self._scale.questions,
                "new_tokens": self._scale.new_tokens,
                "prompt_tokens": machine["work"]["prompt_tokens"],
                "picture_tokens": machine["work"]["picture_tokens"],
                "turns": self._scale.turns,
                "poisson_per_s": measured.rate or None,
                "rounds": self._scale.rounds,
                "cache_mb": CACHE_MB,
            },
            "machine": {name: value for name, value in machine.items() if name not in ("model", "work", "rates")}
            | {
                "load_before": round(load, 2),
                "busy_with_others_cores": None if busy is None else round(busy, 2),
                "disturbed": disturbed,
            },
            "date": datetime.now(UTC).date().isoformat(),
        }

    def _options(self, model: str) -> dict[str, Any]:
        settings = self._settings
        return {
            "env_file": str(Path(ENV_FILE).absolute()),
            "model": model,
            "pictures": str(self._folder / "pictures"),
            "device": settings.device,
            "dtype": settings.dtype,
            "cache_mb": CACHE_MB,
            "most_at_once": max(self._scale.questions, *self._scale.in_flight),
        }

    def _machine(self, model: str, small: bool) -> dict[str, Any]:
        (self._folder / "pictures").mkdir()
        (self._folder / "model").mkdir()
        more = {"folder": str(self._folder / "model"), "small": small, "threads": self._threads}
        options = {**self._options(model), **more, "seconds": self._scale.floor_s}
        machine = ask_once("bench.engine.machine", options, log=self._folder / "machine.log")
        assert isinstance(machine, dict)
        return machine

    @contextmanager
    def _lineup(self, machine: dict[str, Any], take_part: Sequence[str], dtype: str = "") -> Iterator[Lineup]:
        threads = machine["threads"]
        starts = {
            side: find_start(side, machine["model"], threads=threads, device=machine["device"], say=self._say)
            for side in SIDES
            if side in take_part
        }
        context_tokens = min(CONTEXT_TOKENS, machine["context_tokens"])
        options = {
            **self._options(machine["model"]),
            "device": machine["device"],
            "dtype": dtype or machine["dtype"],
            "threads": threads,
            "context_tokens": context_tokens,
        }
        lineup = Lineup(starts, options, self._folder, keep=machine["device"] == "cpu")
        try:
            yield lineup
        finally:
            lineup.close()

    def _identity(self, machine: dict[str, Any], running: Lineup) -> tuple[int, int]:
        self._say("the same tokens as generate, in float32")
        if machine["dtype"] == "float32" and len(running.present(OURS, SEQUENTIAL)) == 2:
            return measure_identity(running, self._pictures, self._scale)
        with self._lineup(machine, (OURS, SEQUENTIAL), "float32") as exact:
            return measure_identity(exact, self._pictures, self._scale)


def _require_known(option: str, given: Sequence[str], known: Sequence[str]) -> None:
    if unknown := [name for name in given if name not in known]:
        raise ConfigurationError(f"{option}: {', '.join(unknown)} is unknown. There are: {', '.join(known)}.")


def _command() -> str:
    return " ".join(["glimt", *sys.argv[1:]])


def _print(result: dict[str, Any], out: TextIO) -> None:
    for name, value in result["ratios"].items():
        spread = result["spread"].get(name)
        between = f"   {spread['least']} to {spread['most']}" if spread else ""
        out.write(f"{name:<30} {'-' if value is None else value}{between}\n")
    for side, figures in result["sides"].items():
        out.write(f"\n{side}\n")
        for name, value in figures.items():
            out.write(f"  {name:<28} {value}\n")
    for side, reason in result["absent"].items():
        out.write(f"\n{side} is absent: {reason}\n")
    for name in ("m_ttft_s", "caches", "floor", "workload", "machine"):
        out.write(f"\n{name}\n")
        for key, value in result[name].items():
            out.write(f"  {key:<28} {value}\n")
