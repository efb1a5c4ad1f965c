"""What the control groups of this process leave it of processors and memory (versions 2 and 1)."""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")


def cpu_quota(root: Path = ROOT, own: Path = OWN) -> float | None:
    """Cores that may be used, by the strictest of the groups around this process; None without a limit."""
    quotas = []
    for folder in _groups("cpu", root, own):
        words = _words(folder / "cpu.max")
        words = words or [*_words(folder / "cpu.cfs_quota_us"), *_words(folder / "cpu.cfs_period_us")]
        # "max" and -1 mean no limit.
        if len(words) == 2 and all(word.isdigit() for word in words) and int(words[1]):
            quotas.append(int(words[0]) / int(words[1]))
    return min(quotas, default=None)


def memory_left(root: Path = ROOT, own: Path = OWN) -> int | None:
    """Bytes until the first of the groups around this process reaches its limit; None without a limit."""
    left = []
    for folder in _groups("memory", root, own):
        limit = _number(folder / "memory.max") or _number(folder / "memory.limit_in_bytes")
        used = _number(folder / "memory.current") or _number(folder / "memory.usage_in_bytes")
        if limit is not None and used is not None:
            left.append(max(0, limit - used + _reclaimable(folder)))
    return min(left, default=None)


def _reclaimable(folder: Path) -> int:
    """Bytes of files that were read and can be dropped: all weights, once a model was loaded."""
    words = _words(folder / "memory.stat")
    sizes = dict(zip(words[::2], words[1::2], strict=False))
    return int(sizes.get("total_inactive_file") or sizes.get("inactive_file") or 0)


def _groups(controller: str, root: Path, own: Path) -> Iterator[Path]:
    """Folders of the group of this process and of those around it. In a container the innermost is often the root."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        lines = []
    version_2 = (root / "cgroup.controllers").exists()
    base, path = (root, "/") if version_2 else (root / controller, "/")
    for line in lines:
        _, controllers, where = line.split(":", 2)
        if (version_2 and not controllers) or (not version_2 and controller in controllers.split(",")):
            path = where
    folder = base / path.strip("/")
    # A container may be told the names of its host, for which it has no folders.
    while folder != base:
        yield folder
        folder = folder.parent
    yield base


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []


def _number(path: Path) -> int | None:
    words = _words(path)
    return int(words[0]) if words and words[0].isdigit() else None
