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
    with store.write() as repositories:
        left = repositories.turns.hand_over(conversation_id, now)
        running = repositories.turns.open_of(conversation_id)
    for turn_id, attempt in left:
        write_end(redis, turn_id, attempt, ttl_s)
    for turn in running:
        request_cancel(store, redis, turn.id, ttl_s)
    return changed


def release(store: Store, conversation_id: str) -> bool:
    """The model answers again what is asked from now on. False: so it does already, or there is none."""
    with store.write() as repositories:
        return repositories.conversations.release(conversation_id)
