"""What the machine has: device, number type and threads to compute with."""

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from core.errors import ConfigurationError
from core.inference.cgroup import cpu_quota
from core.inference.machine import Gpu, Machine
from core.inference.memory import free_bytes, total_bytes
from core.inference.placement import few_that_hold
from core.inference.presets import SHRUNK
from core.inference.threads import most_threads
from core.values import Quantisation

# Below this a model gains nothing from half precision, and loses more to the meeting of threads than they compute.
SMALL_MODEL_BYTES = 256 * 1024 * 1024


def choose_devices(name: str, need_bytes: int) -> tuple[torch.device, ...]:
    """The devices that `GLIMT_DEVICE` names, to hold `need_bytes` of weights and more; the first one takes prompts in.

    `auto` is the CUDA device with the most free memory, as many as are needed where one is not enough, or the CPU.

    Raises:
        ConfigurationError: no such device here, or a list of others than CUDA devices.
    """
    if name == "auto":
        if not torch.cuda.is_available():
            return (torch.device("cpu"),)
        free = [torch.cuda.mem_get_info(gpu)[0] for gpu in range(torch.cuda.device_count())]
        # Where all are too little, loading says by how much.
        held = few_that_hold(need_bytes, free) or tuple(range(len(free)))
        return tuple(torch.device("cuda", gpu) for gpu in held)
    devices = tuple(_device(part) for part in name.split(","))
    if len(devices) > 1 and (len({str(d) for d in devices}) < len(devices) or any(d.index is None for d in devices)):
        raise ConfigurationError(f"GLIMT_DEVICE={name!r}: several devices are named cuda:0,cuda:1 …, each once.")
    return devices


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ConfigurationError(f"GLIMT_DEVICE={name!r}: use auto, cpu, cuda, cuda:0 or cuda:0,cuda:1 …") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigurationError(
            f"GLIMT_DEVICE={name!r}: torch {torch.__version__} sees {torch.cuda.device_count()} CUDA devices here. "
            "Install torch's CUDA build and the driver, or set GLIMT_DEVICE=cpu."
        )
    return device


def read_machine(device: str, dtype: str) -> Machine:
    """What `GLIMT_DEVICE` and `GLIMT_DTYPE` leave of this machine right now.

    Raises:
        ConfigurationError: no such device here.
    """
    devices = choose_devices(device, sys.maxsize)
    gpus = tuple(
        Gpu(torch.cuda.get_device_name(gpu), *torch.cuda.mem_get_info(gpu)) for gpu in devices if gpu.type == "cuda"
    )
    cpu = torch.device("cpu")
    number = choose_dtype(dtype, devices[0], SMALL_MODEL_BYTES).itemsize
    return Machine(gpus, allowed_cores(), free_bytes(cpu), total_bytes(cpu), number)


def describe_device(name: str) -> str:
    """What `GLIMT_DEVICE` comes down to here, for people.

    Raises:
        ConfigurationError: no such device here.
    """
    machine = read_machine(name, "auto")
    if machine.gpus:
        return ", ".join(f"{gpu.name}, {gpu.free >> 30} of {gpu.total >> 30} GiB free" for gpu in machine.gpus)
    return f"{choose_devices(name, 0)[0].type.upper()}, torch {torch.__version__}"


def describe_dtype(dtype: str, device: str, weight_bytes: int) -> str:
    """The number type that weights of `weight_bytes` are computed in on `GLIMT_DEVICE`, for people."""
    return str(choose_dtype(dtype, choose_devices(device, weight_bytes)[0], weight_bytes)).removeprefix("torch.")


def expected_bytes(weight_bytes: int, dtype: str, device: str, quantisation: Quantisation) -> int:
    """Roughly what a checkpoint of `weight_bytes`, which is of 16-bit numbers as nearly all are, takes once loaded."""
    number = choose_dtype(dtype, choose_devices(device, weight_bytes)[0], weight_bytes).itemsize
    return int(weight_bytes * SHRUNK[quantisation] * (number / 2))


def choose_dtype(name: str, device: torch.device, weight_bytes: int) -> torch.dtype:
    """The type that `GLIMT_DTYPE` names; `auto` is bfloat16 where the device computes it natively, else float32.

    Models smaller than `SMALL_MODEL_BYTES` are float32 anywhere.
    """
    if name != "auto":
        chosen = getattr(torch, name)
        assert isinstance(chosen, torch.dtype)
        return chosen
    if weight_bytes < SMALL_MODEL_BYTES:
        return torch.float32
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if device.type == "cpu" and native else torch.float32


def choose_threads(device: torch.device, weight_bytes: int) -> int:
    """Threads for torch to compute with. Never more than torch itself would take; one for small models and for GPUs."""
    if device.type != "cpu" or weight_bytes < SMALL_MODEL_BYTES:
        return 1
    return min(most_threads(), free_cores())


@dataclass(frozen=True, slots=True)
class Cores:
    """How many cores this process may use, how many of them nobody else uses, and what limits them."""

    allowed: int
    free: int
    why: str


def measure_cores() -> Cores:
    """As `free_cores`, with the reasons."""
    mask, quota = len(_mask()), cpu_quota()
    limits = [f"{os.cpu_count()} in the machine", f"{mask} in the affinity mask"]
    limits.append("no quota of the cgroup" if quota is None else f"a quota of {quota:g} of the cgroup")
    return Cores(allowed_cores(), free_cores(), ", ".join(limits))


def free_cores(measure_s: float = 0.2) -> int:
    """Cores that this process may use and nobody else is using, at least 1. Blocks for `measure_s`.

    Counts the affinity mask, the cgroup's quota and, over `measure_s`, what other work leaves (also niced work: threads
    that wait for each other are slowed by any of it). Two threads on one free core are several times slower than one.
    """
    allowed, cores = _allowed()
    busy_before = _busy_seconds(allowed)
    time.sleep(measure_s)
    busy = (_busy_seconds(allowed) - busy_before) / measure_s
    return max(1, round(min(cores, len(allowed) - busy)))


def allowed_cores() -> int:
    """Cores that the affinity mask and the cgroup's quota grant this process, at least 1, busy or not."""
    return max(1, round(_allowed()[1]))


def _allowed() -> tuple[set[int], float]:
    allowed, quota = _mask(), cpu_quota()
    return allowed, float(len(allowed)) if quota is None else min(float(len(allowed)), quota)


def _mask() -> set[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))


def _busy_seconds(cpus: set[int]) -> float:
    """Time that these processors have worked; 0 where the system does not tell."""
    try:
        lines = Path("/proc/stat").read_text().splitlines()
    except OSError:
        return 0.0
    ticks = 0
    for line in lines:
        name, *fields = line.split()
        if name.startswith("cpu") and name[3:].isdigit() and int(name[3:]) in cpus:
            user, nice, system, _idle, _wait, irq, softirq, steal = map(int, fields[:8])
            ticks += user + nice + system + irq + softirq + steal
    return ticks / os.sysconf("SC_CLK_TCK")
