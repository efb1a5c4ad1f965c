"""Heartbeats keep what this worker is working on, and nothing else."""

import pytest

from core.settings import Settings, load_settings
from core.store.database import Store
from tests.integration.store.scene import LEASE_S, Scene, after
from worker.held import HeldTurns, Stop
from worker.leases import LeaseKeeper

OWNER = "w1"


@pytest.fixture
def scene(store: Store) -> Scene:
    return Scene(store)


@pytest.fixture
def settings() -> Settings:
    return load_settings(_env_file=None)


def running(scene: Scene, name: str) -> str:
    turn_id = scene.ask(scene.thread(name))
    scene.run(turn_id, OWNER)
    return turn_id


def test_a_row_that_no_thread_holds_is_left_to_the_reaper(scene: Scene, settings: Settings) -> None:
    held = HeldTurns(lambda _: None)
    orphan, working = running(scene, "orphan"), running(scene, "working")
    held.add(working, 1)

    LeaseKeeper(scene.store, held, OWNER, settings).beat()

    assert scene.turn(orphan).lease_until == after(LEASE_S)
    assert scene.turn(working).lease_until != after(LEASE_S)


def test_a_lost_attempt_is_told_and_the_next_one_goes_on(scene: Scene, settings: Settings) -> None:
    cancelled: list[str] = []
    held = HeldTurns(cancelled.append)
    turn_id = running(scene, "thread")
    first = held.add(turn_id, 1)
    with scene.store.write() as repositories:
        repositories.turns.give_back(turn_id, OWNER, 1, after(1))
    assert scene.run(turn_id, OWNER, at=2) == 2
    second = held.add(turn_id, 2)

    LeaseKeeper(scene.store, held, OWNER, settings).beat()

    assert (first.stop, second.stop) == (Stop.LOST, None)
    assert cancelled == [f"{turn_id}:1"]


def test_a_stop_that_comes_too_late_for_its_attempt_does_nothing() -> None:
    cancelled: list[str] = []
    held = HeldTurns(cancelled.append)
    held.remove(held.add("turn", 1))
    second = held.add("turn", 2)

    held.stop("turn", 1, Stop.LOST)

    assert (second.stop, cancelled, held.attempts()) == (None, [], {("turn", 2)})


def test_the_end_of_a_lost_attempt_leaves_the_next_one_held() -> None:
    held = HeldTurns(lambda _: None)
    first, _ = held.add("turn", 1), held.add("turn", 2)

    held.remove(first)

    assert held.attempts() == {("turn", 2)}
    assert not held.wait_until_empty(0)


def test_a_wish_to_stop_that_the_poke_did_not_bring_is_found(scene: Scene, settings: Settings) -> None:
    held = HeldTurns(lambda _: None)
    turn_id = running(scene, "thread")
    holding = held.add(turn_id, 1)
    with scene.store.write() as repositories:
        repositories.turns.request_cancel(turn_id, after(1))

    LeaseKeeper(scene.store, held, OWNER, settings).beat()

    assert holding.stop is Stop.CANCELLED
