"""Fetching beside the event loop, within a time that no server can stretch."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from bots.web.openai_api.fetch import Line, PictureHosts
from core.errors import PictureError
from core.settings import Settings

DEADLINE_S = 20.0
# They mostly wait. A name server that hangs holds its thread for longer than the deadline, but only one of these.
THREADS = 16


class Fetcher:
    """Fetches in threads of its own, so that slow servers keep neither SQL nor the reading of pictures waiting."""

    def __init__(self, settings: Settings, deadline_s: float = DEADLINE_S) -> None:
        self._hosts = PictureHosts(settings.picture_hosts)
        self._deadline_s = deadline_s
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="fetch")

    async def fetch(self, url: str, max_bytes: int) -> bytes:
        """The bytes behind `url`. After `deadline_s`, or when cancelled, the connection is cut.

        Raises:
            PictureError: as `PictureHosts.fetch`, and where it takes too long.
        """
        line = Line()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._deadline_s):
                return await loop.run_in_executor(self._pool, self._hosts.fetch, url, max_bytes, line)
        except TimeoutError:
            raise PictureError(user_message="Its server is too slow. Send the picture itself as a data: URL.") from None
        finally:
            line.cut()

    def close(self) -> None:
        """Begin no further fetch. Those under way end with whoever awaits them."""
        self._pool.shutdown(wait=False, cancel_futures=True)
