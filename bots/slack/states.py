"""Installations that were begun: the state that must come back from Slack, once, within ten minutes."""

from datetime import UTC, datetime

from slack_sdk.oauth.state_store.sqlalchemy import AsyncSQLAlchemyOAuthStateStore
from sqlalchemy import delete

from core.store.database import unavailable_is_store_error

EXPIRES_S = 600


class OnceStates(AsyncSQLAlchemyOAuthStateStore):
    """Bolt's store, in which one state could be used twice at the same moment, and states that nobody used stayed."""

    async def async_issue(self, *args: object, **kwargs: object) -> str:
        """A new state.

        Raises:
            StoreError: the database is away.
        """
        with unavailable_is_store_error():
            async with self.engine.begin() as connection:
                await connection.execute(delete(self.oauth_states).where(self.oauth_states.c.expire_at <= _now()))
            return await super().async_issue(*args, **kwargs)

    async def async_consume(self, state: str) -> bool:
        """Whether this state was issued, is fresh, and was not used before.

        Raises:
            StoreError: the database is away.
        """
        states = self.oauth_states.c
        query = delete(self.oauth_states).where(states.state == state, states.expire_at > _now())
        with unavailable_is_store_error():
            async with self.engine.begin() as connection:
                return (await connection.execute(query)).rowcount == 1


def _now() -> datetime:
    # Naive UTC, as Bolt writes it.
    return datetime.now(UTC).replace(tzinfo=None)
