"""How much memory the engine may keep keys, values and features in."""

from dataclasses import dataclass
from pathlib import Path

import torch

MIB = 1024 * 1024
# Of what is free once the weights are loaded. A step needs room too, and so does everything else on the machine.
_SHARE_OF_DEVICE = 0.8
_SHARE_OF_MACHINE = 0.25
# What of it goes where. Running sequences come first; the caches only save work.
_SLOTS, _PREFIXES = 0.6, 0.25


@dataclass(frozen=True, slots=True)
class CacheBudget:
    """Bytes for the slots of running sequences, for finished conversations' keys and values, for pictures' features."""

    slot_bytes: int
    prefix_bytes: int
    picture_bytes: int


def cache_budget(device: torch.device, megabytes: int, part: float = 1.0) -> CacheBudget:
    """Divide `megabytes` (`GLIMT_CACHE_MB`), or by default a share of what is free on `device` right now.

    Where several models share the device each gets its `part` (0 to 1), after the weights of all of them are loaded.
    """
    share = _SHARE_OF_MACHINE if device.type == "cpu" else _SHARE_OF_DEVICE
    total = int((megabytes * MIB or free_bytes(device) * share) * part)
    slots, prefixes = int(total * _SLOTS), int(total * _PREFIXES)
    return CacheBudget(slots, prefixes, total - slots - prefixes)


def free_bytes(device: torch.device) -> int:
    """Memory that is free on `device`: on a CPU what the system could give, within the cgroup's limit."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free)
    free = _available()
    limit, used = _read_number("/sys/fs/cgroup/memory.max"), _read_number("/sys/fs/cgroup/memory.current")
    return free if limit is None or used is None else max(0, min(free, limit - used))


def _available() -> int:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        # Not Linux. A modest guess; whoever has more says so with the setting.
        return 4096 * MIB
    kilobytes = next(line.split()[1] for line in lines if line.startswith("MemAvailable:"))
    return int(kilobytes) * 1024


def _read_number(path: str) -> int | None:
    try:
        text = Path(path).read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
