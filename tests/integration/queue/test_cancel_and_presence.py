"""Stop reaches whoever has to know; workers say that they are there."""

import json
from dataclasses import asdict

import pytest

from core.queue.cancel import CANCEL_CHANNEL, read_poke, request_cancel
from core.queue.connect import connect
from core.queue.presence import LIFETIME_S, PREFIX, WorkerPresence, announce_presence, list_workers, withdraw_presence
from core.values import TurnState, new_id
from tests.integration.queue.stage import TTL_S, Stage
from tests.processes import PATIENCE_S


def test_a_running_turn_is_poked_and_stays_running_until_its_worker_obeys(stage: Stage) -> None:
    turn_id, _ = stage.running()
    ear = stage.redis.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]  # redis-py has no types here
    ear.subscribe(CANCEL_CHANNEL)
    ear.get_message(timeout=PATIENCE_S)

    state = request_cancel(stage.store, stage.redis, turn_id, TTL_S)

    message = ear.get_message(timeout=PATIENCE_S)
    ear.close()
    assert state is TurnState.RUNNING
    assert message is not None
    assert read_poke(message["data"]) == (turn_id, 1)
    assert stage.turn(turn_id).cancel_requested


@pytest.mark.parametrize("data", [1, b"", b"turn", b"turn:", b"turn:x", b"\xff:\xff"])
def test_a_poke_that_is_none_is_passed_over(data: object) -> None:
    assert read_poke(data) is None


def test_stop_is_kept_in_sql_while_redis_is_away(stage: Stage) -> None:
    waiting, (running, _) = stage.ready(person="bob"), stage.running()
    nowhere = connect("unix:///nowhere/redis.sock")

    assert request_cancel(stage.store, nowhere, waiting, TTL_S) is TurnState.CANCELLED
    assert request_cancel(stage.store, nowhere, running, TTL_S) is TurnState.RUNNING
    assert stage.turn(waiting).state == TurnState.CANCELLED
    assert stage.turn(running).cancel_requested


def test_what_has_ended_or_never_was_is_not_stopped(stage: Stage) -> None:
    turn_id, writer = stage.running()
    stage.end(turn_id, "done", writer)

    assert request_cancel(stage.store, stage.redis, turn_id, TTL_S) is TurnState.ANSWERED
    assert request_cancel(stage.store, stage.redis, new_id(), TTL_S) is None
    assert stage.turn(turn_id).answer == "done"


def test_workers_come_and_go(stage: Stage) -> None:
    assert list_workers(stage.redis) == []
    one, two = (WorkerPresence(f"host:{n}", "demo", 16, n) for n in (1, 2))
    announce_presence(stage.redis, two)
    announce_presence(stage.redis, one)
    announce_presence(stage.redis, one)

    assert list_workers(stage.redis) == [one, two]
    assert stage.redis.ttl(PREFIX + one.owner) in range(1, LIFETIME_S + 1)
    withdraw_presence(stage.redis, one.owner)
    assert list_workers(stage.redis) == [two]


def test_a_worker_of_a_later_version_may_say_more(stage: Stage) -> None:
    one = WorkerPresence("one:1:a", "demo", 2, 1)
    stage.redis.set(PREFIX + one.owner, json.dumps(asdict(one) | {"mood": "good"}))
    assert list_workers(stage.redis) == [one]
