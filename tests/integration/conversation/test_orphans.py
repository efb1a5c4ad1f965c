"""Bytes that no row names are removed, and none that a row names or is about to."""

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core.errors import StoreError
from core.media.blobs import BlobStore
from core.media.orphans import BATCH, sweep_orphans
from core.store.database import Store
from core.values import utc_now
from tests.integration.conversation.asked import Desk, past, photo


def _later(**time: float) -> datetime:
    return utc_now() + timedelta(**time)


def test_what_no_attachment_names_is_removed_after_an_hour(desk: Desk) -> None:
    accepted = desk.accept("Compare.", pictures=(photo("kept"),), history=past(("q", "a", [photo("told")])))
    kept = {photo("kept").picture.key, photo("told").picture.key}
    orphan = desk.blobs.put(b"refused")

    assert sweep_orphans(desk.blobs, desk.store, _later(minutes=59)) == 0
    assert desk.blobs.exists(orphan)
    assert sweep_orphans(desk.blobs, desk.store, _later(minutes=61)) == 1
    assert set(desk.blobs.keys()) == kept
    assert sweep_orphans(desk.blobs, desk.store, _later(days=999)) == 0
    (file,) = desk.turn(accepted).attachments
    assert desk.blobs.get(file.blob_key) == b"kept"


def test_more_than_one_batch_is_looked_through(desk: Desk) -> None:
    desk.accept("one", pictures=(photo("kept"),))
    for n in range(BATCH + 20):
        desk.blobs.put(f"{n}".encode())

    assert sweep_orphans(desk.blobs, desk.store, _later(hours=2)) == BATCH + 20
    assert list(desk.blobs.keys()) == [photo("kept").picture.key]


def test_an_empty_store_is_swept_in_vain(desk: Desk) -> None:
    assert sweep_orphans(desk.blobs, desk.store, _later(hours=2)) == 0


class BusyBlobs(BlobStore):
    """Somebody else is at work just after the rows were looked at."""

    again: bytes | None = None

    def put_at(self, key: str) -> datetime:
        """Before the age is looked at, the same bytes are put again, or another sweep removes them."""
        if self.again is not None:
            self.put(self.again)
        else:
            self.delete(key)
        return super().put_at(key)


@pytest.mark.parametrize("again", [b"asked again", None])
def test_bytes_that_come_again_or_go_meanwhile_are_left_alone(
    sqlite_store: Store, tmp_path: Path, again: bytes | None
) -> None:
    blobs = BusyBlobs(f"file://{tmp_path / 'blobs'}")
    key = blobs.put(b"asked again")
    (file,) = (path for path in (tmp_path / "blobs").rglob("*") if path.is_file())
    os.utime(file, (0, 0))
    blobs.again = again

    assert sweep_orphans(blobs, sqlite_store, utc_now()) == 0
    assert blobs.exists(key) == (again is not None)


def test_while_the_database_is_away_nothing_is_removed(sqlite_store: Store, tmp_path: Path) -> None:
    blobs = BlobStore(f"file://{tmp_path / 'blobs'}")
    key = blobs.put(b"whose?")

    with pytest.raises(StoreError):
        sweep_orphans(blobs, Store("postgresql+psycopg://nobody@127.0.0.1:9/nothing"), _later(hours=2))

    assert blobs.exists(key)
