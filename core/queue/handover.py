"""Handing a conversation over to a human, and back."""

from redis import Redis

from core.queue.cancel import request_cancel
from core.queue.streams import write_end
from core.store.database import Store
from core.values import utc_now


def hand_over(store: Store, redis: Redis, conversation_id: str, ttl_s: int) -> bool:
    """From now on a human answers in this conversation: what waits there is left to him, what runs is stopped.

    False: so it is already, or there is none. May be repeated, should the database go away in the middle.
    """
    now = utc_now()
    with store.write() as repositories:
        changed = repositories.conversations.hand_over(conversation_id, now)
    # In a transaction of its own; see there. From here on nothing new gets ready in this conversation.
    leave_to_human(store, redis, conversation_id, ttl_s)
    return changed


def leave_to_human(store: Store, redis: Redis, conversation_id: str, ttl_s: int) -> None:
    """What waits in a conversation that was handed over is left to a human, what runs is stopped. Changes nothing
    where nothing is open, or a model answers."""
    with store.read() as repositories:
        conversation = repositories.conversations.get(conversation_id)
        is_open = bool(repositories.turns.open_of(conversation_id))
    if conversation is None or conversation.handed_over_at is None or not is_open:
        return
    with store.write() as repositories:
        left = repositories.turns.hand_over(conversation_id, utc_now())
        running = repositories.turns.open_of(conversation_id)
    for turn_id, attempt in left:
        write_end(redis, turn_id, attempt, ttl_s)
    for turn in running:
        request_cancel(store, redis, turn.id, ttl_s)


def release(store: Store, conversation_id: str) -> bool:
    """The model answers again what is asked from now on. False: so it does already, or there is none."""
    with store.write() as repositories:
        return repositories.conversations.release(conversation_id)
