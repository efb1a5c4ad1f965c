"""Counting the days that are due, one in each transaction. Several processes may do it at once."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import structlog

from core.store.database import Store

log = structlog.get_logger(__name__)

# Of one round of a worker, so that it is never long at it.
MOST_DAYS = 30


def count_due_days(store: Store, zone: ZoneInfo, now: datetime, *, most: int = MOST_DAYS) -> int:
    """Count the latest `most` days that are due; how many were put down. What is left is for the next round.

    Nobody who writes is held up by the counting itself: it reads one view of the database, and what another process
    put down meanwhile is not overwritten.

    Raises:
        StoreError: the database is away; call again later.
    """
    with store.read() as repositories:
        kept_zone = repositories.rollup.zone()
    if kept_zone != zone.key:
        with store.write() as repositories:
            repositories.rollup.note_zone(zone)
        log.info("numbers_zone", zone=zone.key)
    done = 0
    tried: set[date] = set()
    while len(tried) < most:
        with store.read() as repositories:
            # Read with what is counted, so that version, marks and turns are of one moment.
            due = next((due for due in repositories.rollup.due(zone, now) if due.day not in tried), None)
            if due is None:
                break
            counted = repositories.rollup.count(due.day, zone)
        tried.add(due.day)
        with store.write() as repositories:
            done += repositories.rollup.put(due, counted, zone, now)
    return done


def count_all_again(store: Store, zone: ZoneInfo, now: datetime) -> int:
    """Count every day anew, whatever was counted before; how many days there are.

    Raises:
        StoreError: the database is away; what was counted until then stays so.
    """
    with store.write() as repositories:
        repositories.rollup.forget()
    total = 0
    while done := count_due_days(store, zone, now):
        total += done
    return total
