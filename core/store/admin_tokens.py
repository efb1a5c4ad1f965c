"""Tokens of admins, by the SHA-256 of the token."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core.errors import RequestError
from core.store.admin_tables import Admin
from core.store.token_tables import AdminToken
from core.store.upsert import insert_if_new
from core.values import new_id

_UNSYNCHRONIZED: dict[str, Any] = {"synchronize_session": False}


@dataclass(frozen=True, slots=True)
class Bearer:
    """A valid token and whose it is."""

    token: AdminToken
    admin: Admin


class AdminTokenRepository:
    """A token has its admin's role and scope at the moment of its use. Revoking removes its row, so it ends at once."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, admin_id: str, name: str, token_hash: str, *, now: datetime, expires_at: datetime) -> AdminToken:
        """Add a token.

        Raises:
            RequestError: the admin has one of this name.
        """
        values = {"id": new_id(), "admin_id": admin_id, "name": name, "token_hash": token_hash, "created_at": now}
        values |= {"expires_at": expires_at}
        token = insert_if_new(self._session, AdminToken, values, ("admin_id", "name"))
        if token is None:
            raise RequestError(user_message=f"You have a token named “{name}”. Choose another name, or end that one.")
        return token

    def find(self, token_hash: str, *, now: datetime) -> Bearer | None:
        """The token, unless it is over or its admin was disabled."""
        row = self._session.execute(
            select(AdminToken, Admin)
            .join(Admin, Admin.id == AdminToken.admin_id)
            .where(AdminToken.token_hash == token_hash, AdminToken.expires_at > now, Admin.disabled_at.is_(None))
        ).one_or_none()
        return None if row is None else Bearer(row[0], row[1])

    def used(self, token_id: str, now: datetime) -> None:
        """Note that it was used."""
        statement = update(AdminToken).where(AdminToken.id == token_id).values(last_used_at=now)
        self._session.execute(statement.execution_options(**_UNSYNCHRONIZED))

    def of_admin(self, admin_id: str) -> list[AdminToken]:
        """His tokens, expired ones too, by name."""
        mine = select(AdminToken).where(AdminToken.admin_id == admin_id).order_by(AdminToken.name)
        return list(self._session.scalars(mine, execution_options={"populate_existing": True}).all())

    def end_all(self, admin_id: str) -> int:
        """End all tokens of an admin; how many there were."""
        mine = delete(AdminToken).where(AdminToken.admin_id == admin_id).returning(AdminToken.id)
        return len(self._session.scalars(mine.execution_options(**_UNSYNCHRONIZED)).all())

    def revoke(self, token_id: str, admin_id: str) -> str | None:
        """End one of an admin's tokens; its name. None: he has no such one."""
        mine = delete(AdminToken).where(AdminToken.id == token_id, AdminToken.admin_id == admin_id)
        return self._session.scalar(mine.returning(AdminToken.name).execution_options(**_UNSYNCHRONIZED))
