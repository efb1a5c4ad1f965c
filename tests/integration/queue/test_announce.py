"""Announcing ready turns: fair between people, bounded for each, and without Redis as if it had not happened."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from core.queue.announcer import Announcer
from core.queue.celery_app import QUEUE, TASK_ANSWER, make_celery
from core.queue.connect import connect
from core.queue.dispatch import Dispatcher
from core.queue.embedded import EmbeddedRedis
from core.settings import Settings, load_settings
from core.store.database import Store
from core.values import Platform, utc_now
from tests.integration.queue.stage import Stage
from tests.processes import until

MANY = 500


def _settings(url: str, **changes: Any) -> Settings:
    return load_settings(_env_file=None, redis_url=url, **changes)


def _dispatcher(stage: Stage, url: str = "", **changes: Any) -> Dispatcher:
    settings = _settings(url or stage.url, **changes)
    return Dispatcher(stage.store, make_celery(settings), connect(settings.queue_url), settings)


def _announced(redis: Redis) -> list[str]:
    """Ids in the order in which workers will get them. Takes them out, as workers do."""
    ids = []
    while (raw := redis.rpop(QUEUE)) is not None:
        assert isinstance(raw, bytes)
        message = json.loads(raw)
        assert message["headers"]["task"] == TASK_ANSWER
        arguments, keywords, _ = json.loads(b64decode(message["body"]))
        assert keywords == {}
        ids += arguments
    return ids


@pytest.fixture
def stage_on_both(store: Store, redis: Redis, queue_server: EmbeddedRedis) -> Stage:
    """The stage on SQLite and on PostgreSQL."""
    return Stage(store, redis, queue_server.url)


def test_one_persons_flood_holds_back_nobodys_first(stage_on_both: Stage) -> None:
    stage = stage_on_both
    flood = _flood(stage)
    others = [stage.ready(person=name) for name in ("bob", "cy")]

    sent = _dispatcher(stage, parallel_per_person=4).announce(limit=3).sent

    assert sent == 3
    assert _announced(stage.redis) == [flood[0], *others]


def test_a_person_has_only_so_many_turns_announced_or_running(stage_on_both: Stage) -> None:
    stage = stage_on_both
    flood = _flood(stage)
    dispatcher = _dispatcher(stage, parallel_per_person=4)

    assert dispatcher.announce().sent == 4
    assert _announced(stage.redis) == flood[:4]
    for turn_id in flood[:4]:
        stage.claim(turn_id)
    assert dispatcher.announce().sent == 0
    stage.finish(flood[1], "done")
    assert dispatcher.announce().sent == 1
    assert _announced(stage.redis) == [flood[4]]


def _flood(stage: Stage) -> list[str]:
    """Ann asks in many conversations at once."""
    with stage.store.write() as repositories:
        workspace = repositories.people.workspace(Platform.WEB, "local")
        ann = repositories.people.person(workspace.id, "ann")
        threads = [repositories.conversations.get_or_create(workspace.id, f"T{n}", ann.id).id for n in range(MANY)]
        return [repositories.turns.add(thread, ann.id, "q", now=utc_now()).id for thread in threads]


def test_only_the_first_open_turn_of_a_conversation_is_announced(stage: Stage) -> None:
    first, second = (stage.ready(thread="T1", person=name) for name in ("ann", "bob"))
    dispatcher = _dispatcher(stage)

    assert (dispatcher.announce().sent, _announced(stage.redis)) == (1, [first])
    stage.claim(first)
    assert dispatcher.announce().sent == 0
    stage.finish(first, "done")
    assert (dispatcher.announce().sent, _announced(stage.redis)) == (1, [second])


def test_only_the_hinted_people_and_conversations_are_looked_at(stage: Stage) -> None:
    anns, bobs = stage.ready(person="ann"), stage.ready(person="bob")
    dispatcher = _dispatcher(stage)

    dispatcher.announce([stage.turn(bobs).person_id])
    assert _announced(stage.redis) == [bobs]
    dispatcher.announce((), [stage.turn(anns).conversation_id])
    assert _announced(stage.redis) == [anns]


def test_what_was_announced_is_announced_again_only_after_a_while(stage: Stage) -> None:
    turn_id = stage.ready()
    assert _dispatcher(stage).announce().sent == 1
    assert _dispatcher(stage).announce().sent == 0
    assert stage.turn(turn_id).dispatch_count == 1

    with stage.store.write() as repositories:
        repositories.turns.forget_dispatches()
    impatient = _dispatcher(stage, redispatch_s=0.05)
    impatient.announce()

    assert until(lambda: impatient.announce().sent, "it is announced again") == 1
    assert set(_announced(stage.redis)) == {turn_id}


def test_without_redis_the_turns_stay_unmarked(stage: Stage) -> None:
    turn_ids = [stage.ready(person=f"person {n}") for n in range(3)]

    assert _dispatcher(stage, "unix:///nowhere/redis.sock").announce().sent == 0
    assert [stage.turn(turn_id).dispatch_again_at for turn_id in turn_ids] == [None] * 3
    assert _dispatcher(stage).announce().sent == 3
    assert _announced(stage.redis) == turn_ids


def test_a_message_carries_the_turns_id_and_no_words(stage: Stage) -> None:
    turn_id = stage.ready("a secret question", person="secret person", thread="secret thread")
    _dispatcher(stage).announce()

    (raw,) = stage.redis.lrange(QUEUE, 0, -1)
    assert isinstance(raw, bytes)

    assert b"secret" not in raw + b64decode(json.loads(raw)["body"])
    assert _announced(stage.redis) == [turn_id]


def test_the_announcer_serves_what_was_hinted_and_at_its_end_the_rest(stage: Stage) -> None:
    announcer = Announcer(_dispatcher(stage))
    first = stage.ready(person="ann")
    announcer.hint(stage.turn(first).person_id, stage.turn(first).conversation_id)
    until(lambda: stage.turn(first).dispatch_count, "the hint is served")
    rest = [stage.ready(person=f"person {n}") for n in range(20)]
    for turn_id in rest:
        announcer.hint(stage.turn(turn_id).person_id, stage.turn(turn_id).conversation_id)

    announcer.close()

    assert _announced(stage.redis) == [first, *rest]


def test_the_announcer_survives_a_time_without_redis(sqlite_store: Store, tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path / "redis.sock", tmp_path) as server:
        stage = Stage(sqlite_store, server.client(), server.url)
        announcer = Announcer(_dispatcher(stage))
        server.stop()
        lost = stage.ready(person="ann")
        announcer.hint(stage.turn(lost).person_id, stage.turn(lost).conversation_id)
        until(lambda: stage.turn(lost).dispatch_count and stage.turn(lost).dispatch_again_at is None, "it gives up")
        server.start()
        found = stage.ready(person="bob")
        announcer.hint(stage.turn(found).person_id, stage.turn(found).conversation_id)
        announcer.close()

        assert _announced(stage.redis) == [found]
