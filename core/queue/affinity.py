"""Affinity: a follow-up goes to the worker that holds what was computed of its conversation (docs/adr/0014).

A hint like every message: the worker may be dead, full, or may have forgotten. So the turn is only left to it for a
moment (`GLIMT_AFFINITY_S`), then it is announced to all. Each worker reads the common queue and one of its own.
"""

from collections.abc import Mapping

import structlog
from kombu.entity import Exchange, Queue
from redis import Redis
from redis.exceptions import RedisError
from redis.utils import str_if_bytes

from core.queue.celery_app import QUEUE
from core.queue.presence import presence_key, read_presence

log = structlog.get_logger(__name__)

HOLDER = "glimt:holder:"
# Longer than anybody's prefix is likely to be kept while others ask; wrong guesses cost next to nothing.
HELD_S = 3600
# Messages that nobody reads any more go with their queue: who sends them writes down when.
QUEUE_EXPIRES_S = 60


def own_queue(owner: str) -> Queue:
    """The queue that only this worker reads."""
    return passing_queue(f"{QUEUE}:{owner}")


def passing_queue(name: str) -> Queue:
    """A queue that goes with those who read it. Bound to no exchange, so that nothing of it stays behind in Redis."""
    exchange = Exchange("")  # type: ignore[no-untyped-call]  # kombu is typed in part
    return Queue(name, exchange, routing_key=name, expires=QUEUE_EXPIRES_S)  # type: ignore[no-untyped-call]


def note_holder(redis: Redis, conversation_id: str, owner: str) -> None:
    """Say that this worker is about to hold what is computed of a conversation. Errors are logged, not raised."""
    try:
        redis.set(HOLDER + conversation_id, owner, ex=HELD_S)
    except RedisError as error:
        log.warning("holder_not_noted", error=type(error).__name__)


def find_holders(redis: Redis, follow_ups: Mapping[str, str], running: Mapping[str, int]) -> dict[str, str]:
    """Those of `follow_ups` whose conversation a living worker with a free slot holds: turn → owner.

    `follow_ups` are ids, turn → conversation. `running` is how many turns each owner has; what waits in its own queue
    takes a slot too. Errors are logged, not raised: then nobody holds anything.
    """
    try:
        noted = redis.mget([HOLDER + conversation_id for conversation_id in follow_ups.values()])
        owners = {id: str_if_bytes(owner) for id, owner in zip(follow_ups, noted, strict=True) if owner is not None}
        known = sorted(set(owners.values()))
        free = _free_slots(redis, known, running) if known else {}
    except RedisError as error:
        log.warning("holders_unknown", error=type(error).__name__)
        return {}
    chosen = {}
    for turn_id, owner in owners.items():
        if free.get(owner, 0) > 0:
            free[owner] -= 1
            chosen[turn_id] = owner
    return chosen


def _free_slots(redis: Redis, owners: list[str], running: Mapping[str, int]) -> dict[str, int]:
    pipeline = redis.pipeline(transaction=False)
    for owner in owners:
        pipeline.get(presence_key(owner))
        pipeline.llen(own_queue(owner).name)
    found = pipeline.execute()
    free = {}
    for owner, said, waiting in zip(owners, found[::2], found[1::2], strict=True):
        if said is not None:
            free[owner] = read_presence(said).slots - running.get(owner, 0) - waiting
    return free
