"""What the console's pages stand on, opened once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass

from redis import Redis

from core.media.blobs import BlobStore
from core.queue.connect import connect, connect_async
from core.queue.follow import StreamHub
from core.settings import Settings
from core.store.database import Store
from serving.picture_reader import PictureReader

# For SQL, blobs, thumbnails and passwords. Few people review at once.
THREADS = 8


@dataclass(frozen=True, slots=True)
class Services:
    """Shared parts. The synchronous ones are called through `asyncio.to_thread`."""

    settings: Settings
    store: Store
    blobs: BlobStore
    hub: StreamHub
    redis: Redis
    pictures: PictureReader


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """Connect to SQL and Redis; both may be away at first, requests then fail one by one."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="console"))
    store = Store(settings.sql_url, pool_size=THREADS)
    redis, sync_redis = connect_async(settings.queue_url), connect(settings.queue_url)
    pictures = PictureReader(settings)
    try:
        async with StreamHub(redis, store) as hub:
            yield Services(settings, store, BlobStore(settings.blob_store_url), hub, sync_redis, pictures)
    finally:
        with contextlib.suppress(Exception):
            await redis.aclose()
        await asyncio.to_thread(pictures.close)
        sync_redis.close()
        store.close()
