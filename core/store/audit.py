"""The audit log: added to and read, never changed; triggers of the database see to that."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.admins import Action
from core.store.admin_tables import AuditEntry
from core.values import new_id, utc_now

PAGE = 100
_ADDRESS_CHARS = 64


class AuditRepository:
    """What admins did, read and searched."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(
        self,
        action: Action,
        *,
        admin_id: str = "",
        admin_name: str = "",
        conversation_id: str = "",
        address: str = "",
        detail: dict[str, Any] | None = None,
    ) -> None:
        """Write one entry. `detail` holds words of the admin's and of ours, none of a conversation."""
        self._session.add(
            AuditEntry(
                id=new_id(),
                at=utc_now(),
                admin_id=admin_id,
                admin_name=admin_name,
                action=action.value,
                conversation_id=conversation_id,
                detail=detail or {},
                address=address[:_ADDRESS_CHARS],
            )
        )
        self._session.flush()

    def list(
        self,
        *,
        admin_name: str = "",
        action: str = "",
        conversation_id: str = "",
        before: str | None = None,
        limit: int = PAGE,
    ) -> tuple[list[AuditEntry], str | None]:
        """Entries, latest first, and where the next page begins (None: nowhere). Empty words ask for nothing."""
        statement = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit + 1)
        if admin_name:
            statement = statement.where(AuditEntry.admin_name == admin_name)
        if action:
            statement = statement.where(AuditEntry.action == action)
        if conversation_id:
            # The second condition is the index's own.
            mine = AuditEntry.conversation_id == conversation_id
            statement = statement.where(mine, AuditEntry.conversation_id != "")
        if before is not None:
            statement = statement.where(AuditEntry.id < before)
        found = list(self._session.scalars(statement).all())
        return found[:limit], found[limit - 1].id if len(found) > limit else None
