"""A worker that the database does not answer any more keeps quiet, so that its health check fails."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from structlog.testing import capture_logs

from core.queue.embedded import EmbeddedRedis
from core.queue.presence import WorkerPresence, list_workers, withdraw_presence
from core.settings import load_settings
from core.store.database import Store
from tests.integration.worker.workbench import OWNER, Clock
from worker.presence import PresenceKeeper
from worker.reaper import Reaper

SELF = WorkerPresence(OWNER, "demo", slots=4, running=1)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    with EmbeddedRedis(tmp_path / "s", tmp_path) as server, server.client() as client:
        yield client


def test_presence_ends_with_the_answers_of_the_database(sqlite_store: Store, redis: Redis) -> None:
    settings, clock = load_settings(_env_file=None, lease_s=10), Clock()
    reaper = Reaper(sqlite_store, redis, settings, clock)
    keeper = PresenceKeeper(redis, reaper, lambda: SELF, settings)
    clock.now += 30
    keeper.announce()
    assert list_workers(redis) == [SELF]
    withdraw_presence(redis, OWNER)
    clock.now += 1
    with capture_logs() as logs:
        keeper.announce()
    assert list_workers(redis) == []
    assert logs == [{"event": "database_silent", "seconds": 31, "log_level": "error"}]
    reaper.reap()
    keeper.announce()
    assert list_workers(redis) == [SELF]
