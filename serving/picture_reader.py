"""Files of strangers → safe pictures, beside the event loop: one reader for all adapters of a bots process."""

import asyncio
import os
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

from core.conversation.inbound import Named, Refused, read_upload
from core.media.limits import PictureLimits
from core.settings import MIB, Settings
from serving.shares import Shares

# Decoded pictures are large (25 megapixels are 75 MB), so few are worked on at once; two at least, so that nobody's
# file keeps everybody else's waiting.
THREADS = max(2, min(4, os.cpu_count() or 1))
# A PDF may take a reader process for 20 seconds.
FILES_OF_ONE_PERSON = 1
KEPT_BYTES = 64 * MIB

Read = tuple[list[Named], list[Refused]]


class PictureReader:
    """Reads uploads in threads of its own, one file of each person at a time.

    A stateless client sends the pictures of its whole history with every question, so the latest results are kept:
    up to `kept_bytes` of re-encoded pictures, by name and content. `read` is what reads one file; it blocks.
    """

    def __init__(
        self,
        settings: Settings,
        kept_bytes: int = KEPT_BYTES,
        read: Callable[[str, bytes, PictureLimits], Read] = read_upload,
    ) -> None:
        self._most_kept = kept_bytes
        self._read = read
        self._limits = PictureLimits.of(settings)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="pictures")
        self._shares = Shares(FILES_OF_ONE_PERSON)
        self._kept: OrderedDict[tuple[str, bytes], list[Named]] = OrderedDict()
        self._kept_bytes = 0

    async def read(self, person: str, name: str, data: bytes) -> Read:
        """The pictures in one file (several for a PDF) of `person`, or why it is refused.

        When cancelled, a file that waits is not read any more. One that is being read is read to its end, which keeps
        its person's share.
        """
        # Not in the threads that read: what is known needs none of them.
        digest = await asyncio.to_thread(lambda: sha256(data).digest())
        key = (name, digest)
        if key in self._kept:
            self._kept.move_to_end(key)
            return list(self._kept[key]), []
        await self._shares.take(person)
        loop = asyncio.get_running_loop()
        reading = self._pool.submit(self._read, name, data, self._limits)
        reading.add_done_callback(lambda _: loop.call_soon_threadsafe(self._shares.give_back, person))
        named, refused = await asyncio.wrap_future(reading)
        if named:
            self._keep(key, named)
        return named, refused

    def close(self) -> None:
        """End the threads; what they are at is finished first."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _keep(self, key: tuple[str, bytes], named: list[Named]) -> None:
        if key not in self._kept:
            self._kept[key] = list(named)
            self._kept_bytes += _size(named)
        while self._kept_bytes > self._most_kept:
            _, oldest = self._kept.popitem(last=False)
            self._kept_bytes -= _size(oldest)


def _size(named: list[Named]) -> int:
    return sum(len(n.picture.data) for n in named)
