"""Uploaded bytes → safe pictures, beside the event loop."""

import asyncio
import os
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

from core.conversation.inbound import Named, Refused, read_upload
from core.media.limits import PictureLimits
from core.settings import MIB, Settings

# Decoded pictures are large (25 megapixels are 75 MB), so few are worked on at once.
THREADS = min(4, os.cpu_count() or 1)
KEPT_BYTES = 64 * MIB

Read = tuple[list[Named], list[Refused]]


class PictureReader:
    """Reads uploads in threads of its own.

    A stateless client sends the pictures of its whole history with every question, so the latest results are kept:
    up to `kept_bytes` of re-encoded pictures, by name and content.
    """

    def __init__(self, settings: Settings, kept_bytes: int = KEPT_BYTES) -> None:
        self._most_kept = kept_bytes
        self._limits = PictureLimits.of(settings)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="pictures")
        self._kept: OrderedDict[tuple[str, bytes], list[Named]] = OrderedDict()
        self._kept_bytes = 0

    async def read(self, name: str, data: bytes) -> Read:
        """The pictures in one file (several for a PDF), or why it is refused."""
        loop = asyncio.get_running_loop()
        digest = await loop.run_in_executor(self._pool, lambda: sha256(data).digest())
        key = (name, digest)
        if key in self._kept:
            self._kept.move_to_end(key)
            return list(self._kept[key]), []
        named, refused = await loop.run_in_executor(self._pool, read_upload, name, data, self._limits)
        if named:
            self._keep(key, named)
        return named, refused

    def close(self) -> None:
        """End the threads; what they are at is finished first."""
        self._pool.shutdown(wait=True)

    def _keep(self, key: tuple[str, bytes], named: list[Named]) -> None:
        if key not in self._kept:
            self._kept[key] = list(named)
            self._kept_bytes += _size(named)
        while self._kept_bytes > self._most_kept:
            _, oldest = self._kept.popitem(last=False)
            self._kept_bytes -= _size(oldest)


def _size(named: list[Named]) -> int:
    return sum(len(n.picture.data) for n in named)
