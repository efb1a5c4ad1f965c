"""What was asked and what it cost, as CSV (RFC 4180): a line for each day, place, person and model."""

import csv
from collections.abc import Iterator
from io import StringIO
from zoneinfo import ZoneInfo

from core.days import days_between
from core.store.database import Store
from core.store.numbers.usage_rows import UsageRow
from core.store.numbers.wanted import WantedNumbers
from core.store.review.scope import ReadScope

# Excel takes a file for UTF-8 only if it begins with it.
BOM = "\ufeff"
COLUMNS = (
    "day",
    "platform",
    "workspace",
    "channel",
    "person",
    "person_name",
    "model",
    "questions",
    "answered",
    "failed",
    "stopped",
    "handed_over",
    "good",
    "bad",
    "prompt_tokens",
    "picture_tokens",
    "cached_tokens",
    "completion_tokens",
    "engine_s",
    "queue_p50_s",
    "queue_p95_s",
    "first_token_p50_s",
    "first_token_p95_s",
    "whole_p50_s",
    "whole_p95_s",
)
# What a spreadsheet takes for the beginning of a formula: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def usage_csv(store: Store, scope: ReadScope, wanted: WantedNumbers, zone: ZoneInfo, *, bom: bool) -> Iterator[str]:
    """The file in pieces, one day at a time, each in a transaction of its own; the first piece is its head.

    Raises:
        StoreError: the database is away; the file ends there.
    """
    yield (BOM if bom else "") + _lines([list(COLUMNS)])
    for day in days_between(wanted.first, wanted.last):
        with store.read() as repositories:
            rows = repositories.numbers(scope).usage(day, wanted, zone)
        if rows:
            yield _lines([[day.isoformat(), *_cells(row)] for row in rows])


def safe_cell(text: str) -> str:
    """A text that no spreadsheet computes: with an apostrophe before what would be a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) or text.startswith("'") else text


def _cells(row: UsageRow) -> list[str]:
    numbers = row.numbers
    texts = (
        row.workspace.platform,
        row.workspace.name or row.workspace.external_id,
        row.place.external_id if row.place is not None else "",
        row.person.external_id if row.person is not None else "",
        row.person_name,
        row.model,
    )
    counts = (
        numbers.questions,
        numbers.answered,
        numbers.failed,
        numbers.cancelled,
        numbers.handed_over,
        numbers.good,
        numbers.bad,
        numbers.prompt_tokens,
        numbers.picture_tokens,
        numbers.cached_tokens,
        numbers.completion_tokens,
    )
    seconds = (*row.queue, *row.first, *row.total)
    return [
        *(safe_cell(text) for text in texts),
        *(str(count) for count in counts),
        f"{numbers.engine_s:.3f}",
        *("" if value is None else f"{value:.3f}" for value in seconds),
    ]


def _lines(rows: list[list[str]]) -> str:
    written = StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    return written.getvalue()
