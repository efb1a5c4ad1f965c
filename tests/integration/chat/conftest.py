"""One real Valkey for all tests of what chat platforms share."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.queue.embedded import EmbeddedRedis
from tests.integration.chat.office import Opened, office


@pytest.fixture(scope="package")
def chat_redis() -> Iterator[EmbeddedRedis]:
    # Not under pytest's folder: a path to a Unix socket must stay short.
    with tempfile.TemporaryDirectory(prefix="glimt-redis-") as folder:
        with EmbeddedRedis(Path(folder) / "redis.sock", Path(folder)) as server:
            yield server


@pytest.fixture
def opened(tmp_path: Path, sqlite_url: str, chat_redis: EmbeddedRedis) -> Opened:
    """Opens the services of one bots process; called again, those of the next."""
    return lambda: office(tmp_path, sqlite_url, chat_redis.url)
