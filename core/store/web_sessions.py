"""Browsers that are signed in to the chat page, by the SHA-256 of their cookie."""

from datetime import datetime

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from core.store.models import ApiKey, WebSession
from core.values import new_id


class WebSessionRepository:
    """A session ends by itself, by signing out, or with the key that it was opened with."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, token_hash: str, person_id: str, api_key_id: str | None, expires_at: datetime) -> WebSession:
        """Sign a browser in."""
        web_session = WebSession(
            id=new_id(), token_hash=token_hash, person_id=person_id, api_key_id=api_key_id, expires_at=expires_at
        )
        self._session.add(web_session)
        self._session.flush()
        return web_session

    def by_hash(self, token_hash: str, now: datetime) -> WebSession | None:
        """The session, unless it expired or its key was revoked."""
        return self._session.scalars(
            select(WebSession)
            .outerjoin(ApiKey, ApiKey.id == WebSession.api_key_id)
            .where(
                WebSession.token_hash == token_hash,
                WebSession.expires_at > now,
                or_(WebSession.api_key_id.is_(None), ApiKey.revoked_at.is_(None)),
            )
        ).one_or_none()

    def delete(self, token_hash: str) -> None:
        """Sign a browser out."""
        self._session.execute(
            delete(WebSession).where(WebSession.token_hash == token_hash).execution_options(synchronize_session=False)
        )

    def purge(self, now: datetime) -> int:
        """Forget the sessions that expired; how many there were."""
        statement = (
            delete(WebSession)
            .where(WebSession.expires_at <= now)
            .returning(WebSession.id)
            .execution_options(synchronize_session=False)
        )
        return len(self._session.scalars(statement).all())
