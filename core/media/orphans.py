"""Orphans: blobs that no attachment names, left by refused questions, erased conversations and crashes."""

from datetime import datetime, timedelta
from itertools import islice

import structlog

from core.errors import NotFound
from core.media.blobs import BlobStore
from core.store.database import Store

log = structlog.get_logger(__name__)

# Bytes are put before the rows that name them, and intake takes seconds.
GRACE = timedelta(hours=1)
BATCH = 500


def sweep_orphans(blobs: BlobStore, store: Store, now: datetime) -> int:
    """Remove the blobs that no attachment names and that were not put within the last hour; how many they were.

    May run beside everything else, itself included. The blobs must be of this database alone.

    Raises:
        StoreError: the database or the blob store is away; the rest is for the next time.
    """
    removed = 0
    keys = blobs.keys()
    while batch := list(islice(keys, BATCH)):
        with store.read() as repositories:
            orphans = set(batch) - repositories.attachments.named(batch)
        for key in orphans:
            removed += remove_orphan(blobs, key, now)
    if removed:
        log.info("orphan_blobs_removed", count=removed)
    return removed


def remove_orphan(blobs: BlobStore, key: str, now: datetime) -> bool:
    """Remove a blob that no attachment names; False: it was put within the last hour, or is gone already.

    Raises:
        StoreError: the blob store is away.
    """
    # The age is looked at last: whoever puts the same bytes again, after the rows were looked at, makes them new.
    try:
        old = blobs.put_at(key) < now - GRACE
    except NotFound:
        return False
    if old:
        blobs.delete(key)
    return old
