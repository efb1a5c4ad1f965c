"""Forgetting a person: his questions, their answers and pictures; see `core.store.erasures` for what stays."""

from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import structlog

from core.conversation.titles import title_of
from core.media.blobs import BlobStore
from core.media.orphans import remove_orphan
from core.store.database import Store
from core.store.models import Erasure

log = structlog.get_logger(__name__)

BATCH = 200


@dataclass(frozen=True, slots=True)
class Erased:
    """What is gone: ids of the turns, and how many conversations and pictures were this person's alone."""

    turn_ids: tuple[str, ...]
    conversations: int
    pictures: int


def erase_person(store: Store, blobs: BlobStore, person_id: str, now: datetime) -> Erased:
    """Erase all that a person asked until now. Synchronous; stop his running turns first, so that no work is wasted.

    A turn that is being answered is erased as well: what its worker writes finds nothing to write to. May be repeated
    after an error, and then erases the rest.

    Raises:
        StoreError: the database is away; what was erased until then stays so and is recorded.
    """
    with store.read() as repositories:
        turn_ids = repositories.erasures.turns_of(person_id)
    with store.write() as repositories:
        erasure_id = repositories.erasures.begin(person_id, now)
    rest = iter(turn_ids)
    while batch := list(islice(rest, BATCH)):
        with store.write() as repositories:
            repositories.erasures.erase(erasure_id, batch, title_of)
    _purge_words(store)
    with store.read() as repositories:
        record = repositories.erasures.get(erasure_id)
    assert record is not None  # we have just written it
    _remove_blobs(store, blobs, record, now)
    log.info("person_erased", turns=record.turns, conversations=record.conversations, pictures=record.pictures)
    return Erased(tuple(turn_ids), record.conversations, record.pictures)


def _purge_words(store: Store) -> None:
    """Until then the index of what can be searched for holds the words of erased turns."""
    more, begin = True, True
    while more:
        with store.write() as repositories:
            more = repositories.erasures.purge_words(begin=begin)
        begin = False


def finish_erasures(store: Store, blobs: BlobStore, now: datetime) -> None:
    """Remove the blobs of erased pictures that were too new when they were erased. To be called now and then.

    Raises:
        StoreError: the database or the blob store is away; the rest is for the next time.
    """
    with store.read() as repositories:
        records = repositories.erasures.unfinished()
    for record in records:
        _remove_blobs(store, blobs, record, now)


def _remove_blobs(store: Store, blobs: BlobStore, record: Erasure, now: datetime) -> None:
    with store.read() as repositories:
        named = repositories.attachments.named(record.blobs_left)
    left = []
    for key in record.blobs_left:
        if key not in named and not remove_orphan(blobs, key, now) and blobs.exists(key):
            left.append(key)
    with store.write() as repositories:
        repositories.erasures.note_blobs(record.id, left, now)
