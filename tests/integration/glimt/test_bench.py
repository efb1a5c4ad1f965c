"""`glimt bench service`: its result, and what it must not touch."""

import json
import os
from pathlib import Path

import pytest

from bench.service import _process, _Service, _wait_until_ready
from core.errors import ConfigurationError
from core.queue.embedded import EmbeddedRedis
from core.settings import load_settings
from core.store.database import Store
from core.store.migrate import is_current, upgrade
from core.values import TurnState
from glimt.ports import free_port
from tests.fixtures_db import PostgresServer
from tests.integration.glimt.command import glimt
from tests.integration.store.scene import Scene

FEW = ("bench", "service", "--json", "--turns", "3")


def test_it_prints_its_numbers_as_json_and_leaves_the_configured_database_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'people.db'}"
    upgrade(url)
    store = Store(url)
    scene = Scene(store)
    waiting = scene.ask(scene.thread())
    # What the processes of the measurement would read if they ran here.
    (tmp_path / ".env").write_text(f"DATABASE_URL={url}\nGLIMT_MODEL=/nowhere\n")

    measured = glimt(tmp_path, *FEW)

    assert measured.returncode == 0, measured.stderr
    result = json.loads(measured.stdout)
    for name in ("throughput_vs_celery", "added_latency_p50_ms", "added_latency_p99_ms"):
        assert result[name] > 0, name
    assert (result["turns_per_round"], result["database"]) == (3, "sqlite")
    turn = scene.turn(waiting)
    assert (turn.state, turn.answer, turn.dispatch_again_at) == (TurnState.READY, "", None)
    store.close()


@pytest.mark.load
def test_another_database_is_empty_again_afterwards(postgres_server: PostgresServer, tmp_path: Path) -> None:
    name = postgres_server.create(migrated=False)
    url = postgres_server.url(name)
    try:
        measured = glimt(tmp_path, *FEW, "--database", url)

        assert measured.returncode == 0, measured.stderr
        assert json.loads(measured.stdout)["database"] == "postgresql"
        assert not is_current(url)
    finally:
        postgres_server.drop(name)


def test_a_database_that_holds_anything_is_refused(store: Store, sql_url: str, tmp_path: Path) -> None:
    scene = Scene(store)
    waiting = scene.ask(scene.thread())

    refused = glimt(tmp_path, *FEW, "--database", sql_url)

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("glimt: The database is not empty.")
    assert scene.turn(waiting).state == TurnState.READY


@pytest.mark.parametrize("turns", ["0", "-1"])
def test_a_measurement_needs_turns(tmp_path: Path, turns: str) -> None:
    refused = glimt(tmp_path, "bench", "service", "--turns", turns)

    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--turns" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_service_that_does_not_start_says_why(tmp_path: Path) -> None:
    settings = load_settings(_env_file=None, web_port=free_port("127.0.0.1"))
    with EmbeddedRedis(tmp_path / "s", tmp_path / "redis") as server:
        service = _Service(settings, dict(os.environ), server.client(), tmp_path)
        with _process(service, "-c", "raise SystemExit('this is why')") as broken:
            with pytest.raises(ConfigurationError, match=r"did not start.*\nthis is why"):
                _wait_until_ready(service, [broken])
