"""Which workers are there: each writes a key that lives a few seconds."""

import json
from dataclasses import asdict, dataclass

from redis import Redis

PREFIX = "glimt:worker:"
LIFETIME_S = 15


@dataclass(frozen=True, slots=True)
class WorkerPresence:
    """One worker process as it last described itself."""

    owner: str
    model: str
    slots: int
    running: int


def announce_presence(redis: Redis, presence: WorkerPresence) -> None:
    """Say that this worker lives. Repeat it well within `LIFETIME_S` seconds.

    Raises:
        RedisError: Redis is away.
    """
    redis.set(PREFIX + presence.owner, json.dumps(asdict(presence)), ex=LIFETIME_S)


def withdraw_presence(redis: Redis, owner: str) -> None:
    """Say that this worker ends.

    Raises:
        RedisError: Redis is away.
    """
    redis.delete(PREFIX + owner)


def list_workers(redis: Redis) -> list[WorkerPresence]:
    """All workers that live, by owner.

    Raises:
        RedisError: Redis is away.
    """
    keys = sorted(redis.scan_iter(PREFIX + "*", count=100))
    # A key may run out between the two commands.
    return [WorkerPresence(**json.loads(value)) for value in redis.mget(keys) if value] if keys else []
