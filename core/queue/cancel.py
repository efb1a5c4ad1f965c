"""Stop: a flag in SQL that the worker obeys, and a poke through Redis so that it obeys at once."""

import structlog
from redis import Redis
from redis.exceptions import RedisError

from core.queue.streams import write_end
from core.store.database import Store
from core.values import TurnState, utc_now

log = structlog.get_logger(__name__)

CANCEL_CHANNEL = "glimt:cancel"


def request_cancel(store: Store, redis: Redis, turn_id: str, ttl_s: int) -> TurnState | None:
    """Cancel a turn that waits, or ask the worker to stop one that runs.

    Returns the state after the request; None if there is no such turn. Without Redis the worker still sees the flag
    at its next heartbeat.
    """
    with store.write() as repositories:
        state = repositories.turns.request_cancel(turn_id, utc_now())
        turn = repositories.turns.get(turn_id)
    if turn is None:
        return None
    if state is TurnState.CANCELLED:
        write_end(redis, turn_id, turn.attempt, ttl_s)
    elif state is TurnState.RUNNING:
        stop_attempt(redis, turn_id, turn.attempt)
    return state


def stop_attempt(redis: Redis, turn_id: str, attempt: int) -> None:
    """Poke whoever answers a turn: that attempt is not wanted any more. Without Redis its next heartbeat tells it."""
    try:
        redis.publish(CANCEL_CHANNEL, f"{turn_id}:{attempt}")
    except RedisError as error:
        log.warning("cancel_poke_failed", turn=turn_id, error=type(error).__name__)


def read_poke(data: object) -> tuple[str, int] | None:
    """(turn id, attempt) that a message of the channel is about; None: it is none of ours.

    With the attempt, so that a poke that comes late cannot stop the answer to *Try again*.
    """
    if not isinstance(data, bytes):
        return None
    turn_id, _, attempt = data.decode(errors="replace").rpartition(":")
    return (turn_id, int(attempt)) if attempt.isdecimal() else None
