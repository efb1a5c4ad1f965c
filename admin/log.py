"""Writing into the audit log what a viewer does, before he is shown anything."""

import asyncio
from typing import Any

from starlette.requests import Request

from admin.door import address_of
from admin.viewer import Viewer
from core.admins import Action
from core.store.database import Repositories, Store


class AuditLog:
    """Adds entries. Where an entry cannot be written, nothing is shown."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def note(
        self, request: Request, viewer: Viewer, action: Action, conversation_id: str = "", **detail: Any
    ) -> None:
        """Write one entry.

        Raises:
            StoreError: it was not written.
        """
        await asyncio.to_thread(self._write, request, viewer, action, conversation_id, detail)

    def _write(
        self, request: Request, viewer: Viewer, action: Action, conversation_id: str, detail: dict[str, Any]
    ) -> None:
        with self._store.write() as repositories:
            add_entry(repositories, request, viewer, action, conversation_id, **detail)


def add_entry(
    repositories: Repositories,
    request: Request,
    viewer: Viewer,
    action: Action,
    conversation_id: str = "",
    **detail: Any,
) -> None:
    """Write one entry in a transaction that does what the entry says. `person_id` in `detail`: whom it is about."""
    person_id = str(detail.pop("person_id", ""))
    repositories.audit.add(
        action,
        admin_id=viewer.admin_id,
        admin_name=viewer.name,
        conversation_id=conversation_id,
        person_id=person_id,
        address=address_of(request),
        detail=detail,
    )
