"""API keys, by the SHA-256 of the key."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.errors import RequestError
from core.store.models import ApiKey
from core.store.upsert import insert_if_new
from core.values import new_id, utc_now


class KeyRepository:
    """Names are unique for ever: a revoked key keeps its name, so that old records stay unambiguous."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, name: str, person_id: str, key_hash: str) -> ApiKey:
        """Add a key.

        Raises:
            RequestError: the name was used before.
        """
        values = {"id": new_id(), "name": name, "person_id": person_id, "key_hash": key_hash}
        key = insert_if_new(self._session, ApiKey, values, ("name",))
        if key is None:
            raise RequestError(user_message=f"There is (or was) a key named {name!r} already. Choose another name.")
        return key

    def by_hash(self, key_hash: str) -> ApiKey | None:
        """The valid key with this hash."""
        return self._session.scalars(
            select(ApiKey).where(ApiKey.key_hash == key_hash, ApiKey.revoked_at.is_(None))
        ).one_or_none()

    def any(self) -> bool:
        """Whether there is a valid key."""
        return self._session.scalar(select(ApiKey.id).where(ApiKey.revoked_at.is_(None)).limit(1)) is not None

    def revoke(self, name: str, now: datetime | None = None) -> bool:
        """Make a key, and the browsers that signed in with it, invalid; False: no valid key of that name."""
        statement = (
            update(ApiKey)
            .where(ApiKey.name == name, ApiKey.revoked_at.is_(None))
            .values(revoked_at=now or utc_now())
            .returning(ApiKey.id)
            .execution_options(synchronize_session=False)
        )
        return self._session.execute(statement).first() is not None

    def touch(self, key_id: str, now: datetime) -> None:
        """Note that the key was used."""
        self._session.execute(
            update(ApiKey)
            .where(ApiKey.id == key_id)
            .values(last_used_at=now)
            .execution_options(synchronize_session=False)
        )

    def list(self) -> Sequence[ApiKey]:
        """All keys, revoked ones too, oldest first."""
        return self._session.scalars(select(ApiKey).order_by(ApiKey.created_at, ApiKey.id)).all()
