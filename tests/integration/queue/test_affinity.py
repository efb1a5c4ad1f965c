"""A follow-up is left to the worker that holds its conversation, for a moment and only while it has a slot free."""

import json
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pytest
from redis import Redis

from core.queue.affinity import HELD_S, HOLDER, QUEUE_EXPIRES_S, find_holders, note_holder, own_queue
from core.queue.announcer import Announcer
from core.queue.celery_app import QUEUE, make_celery
from core.queue.connect import connect
from core.queue.dispatch import Announced, Dispatcher
from core.queue.presence import WorkerPresence, announce_presence, withdraw_presence
from core.settings import load_settings
from core.values import new_id
from tests.integration.queue.stage import OWNER, Stage
from tests.processes import until

OWN = own_queue(OWNER).name


def dispatcher(stage: Stage, **chosen: Any) -> Dispatcher:
    settings = load_settings(_env_file=None, redis_url=stage.url, **chosen)
    return Dispatcher(stage.store, make_celery(settings), connect(stage.url), settings)


def waiting(redis: Redis, queue: str = QUEUE) -> list[str]:
    """Ids in a queue, in the order in which a worker will get them."""
    raw = redis.lrange(queue, 0, -1)
    return [json.loads(b64decode(json.loads(message)["body"]))[0][0] for message in reversed(raw)]


def present(stage: Stage, slots: int = 2) -> None:
    announce_presence(stage.redis, WorkerPresence(OWNER, "demo", slots, 0))


def follow_up(stage: Stage, person: str = "ann") -> str:
    """A second question in a conversation that the worker has answered once."""
    thread = new_id()
    first = stage.ready(person=person, thread=thread)
    stage.claim(first)
    note_holder(stage.redis, stage.turn(first).conversation_id, OWNER)
    stage.finish(first, "one")
    return stage.ready(person=person, thread=thread)


def test_a_follow_up_goes_to_its_holder_and_a_new_question_to_all(stage: Stage) -> None:
    present(stage)
    new, second = stage.ready(), follow_up(stage)

    assert dispatcher(stage).announce() == Announced(2, left=(second,))

    assert (waiting(stage.redis, OWN), waiting(stage.redis)) == ([second], [new])


def _is_dead(stage: Stage) -> None:
    withdraw_presence(stage.redis, OWNER)


def _takes_nothing_more(stage: Stage) -> None:
    present(stage, slots=0)


def _is_full(stage: Stage) -> None:
    for _ in range(2):
        stage.claim(stage.ready(person="bob"))


def _has_enough_waiting(stage: Stage) -> None:
    for _ in range(2):
        follow_up(stage, "bob")
    assert len(dispatcher(stage).announce().left) == 2


def _is_forgotten(stage: Stage) -> None:
    for key in stage.redis.scan_iter(HOLDER + "*"):
        stage.redis.delete(key)


@pytest.mark.parametrize("holder", [_is_dead, _takes_nothing_more, _is_full, _has_enough_waiting, _is_forgotten])
def test_a_follow_up_goes_to_all_if_its_holder(stage: Stage, holder: Callable[[Stage], None]) -> None:
    present(stage)
    holder(stage)
    second = follow_up(stage)
    if holder is _is_forgotten:
        holder(stage)

    assert dispatcher(stage).announce() == Announced(1)

    assert waiting(stage.redis) == [second]


def test_affinity_can_be_switched_off(stage: Stage) -> None:
    present(stage)
    second = follow_up(stage)

    assert dispatcher(stage, affinity_s=0).announce() == Announced(1)

    assert waiting(stage.redis) == [second]


def test_a_holder_gets_no_more_than_it_has_slots_for(stage: Stage) -> None:
    present(stage, slots=2)
    asked = [follow_up(stage, f"person {number}") for number in range(3)]

    assert dispatcher(stage).announce() == Announced(3, left=tuple(asked[:2]))

    assert (waiting(stage.redis, OWN), waiting(stage.redis)) == (asked[:2], asked[2:])


def test_what_the_holder_does_not_take_is_announced_to_all_by_the_next_look(stage: Stage) -> None:
    present(stage)
    second = follow_up(stage)
    impatient = dispatcher(stage, affinity_s=0.05)
    assert impatient.announce().left == (second,)

    assert until(lambda: impatient.announce().sent, "it is announced to all") == 1

    assert waiting(stage.redis) == [second]
    assert stage.turn(second).dispatch_count == 2


def test_the_announcer_itself_looks_after_what_was_left(stage: Stage) -> None:
    present(stage)
    taken, left = follow_up(stage), follow_up(stage)
    announcer = Announcer(dispatcher(stage, affinity_s=0.2))
    for turn_id in (taken, left):
        announcer.hint(stage.turn(turn_id).person_id, stage.turn(turn_id).conversation_id)
    until(lambda: stage.redis.llen(OWN) == 2, "both are left to the holder")
    stage.claim(taken)

    until(lambda: waiting(stage.redis), "the other is announced to all")

    announcer.close()
    assert waiting(stage.redis) == [left]


def test_an_attempt_that_was_given_back_goes_to_the_holder_again(stage: Stage) -> None:
    present(stage)
    second = follow_up(stage)
    at = dispatcher(stage)
    at.announce()
    stage.claim(second)
    stage.give_back(second)
    stage.redis.delete(OWN)

    assert at.announce().left == (second,)


def test_nothing_stays_behind_of_a_worker_that_is_gone(stage: Stage) -> None:
    present(stage)
    follow_up(stage)
    dispatcher(stage).announce()
    withdraw_presence(stage.redis, OWNER)

    keys = {key.decode() for key in stage.redis.scan_iter() if OWNER in key.decode() or b"binding" in key}
    assert keys - {"_kombu.binding.glimt", "_kombu.binding.permanent.glimt"} == {OWN}
    assert stage.redis.ttl(OWN) in range(1, QUEUE_EXPIRES_S + 1)
    holders = list(stage.redis.scan_iter(HOLDER + "*"))
    assert [stage.redis.ttl(key) in range(1, HELD_S + 1) for key in holders] == [True]


def test_without_redis_nobody_holds_anything() -> None:
    nowhere = connect("unix:///nowhere/redis.sock")
    note_holder(nowhere, "conversation", OWNER)
    assert find_holders(nowhere, {"turn": "conversation"}, {}) == {}
