"""The audit log as a file: CSV for spreadsheets, JSON lines for programs; latest entry first."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

from core.store.admin_tables import AuditEntry
from core.store.database import Store
from core.usage_csv import safe_cell

TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
PAGE = 500
_COLUMNS = ("id", "at", "admin_id", "admin_name", "action", "conversation_id", "person_id", "address", "detail")


def entries_as(kind: str, store: Store, asked: Mapping[str, Any]) -> Iterator[bytes]:
    """The file in pieces, read page by page, so that a long log needs no memory. Blocking.

    Raises:
        StoreError: the database is away; the file ends in the middle.
    """
    if kind == "csv":
        yield _csv([_COLUMNS])
    before: str | None = None
    while True:
        with store.read() as repositories:
            entries, before = repositories.audit.list(**asked, before=before, limit=PAGE)
        rows = [_row(entry) for entry in entries]
        if kind == "csv":
            yield _csv([[_cell(value) for value in row.values()] for row in rows])
        else:
            yield "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode("utf-8", "replace")
        if before is None:
            return


def _row(entry: AuditEntry) -> dict[str, Any]:
    values = {name: getattr(entry, name) for name in _COLUMNS}
    return values | {"at": entry.at.isoformat()}


def _cell(value: Any) -> str:
    return safe_cell(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _csv(rows: Any) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue().encode("utf-8", "replace")
