"""What the machine has: device, number type and threads to compute with."""

import os
import time
from pathlib import Path

import torch

from core.errors import ConfigurationError

# Below this a model gains nothing from half precision, and loses more to the meeting of threads than they compute.
SMALL_MODEL_BYTES = 256 * 1024 * 1024


def choose_device(name: str) -> torch.device:
    """The device that `GLIMT_DEVICE` names; `auto` is the first CUDA device, else the CPU.

    Raises:
        ConfigurationError: no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ConfigurationError(f"GLIMT_DEVICE={name!r}: use auto, cpu, cuda or cuda:0 …") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigurationError(
            f"GLIMT_DEVICE={name!r}: torch {torch.__version__} sees {torch.cuda.device_count()} CUDA devices here. "
            "Install torch's CUDA build and the driver, or set GLIMT_DEVICE=cpu."
        )
    return device


def describe_device(name: str) -> str:
    """What `GLIMT_DEVICE` comes down to here, for people.

    Raises:
        ConfigurationError: no such device here.
    """
    device = choose_device(name)
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        return f"{torch.cuda.get_device_name(device)}, {free >> 30} of {total >> 30} GiB free"
    return f"{device.type.upper()}, {torch.get_num_threads()} threads, torch {torch.__version__}"


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
    return min(torch.get_num_threads(), free_cores())


def free_cores(measure_s: float = 0.2) -> int:
    """Cores that this process may use and nobody else is using, at least 1. Blocks for `measure_s`.

    Counts the affinity mask, the cgroup's quota and, over `measure_s`, what other work leaves (also niced work: threads
    that wait for each other are slowed by any of it). Two threads on one free core are several times slower than one.
    """
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    cores = float(len(allowed))
    quota = _cgroup_quota()
    if quota is not None:
        cores = min(cores, quota)
    busy_before = _busy_seconds(allowed)
    time.sleep(measure_s)
    busy = (_busy_seconds(allowed) - busy_before) / measure_s
    return max(1, round(min(cores, len(allowed) - busy)))


def _cgroup_quota() -> float | None:
    """Cores that the cgroup (version 2 or 1) grants; None without a limit."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota = Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us").read_text().strip()
            period = Path("/sys/fs/cgroup/cpu/cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    return int(quota) / int(period) if quota.isdigit() and int(period) > 0 else None


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
