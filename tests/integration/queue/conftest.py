"""One real Valkey for all tests of the queue that do not break it, emptied before each."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from core.queue.connect import connect
from core.queue.embedded import EmbeddedRedis
from core.store.database import Store
from tests.integration.queue.stage import Stage


@pytest.fixture(scope="session")
def queue_server() -> Iterator[EmbeddedRedis]:
    # Not under pytest's folder: a path to a Unix socket must stay short.
    with tempfile.TemporaryDirectory(prefix="glimt-redis-") as folder:
        with EmbeddedRedis(Path(folder) / "redis.sock", Path(folder)) as server:
            yield server


@pytest.fixture
def redis(queue_server: EmbeddedRedis) -> Iterator[Redis]:
    """A client of an empty server."""
    client = connect(queue_server.url)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def stage(sqlite_store: Store, redis: Redis, queue_server: EmbeddedRedis) -> Stage:
    """Turns in SQL and their streams; the test itself is the worker."""
    return Stage(sqlite_store, redis, queue_server.url)
