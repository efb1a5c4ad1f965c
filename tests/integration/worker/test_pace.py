"""What a worker says of itself beside its slots, and that it counts the days that are over."""

from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from core.inference.scripted import Script, ScriptedEngine
from core.queue.celery_app import make_celery
from core.queue.embedded import EmbeddedRedis
from core.queue.presence import list_workers
from core.settings import load_settings
from core.store.database import Store
from core.store.numbers_tables import NumbersDay, NumbersZone
from core.values import Platform, utc_now
from tests.integration.worker.workbench import Clock
from tests.processes import until
from worker.pace import Pace, resident_bytes
from worker.runtime import WorkerRuntime


def test_tokens_a_second_are_those_since_the_last_look() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert pace.look(1000) == 0.0, "there is nothing to compare with"
    clock.now += 4
    assert pace.look(1100) == 25.0
    assert pace.look(1200) == 0.0, "no time has passed"
    clock.now += 2
    assert pace.look(10) == 0.0, "an engine that began anew"


def test_memory_is_what_the_system_says(tmp_path: Path) -> None:
    assert resident_bytes() == pytest.approx(psutil.Process().memory_info().rss, rel=0.2)
    assert resident_bytes(tmp_path / "absent") == 0
    (tmp_path / "odd").write_text("12")
    assert resident_bytes(tmp_path / "odd") == 0


def test_a_worker_counts_the_days_that_are_over_and_says_since_when_it_lives(sqlite_url: str, tmp_path: Path) -> None:
    store = Store(sqlite_url)
    asked = utc_now() - timedelta(days=3)
    with store.write() as repositories:
        workspace = repositories.people.workspace(Platform.WEB, "local")
        person = repositories.people.person(workspace.id, "ann")
        thread = repositories.conversations.get_or_create(workspace.id, "thread", person.id)
        repositories.turns.add(thread.id, person.id, "What is this?", now=asked)

    def counted() -> list[str]:
        with store.read() as repositories:
            return [row.zone for row in repositories.session.query(NumbersDay)]

    with EmbeddedRedis(tmp_path / "s", tmp_path) as server:
        settings = load_settings(
            _env_file=None,
            database_url=sqlite_url,
            redis_url=server.url,
            data_dir=tmp_path,
            timezone="Asia/Shanghai",
        )
        began = utc_now().timestamp()
        runtime = WorkerRuntime(settings, ScriptedEngine(lambda _: Script("x")), make_celery(settings))
        runtime.start()
        try:
            assert set(until(counted, "the days are counted")) == {"Asia/Shanghai"}
            with server.client() as redis:
                (worker,) = until(lambda: list_workers(redis), "it announces itself")
        finally:
            runtime.close()
    assert began - 1 <= worker.since <= utc_now().timestamp()
    assert worker.memory_bytes > 2**20
    with store.read() as repositories:
        assert repositories.session.query(NumbersZone).one().zone == "Asia/Shanghai"
    store.close()
