"""Which workers are there: each writes a key that lives a few seconds."""

import json
from dataclasses import asdict, dataclass, field, fields

from redis import Redis

PREFIX = "glimt:worker:"
LIFETIME_S = 15


@dataclass(frozen=True, slots=True)
class WorkerPresence:
    """One worker process as it last described itself. `slots` is 0 when it takes nothing more.

    `engine` are the numbers of `core.inference.port.EngineStats`. `since` is Unix time; `memory_bytes` what the process
    takes of the machine's memory, 0 where that is not known; `tokens_per_s` those of answers, since it spoke last.
    """

    owner: str
    model: str
    slots: int
    running: int
    engine: dict[str, int] = field(default_factory=dict)
    since: float = 0.0
    memory_bytes: int = 0
    tokens_per_s: float = 0.0


_FIELDS = {one.name for one in fields(WorkerPresence)}


def presence_key(owner: str) -> str:
    """Redis key under which a worker announces itself."""
    return PREFIX + owner


def read_presence(value: bytes | str) -> WorkerPresence:
    """What a worker wrote under its key; one of a later version may say more."""
    said = json.loads(value)
    return WorkerPresence(**{name: said[name] for name in _FIELDS & said.keys()})


def announce_presence(redis: Redis, presence: WorkerPresence) -> None:
    """Say that this worker lives. Repeat it well within `LIFETIME_S` seconds.

    Raises:
        RedisError: Redis is away.
    """
    redis.set(presence_key(presence.owner), json.dumps(asdict(presence)), ex=LIFETIME_S)


def withdraw_presence(redis: Redis, owner: str) -> None:
    """Say that this worker ends.

    Raises:
        RedisError: Redis is away.
    """
    redis.delete(presence_key(owner))


def list_workers(redis: Redis) -> list[WorkerPresence]:
    """All workers that live, by owner.

    Raises:
        RedisError: Redis is away.
    """
    keys = sorted(redis.scan_iter(PREFIX + "*", count=1000))
    # A key may run out between the two commands.
    return [read_presence(value) for value in redis.mget(keys) if value] if keys else []
