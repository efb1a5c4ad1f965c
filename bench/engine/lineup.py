"""Which sides there are, and how each is started."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from bench.engine.process import CHECKOUT, SideFailed, SideProcess, environment

OURS, SEQUENTIAL, STATIC, VLLM, OPENVINO = "ours", "sequential", "static32", "vllm", "openvino"
SIDES = (OURS, SEQUENTIAL, STATIC, VLLM, OPENVINO)
STATIC_BATCH = 32
PEERS = CHECKOUT / ".bench"


@dataclass(frozen=True, slots=True)
class Start:
    """How a side is started. `absent` says why it cannot be; `options` are beside those that all have."""

    program: str
    python: Path = Path(sys.executable)
    env: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    absent: str = ""


def find_start(
    side: str, model: str, *, threads: int, device: str, say: Callable[[str], None], peers: Path = PEERS
) -> Start:
    """How `side` is started with the checkpoint in `model`; other engines from their environments in the folder
    `peers`. OpenVINO gets the checkpoint converted first, which is kept there."""
    threads_only = {"OMP_NUM_THREADS": str(threads)}
    if side == OURS:
        return Start("bench.engine.sides.ours", env=threads_only)
    if side == SEQUENTIAL:
        return Start("bench.engine.sides.plain", env=threads_only, options={"batch": 1})
    if side == STATIC:
        return Start("bench.engine.sides.plain", env=threads_only, options={"batch": STATIC_BATCH})
    python = peers / side / "bin" / "python"
    program = "bench.engine.sides." + {VLLM: "vllm_cpu", OPENVINO: "openvino"}[side]
    if device != "cpu":
        return Start(program, absent=f"measured on CPUs only; this is {device}")
    if not (peers / side / ".ready").is_file():
        return Start(program, absent="not set up: make bench-peers")
    mended = {"PYTHONPATH": str(CHECKOUT / "bench" / "peers")}
    if side == VLLM:
        return Start(program, python, mended | _vllm_env(threads, peers))
    try:
        converted = _converted(Path(model), mended, peers, say)
    except SideFailed as error:
        return Start(program, absent=str(error))
    return Start(program, python, mended | threads_only, {"converted": str(converted)})


def _vllm_env(threads: int, peers: Path) -> dict[str, str]:
    """Of vLLM's own documentation for CPUs. Left alone it takes one thread of each physical core only."""
    cpus = sorted(os.sched_getaffinity(0))[:threads]
    preload = [*_libraries(peers / VLLM / "lib", "libiomp5.so"), *_libraries(Path("/usr/lib"), "libtcmalloc*.so.4")]
    return {
        "OMP_NUM_THREADS": str(threads),
        "VLLM_CPU_OMP_THREADS_BIND": ",".join(map(str, cpus)),
        "VLLM_CPU_NUM_OF_RESERVED_CPU": "0",
        "LD_PRELOAD": ":".join(map(str, preload)),
        "VLLM_CACHE_ROOT": str(peers / "vllm-cache"),
        "VLLM_LOGGING_LEVEL": "ERROR",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
    }


def _libraries(folder: Path, pattern: str) -> list[Path]:
    return sorted([*folder.glob(pattern), *folder.glob(f"*-linux-gnu/{pattern}")])[:1]


def _converted(model: Path, env: Mapping[str, str], peers: Path, say: Callable[[str], None]) -> Path:
    digest = sha256((model / "config.json").read_bytes())
    for weights in sorted(model.glob("*.safetensors")):
        with weights.open("rb") as file:
            while block := file.read(2**24):
                digest.update(block)
    folder = peers / "converted" / digest.hexdigest()[:16]
    if (folder / ".ready").is_file():
        return folder
    say("openvino: converting the checkpoint (once)")
    folder.mkdir(parents=True, exist_ok=True)
    program = peers / OPENVINO / "bin" / "optimum-cli"
    options = ("--task", "image-text-to-text", "--weight-format", "fp16", "--model", str(model))
    command = [str(program), "export", "openvino", *options, str(folder)]
    with (folder / "convert.log").open("wb") as log:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment(env))
    if done.returncode:
        lines = (folder / "convert.log").read_text(errors="replace").strip().splitlines()
        raise SideFailed(f"optimum-intel cannot convert this checkpoint: {lines[-1] if lines else ''}")
    (folder / ".ready").touch()
    return folder


class Lineup:
    """The sides that take part. Each is started when it is first needed, and then kept, or with `keep` False ended
    after each use: on a device whose memory they would have to share."""

    def __init__(self, starts: Mapping[str, Start], options: Mapping[str, Any], logs: Path, *, keep: bool) -> None:
        self._starts = dict(starts)
        self._options = options
        self._logs = logs
        self._keep = keep
        self._running: dict[str, SideProcess] = {}
        self.absent = {side: start.absent for side, start in starts.items() if start.absent}
        self.loaded_s: dict[str, float] = {}
        self.peak_mb: dict[str, float] = {}

    def present(self, *among: str) -> list[str]:
        """Those of `among` that take part and have not failed."""
        return [side for side in among if side in self._starts and side not in self.absent]

    @contextmanager
    def using(self, side: str) -> Iterator[SideProcess]:
        """The process of `side`. A peer that fails is absent from then on, and the block ends there.

        Raises:
            SideFailed: ours or transformers' own failed.
        """
        try:
            if side not in self._running:
                start = self._starts[side]
                options = {**self._options, **start.options}
                log = self._logs / f"{side}.log"
                self._running[side] = SideProcess(start.program, options, python=start.python, env=start.env, log=log)
                self.loaded_s.setdefault(side, self._running[side].loaded_s)
            process = self._running[side]
            yield process
            self.peak_mb[side] = max(self.peak_mb.get(side, 0.0), process.peak_mb)
        except SideFailed as error:
            self._running.pop(side, None)
            if side not in (VLLM, OPENVINO):
                raise
            self.absent[side] = str(error)
        else:
            if not self._keep:
                self._running.pop(side).close()

    def close(self) -> None:
        """End all of them."""
        for process in self._running.values():
            process.close()
        self._running.clear()
