"""When the reaper takes a turn from its owner, and when it waits for the owner's heartbeat first."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from core.errors import StoreError
from core.queue.connect import connect
from core.settings import Settings, load_settings
from core.store.database import Store
from core.values import Platform, TurnState, new_id, utc_now
from tests.faults.outage import refusing
from tests.fixtures_db import PostgresServer
from tests.integration.worker.workbench import NOWHERE, Clock
from worker.reaper import Reaper


@dataclass
class Scythe:
    """A reaper, its clock, and turns to reap."""

    store: Store
    settings: Settings

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.reaper = Reaper(self.store, connect(NOWHERE), self.settings, self.clock)

    def expired(self) -> str:
        """A running turn whose lease ran out long ago; its id."""
        with self.store.write() as repositories:
            workspace = repositories.people.workspace(Platform.WEB, "local")
            person = repositories.people.person(workspace.id, "ann")
            conversation = repositories.conversations.get_or_create(workspace.id, new_id(), person.id)
            turn = repositories.turns.add(conversation.id, person.id, "?", now=utc_now())
            past = utc_now() - timedelta(hours=1)
            assert repositories.turns.claim(turn.id, "gone", utc_now(), past) is not None
            return turn.id

    def state(self, turn_id: str) -> str:
        with self.store.read() as repositories:
            turn = repositories.turns.get(turn_id)
        assert turn is not None
        return turn.state

    def after(self, seconds: float) -> None:
        """One round, so long after the last."""
        self.clock.now += seconds
        self.reaper.reap()

    def watch(self) -> None:
        """Look in for long enough to be sure of what is seen."""
        for _ in range(4):
            self.after(self.settings.sweep_s)


@pytest.fixture
def settings() -> Settings:
    return load_settings(_env_file=None, lease_s=10, heartbeat_s=1, sweep_s=1)


def test_an_expired_lease_is_reaped_in_the_next_round(store: Store, settings: Settings) -> None:
    scythe = Scythe(store, settings)
    scythe.watch()
    turn_id = scythe.expired()
    scythe.after(settings.sweep_s)
    assert scythe.state(turn_id) == TurnState.READY


def test_who_has_just_started_waits_for_two_heartbeats(store: Store, settings: Settings) -> None:
    scythe = Scythe(store, settings)
    turn_id = scythe.expired()
    scythe.after(0)
    scythe.after(1.9)
    assert scythe.state(turn_id) == TurnState.RUNNING
    scythe.after(0.1)
    assert scythe.state(turn_id) == TurnState.READY


def test_who_was_frozen_waits_for_two_heartbeats(store: Store, settings: Settings) -> None:
    scythe = Scythe(store, settings)
    scythe.watch()
    turn_id = scythe.expired()
    scythe.after(7)
    scythe.after(1)
    assert scythe.state(turn_id) == TurnState.RUNNING
    scythe.after(1)
    assert scythe.state(turn_id) == TurnState.READY


def test_rounds_far_apart_are_no_blindness(store: Store) -> None:
    scythe = Scythe(store, load_settings(_env_file=None, lease_s=10, heartbeat_s=1, sweep_s=30))
    scythe.watch()
    turn_id = scythe.expired()
    scythe.after(30)
    assert scythe.state(turn_id) == TurnState.READY


def test_who_could_not_look_waits_for_two_heartbeats(
    postgresql_url: str, postgres_server: PostgresServer, settings: Settings
) -> None:
    store = Store(postgresql_url)
    scythe = Scythe(store, settings)
    scythe.watch()
    turn_id = scythe.expired()
    with refusing(postgres_server, postgresql_url), pytest.raises(StoreError):
        scythe.after(1)
    assert scythe.reaper.silent_s() == 1
    scythe.after(1)
    scythe.after(1)
    assert scythe.state(turn_id) == TurnState.RUNNING
    scythe.after(1)
    assert scythe.state(turn_id) == TurnState.READY
    assert scythe.reaper.silent_s() == 0
    store.close()


def test_a_turn_that_reaches_its_last_failure_ends(store: Store, tmp_path: Path) -> None:
    scythe = Scythe(store, load_settings(_env_file=None, max_failures=1, data_dir=tmp_path))
    turn_id = scythe.expired()
    scythe.watch()
    scythe.after(3)
    assert scythe.state(turn_id) == TurnState.FAILED
