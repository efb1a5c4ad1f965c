"""Erasing what may be running at this moment: stopped first, so that no worker goes on with what nobody will see."""

from redis import Redis

from core.conversation.erasure import Erased, erase_conversation, erase_person
from core.media.blobs import BlobStore
from core.queue.cancel import request_cancel
from core.queue.streams import forget_stream
from core.store.database import Store
from core.values import utc_now


def stop_and_erase_person(store: Store, redis: Redis, blobs: BlobStore, person_id: str, ttl_s: int) -> Erased:
    """Erase everything of a person, here and in Redis. `ttl_s`: how long streams live. As `erase_person`."""
    with store.read() as repositories:
        running = repositories.turns.open_turns_of(person_id)
        kept = set(running) - set(repositories.erasures.turns_of(person_id))
    for turn_id in running:
        if turn_id not in kept:
            request_cancel(store, redis, turn_id, ttl_s)
    erased = erase_person(store, blobs, person_id, utc_now())
    return _without_streams(redis, erased)


def stop_and_erase_conversation(
    store: Store, redis: Redis, blobs: BlobStore, conversation_id: str, ttl_s: int
) -> Erased:
    """Erase a conversation, here and in Redis. As `erase_conversation`."""
    with store.read() as repositories:
        held = repositories.retention.hold(conversation_id) is not None
        running = [] if held else [turn.id for turn in repositories.turns.open_of(conversation_id)]
    for turn_id in running:
        request_cancel(store, redis, turn_id, ttl_s)
    return _without_streams(redis, erase_conversation(store, blobs, conversation_id, utc_now()))


def _without_streams(redis: Redis, erased: Erased) -> Erased:
    for turn_id in erased.turn_ids:
        forget_stream(redis, turn_id)
    return erased
