"""The audit log: added to and read, never changed; triggers of the database see to that."""

from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.admins import Action
from core.store.admin_tables import AuditEntry
from core.values import new_id, utc_now

PAGE = 100
_ADDRESS_CHARS = 64
# Of migrations 0011 and 0014.
_SQLITE = {
    "audit_log_no_update",
    "audit_log_no_delete",
    "audit_removals_floor",
    "audit_removals_no_update",
    "audit_removals_no_delete",
}
_POSTGRESQL = {
    "audit_log_append_only",
    "audit_log_no_delete",
    "audit_removals_floor",
    "audit_removals_append_only",
}


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
        person_id: str = "",
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
                person_id=person_id,
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
        person_id: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        before: str | None = None,
        limit: int = PAGE,
    ) -> tuple[list[AuditEntry], str | None]:
        """Entries, latest first, and where the next page begins (None: nowhere). Empty words ask for nothing.

        From `since` on, and before `until`.
        """
        statement = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit + 1)
        if admin_name:
            statement = statement.where(AuditEntry.admin_name == admin_name)
        if action:
            statement = statement.where(AuditEntry.action == action)
        # The second condition is the index's own.
        if conversation_id:
            statement = statement.where(AuditEntry.conversation_id == conversation_id, AuditEntry.conversation_id != "")
        if person_id:
            statement = statement.where(AuditEntry.person_id == person_id, AuditEntry.person_id != "")
        # Ids begin with the time.
        if since is not None:
            statement = statement.where(AuditEntry.id >= _first_id(since))
        if until is not None:
            statement = statement.where(AuditEntry.id < _first_id(until))
        if before is not None:
            statement = statement.where(AuditEntry.id < before)
        found = list(self._session.scalars(statement).all())
        return found[:limit], found[limit - 1].id if len(found) > limit else None

    def guarded(self) -> bool:
        """Whether the database still refuses to change entries, and to remove others than old ones: its triggers are
        there.
        """
        if self._session.get_bind().dialect.name == "sqlite":
            known = text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            return set(self._session.scalars(known)) >= _SQLITE
        known = text("SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A')")
        return set(self._session.scalars(known)) >= _POSTGRESQL


def _first_id(at: datetime) -> str:
    """Not above any id of that moment."""
    return f"{max(0, int(at.timestamp() * 1000)):012x}"
