"""Browsers that are signed in to the console, links that sign in once, and sign-ins that are under way."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core.store.admin_tables import Admin, AdminSession, PendingSignIn, SignInLink
from core.values import new_id

_UNSYNCHRONIZED = {"synchronize_session": False}
_BROWSER_CHARS = 200


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A valid session and whose it is."""

    session: AdminSession
    admin: Admin


class AdminSessionRepository:
    """All by the SHA-256 of what the browser holds. Whatever ends a session removes its row, so it ends at once."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def begin(
        self, token_hash: str, admin_id: str, *, method: str, browser: str, now: datetime, expires_at: datetime
    ) -> AdminSession:
        """Sign a browser in."""
        opened = AdminSession(
            token_hash=token_hash,
            admin_id=admin_id,
            method=method,
            browser=browser[:_BROWSER_CHARS],
            created_at=now,
            seen_at=now,
            expires_at=expires_at,
        )
        self._session.add(opened)
        self._session.flush()
        return opened

    def find(self, token_hash: str, *, now: datetime, seen_since: datetime) -> SignedIn | None:
        """The session, unless it is over, was not seen since then, or its admin was disabled."""
        row = self._session.execute(
            select(AdminSession, Admin)
            .join(Admin, Admin.id == AdminSession.admin_id)
            .where(
                AdminSession.token_hash == token_hash,
                AdminSession.expires_at > now,
                AdminSession.seen_at > seen_since,
                Admin.disabled_at.is_(None),
            )
        ).one_or_none()
        return None if row is None else SignedIn(row[0], row[1])

    def seen(self, session_id: str, now: datetime) -> None:
        """Note that it was used."""
        self._session.execute(
            update(AdminSession)
            .where(AdminSession.id == session_id)
            .values(seen_at=now)
            .execution_options(**_UNSYNCHRONIZED)
        )

    def of_admin(self, admin_id: str) -> list[AdminSession]:
        """His sessions, last used first."""
        mine = select(AdminSession).where(AdminSession.admin_id == admin_id).order_by(AdminSession.seen_at.desc())
        return list(self._session.scalars(mine).all())

    def end(self, session_id: str, admin_id: str) -> bool:
        """End one of an admin's sessions. False: he has no such one."""
        statement = (
            delete(AdminSession)
            .where(AdminSession.id == session_id, AdminSession.admin_id == admin_id)
            .returning(AdminSession.id)
            .execution_options(**_UNSYNCHRONIZED)
        )
        return self._session.execute(statement).first() is not None

    def end_all(self, admin_id: str) -> int:
        """End all of an admin's sessions and links that were not used; how many sessions there were."""
        self._session.execute(
            delete(SignInLink).where(SignInLink.admin_id == admin_id).execution_options(**_UNSYNCHRONIZED)
        )
        statement = delete(AdminSession).where(AdminSession.admin_id == admin_id).returning(AdminSession.id)
        return len(self._session.execute(statement.execution_options(**_UNSYNCHRONIZED)).all())

    def add_link(self, token_hash: str, admin_id: str, expires_at: datetime) -> None:
        """A link that signs this admin in, once."""
        self._session.add(SignInLink(id=new_id(), token_hash=token_hash, admin_id=admin_id, expires_at=expires_at))
        self._session.flush()

    def use_link(self, token_hash: str, now: datetime) -> Admin | None:
        """Whose link it is; it is used up by this. None: there is no such link, or it is too late for it."""
        statement = (
            delete(SignInLink)
            .where(SignInLink.token_hash == token_hash, SignInLink.expires_at > now)
            .returning(SignInLink.admin_id)
            .execution_options(**_UNSYNCHRONIZED)
        )
        admin_id = self._session.scalar(statement)
        if admin_id is None:
            return None
        enabled = select(Admin).where(Admin.id == admin_id, Admin.disabled_at.is_(None))
        return self._session.scalars(enabled).one_or_none()

    def add_pending(self, token_hash: str, data: dict[str, Any], expires_at: datetime) -> None:
        """Remember what must come back from the provider."""
        self._session.add(PendingSignIn(id=new_id(), token_hash=token_hash, data=data, expires_at=expires_at))
        self._session.flush()

    def take_pending(self, token_hash: str, now: datetime) -> dict[str, Any] | None:
        """What was remembered; forgotten by this. None: nothing, or too long ago."""
        statement = (
            delete(PendingSignIn)
            .where(PendingSignIn.token_hash == token_hash, PendingSignIn.expires_at > now)
            .returning(PendingSignIn.data)
            .execution_options(**_UNSYNCHRONIZED)
        )
        return self._session.scalar(statement)

    def purge(self, now: datetime) -> None:
        """Forget whatever is over."""
        for table in (AdminSession, SignInLink, PendingSignIn):
            self._session.execute(delete(table).where(table.expires_at <= now).execution_options(**_UNSYNCHRONIZED))
