"""Erasing people, conversations and messages; see `core.store.erasures` for what stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import structlog

from core.conversation.titles import title_of
from core.errors import NotFound
from core.media.blobs import BlobStore
from core.media.orphans import remove_orphan
from core.store.database import Store
from core.store.erasures import Kind
from core.store.models import Erasure

log = structlog.get_logger(__name__)

BATCH = 200


@dataclass(frozen=True, slots=True)
class Erased:
    """What is gone: ids of the turns, how many conversations went with them, and how many pictures as they were sent.

    `held`: turns that stay, because somebody must keep their conversation.
    """

    turn_ids: tuple[str, ...]
    conversations: int
    pictures: int
    held: int = 0
    # Of the record that says so.
    erasure_id: str = ""


def erase_person(store: Store, blobs: BlobStore, person_id: str, now: datetime) -> Erased:
    """Erase all that a person asked until now. Synchronous; stop his running turns first, so that no work is wasted.

    A turn that is being answered is erased as well: what its worker writes finds nothing to write to. May be repeated
    after an error, and then erases the rest.

    Raises:
        StoreError: the database is away; what was erased until then stays so and is recorded.
    """
    with store.read() as repositories:
        turn_ids, held = repositories.erasures.turns_of(person_id), repositories.erasures.held_of(person_id)
    with store.write() as repositories:
        erasure_id = repositories.erasures.begin_person(person_id, now)
    record = _erase(store, blobs, erasure_id, turn_ids, now)
    log.info("person_erased", turns=record.turns, conversations=record.conversations, pictures=record.pictures)
    return Erased(tuple(turn_ids), record.conversations, record.pictures, held, erasure_id)


def erase_conversation(store: Store, blobs: BlobStore, conversation_id: str, now: datetime) -> Erased:
    """Erase a conversation, whoever asked in it; what is asked there meanwhile stays. As `erase_person`.

    Raises:
        NotFound: there is none, or it is held.
        StoreError: as above.
    """
    with store.write() as repositories:
        conversation = repositories.conversations.get(conversation_id)
        if conversation is None or repositories.retention.hold(conversation_id) is not None:
            raise NotFound
        turn_ids = repositories.erasures.turns_in(conversation_id)
        workspace_id = conversation.workspace_id
        erasure_id = repositories.erasures.begin(
            Kind.CONVERSATION, now, workspace_id=workspace_id, conversation_id=conversation_id
        )
        if not turn_ids:
            repositories.erasures.drop_if_empty(conversation_id)
    record = _erase(store, blobs, erasure_id, turn_ids, now)
    log.info("conversation_erased", turns=record.turns, pictures=record.pictures)
    return Erased(tuple(turn_ids), record.conversations, record.pictures, erasure_id=erasure_id)


def erase_message(store: Store, blobs: BlobStore, turn_id: str, now: datetime) -> bool:
    """Erase one turn, because its message was deleted where it was written; its words leave SQLite's index with the
    next run of retention.

    False: its answer is being brought at this moment, so try again. Neither is it erased where it must be kept.

    Raises:
        StoreError: as above.
    """
    with store.write() as repositories:
        conversation = repositories.erasures.conversation_to_leave(turn_id)
        if conversation is None:
            return True
        if repositories.erasures.is_being_brought(turn_id):
            return False
        erasure_id = repositories.erasures.begin(Kind.MESSAGE, now, workspace_id=conversation.workspace_id)
        repositories.erasures.erase(erasure_id, [turn_id], title_of)
        record = repositories.erasures.get(erasure_id)
    assert record is not None  # we have just written it
    remove_blobs(store, blobs, record, now)
    log.info("message_erased", pictures=record.pictures)
    return True


def finish_erasures(store: Store, blobs: BlobStore, now: datetime) -> None:
    """Remove the blobs of erased pictures that were too new when they were erased. To be called now and then.

    Raises:
        StoreError: the database or the blob store is away; the rest is for the next time.
    """
    with store.read() as repositories:
        records = repositories.erasures.unfinished()
    for record in records:
        remove_blobs(store, blobs, record, now)


def remove_blobs(store: Store, blobs: BlobStore, record: Erasure, now: datetime) -> None:
    """Remove those blobs of an erasure that nobody names any more, but the newest (`core.media.orphans`).

    Raises:
        StoreError: the database or the blob store is away; `finish_erasures` does the rest.
    """
    with store.read() as repositories:
        named = repositories.attachments.named(record.blobs_left)
    left = []
    for key in record.blobs_left:
        if key not in named and not remove_orphan(blobs, key, now) and blobs.exists(key):
            left.append(key)
    with store.write() as repositories:
        repositories.erasures.note_blobs(record.id, left, now)


def _erase(store: Store, blobs: BlobStore, erasure_id: str, turn_ids: Sequence[str], now: datetime) -> Erasure:
    rest = iter(turn_ids)
    while batch := list(islice(rest, BATCH)):
        with store.write() as repositories:
            repositories.erasures.erase(erasure_id, batch, title_of)
    _purge_words(store)
    store.settle()
    with store.read() as repositories:
        record = repositories.erasures.get(erasure_id)
    assert record is not None  # we have just written it
    remove_blobs(store, blobs, record, now)
    return record


def _purge_words(store: Store) -> None:
    """Until then the index of what can be searched for holds the words of erased turns."""
    more, begin = True, True
    while more:
        with store.write() as repositories:
            more = repositories.erasures.purge_words(begin=begin)
        begin = False
