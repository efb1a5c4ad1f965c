"""How much memory the engine may keep keys, values and features in."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import structlog
import torch

from core.inference.cgroup import memory_left

log = structlog.get_logger(__name__)

MIB = 1024 * 1024
# Of what is free once the weights are loaded. What a step needs is left out on a device before; the rest is for what
# falls between the blocks. A CPU's memory is everybody's.
_SHARE_OF_DEVICE = 0.9
_SHARE_OF_MACHINE = 0.25
# What of it goes where. Running sequences come first; the caches only save work.
_SLOTS, _PREFIXES = 0.6, 0.25


@dataclass(frozen=True, slots=True)
class CacheBudget:
    """Bytes for the slots of running sequences, for finished conversations' keys and values, for pictures' features."""

    slot_bytes: int
    prefix_bytes: int
    picture_bytes: int


def cache_budget(device: torch.device, megabytes: int, step_bytes: int, part: float = 1.0) -> CacheBudget:
    """Divide `megabytes` (`GLIMT_CACHE_MB`), or by default a share of what is free on `device` right now.

    A step takes `step_bytes`: so much is not given away. Where several models share the device each gets its `part`
    (0 to 1), after the weights of all of them are loaded.
    """
    free = free_bytes(device)
    room = max(0, free - step_bytes)
    total = int((megabytes * MIB or share_of(device, free, room)) * part)
    if total > room:
        log.warning("cache_leaves_no_room", cache_mb=total // MIB, step_mb=step_bytes // MIB, free_mb=free // MIB)
    slots, prefixes = int(total * _SLOTS), int(total * _PREFIXES)
    return CacheBudget(slots, prefixes, total - slots - prefixes)


def share_of(device: torch.device, free: int, room: int) -> int:
    """Bytes to take by default where `free` are free, of which a step leaves `room`."""
    return min(room, int(free * _SHARE_OF_MACHINE)) if device.type == "cpu" else int(room * _SHARE_OF_DEVICE)


def budgets(
    devices: Iterable[torch.device], megabytes: int, step_bytes: int, part: float = 1.0
) -> dict[torch.device, CacheBudget]:
    """As `cache_budget`, for a model whose layers are on several devices; `megabytes` are for all of them together."""
    several = list(devices)
    return {device: cache_budget(device, megabytes // len(several), step_bytes, part) for device in several}


def free_bytes(device: torch.device) -> int:
    """Memory that is free on `device`: on a CPU what the system could give, within the cgroup's limit."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free)
    left = memory_left()
    return _meminfo("MemAvailable") if left is None else min(_meminfo("MemAvailable"), left)


def total_bytes(device: torch.device) -> int:
    """Memory that `device` has."""
    return int(torch.cuda.mem_get_info(device)[1]) if device.type == "cuda" else _meminfo("MemTotal")


def _meminfo(name: str) -> int:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        # Not Linux. A modest guess; whoever has more says so with the setting.
        return 4096 * MIB
    kilobytes = next(line.split()[1] for line in lines if line.startswith(f"{name}:"))
    return int(kilobytes) * 1024
