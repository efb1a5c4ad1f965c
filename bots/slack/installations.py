"""Installed workspaces: Bolt's stores on our database, with sealed tokens and one row a workspace.

Reads take no write lock. A database that is away is a `StoreError`, as everywhere.
"""

from typing import TypeVar

from slack_sdk.oauth.installation_store import Bot, Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.installation_store.sqlalchemy import AsyncSQLAlchemyInstallationStore
from sqlalchemy import Table, delete, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bots.slack.seal import Seal
from core.errors import ConfigurationError
from core.store.database import READ_ONLY, unavailable_is_store_error

_Entity = TypeVar("_Entity", Bot, Installation)
_SECRETS = ("bot_token", "bot_refresh_token", "user_token", "user_refresh_token", "incoming_webhook_url")


class SealedInstallations(AsyncInstallationStore):
    """The workspaces that installed the app `client_id`. Installations of whole organisations are not taken."""

    def __init__(self, client_id: str, engine: AsyncEngine, seal: Seal) -> None:
        self._client_id = client_id
        self._engine = engine
        self._seal = seal
        self._writing = AsyncSQLAlchemyInstallationStore(client_id, engine)
        self._reading_engine = engine.execution_options(**{READ_ONLY: True})
        self._reading = AsyncSQLAlchemyInstallationStore(client_id, self._reading_engine)

    async def async_save(self, installation: Installation) -> None:
        """Keep an installation in the place of earlier ones of the same workspace.

        Raises:
            StoreError: the database is away.
        """
        sealed = self._sealed(installation, Installation(**installation.to_dict_for_copying()))
        with unavailable_is_store_error():
            await self._writing.async_save(sealed)
        await self._drop_others(self._writing.installations, sealed)
        await self._drop_others(self._writing.bots, sealed)

    async def async_save_bot(self, bot: Bot) -> None:
        """Keep renewed tokens in the place of the old ones.

        Raises:
            StoreError: the database is away.
        """
        sealed = self._sealed(bot, Bot(**bot.to_dict_for_copying()))
        with unavailable_is_store_error():
            await self._writing.async_save_bot(sealed)
        await self._drop_others(self._writing.bots, sealed)

    async def of_team(self, team_id: str) -> Bot | None:
        """The bot of a workspace, whatever organisation it belongs to.

        Raises:
            ConfigurationError: its tokens were sealed with a key that is not there any more.
            StoreError: the database is away.
        """
        bots = self._reading.bots.c
        newest = (
            select(bots.enterprise_id)
            .where(bots.client_id == self._client_id, bots.team_id == team_id)
            .order_by(bots.installed_at.desc())
            .limit(1)
        )
        with unavailable_is_store_error():
            async with self._reading_engine.connect() as connection:
                row = (await connection.execute(newest)).first()
        return None if row is None else await self.async_find_bot(enterprise_id=row.enterprise_id, team_id=team_id)

    async def teams(self) -> list[tuple[str, str]]:
        """Id and name of each workspace, by id.

        Raises:
            StoreError: the database is away.
        """
        bots = self._reading.bots.c
        query = (
            select(bots.team_id, func.max(bots.team_name))
            .where(bots.client_id == self._client_id, bots.team_id.is_not(None))
            .group_by(bots.team_id)
            .order_by(bots.team_id)
        )
        with unavailable_is_store_error():
            async with self._reading_engine.connect() as connection:
                return [(str(row[0]), str(row[1] or "")) for row in await connection.execute(query)]

    async def remove(self, team_id: str) -> bool:
        """Forget a workspace and its tokens; whether it was known.

        Raises:
            StoreError: the database is away.
        """
        removed = 0
        with unavailable_is_store_error():
            async with self._engine.begin() as connection:
                for table in (self._writing.installations, self._writing.bots):
                    ours = (table.c.client_id == self._client_id, table.c.team_id == team_id)
                    removed += (await connection.execute(delete(table).where(*ours))).rowcount
        return removed > 0

    async def async_find_bot(
        self, *, enterprise_id: str | None, team_id: str | None, is_enterprise_install: bool | None = False
    ) -> Bot | None:
        """As Bolt asks for it; see `of_team`."""
        with unavailable_is_store_error():
            found = await self._reading.async_find_bot(
                enterprise_id=enterprise_id, team_id=team_id, is_enterprise_install=is_enterprise_install
            )
        return None if found is None else self._opened(found)

    async def async_find_installation(
        self,
        *,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None = None,
        is_enterprise_install: bool | None = False,
    ) -> Installation | None:
        """As Bolt asks for it."""
        with unavailable_is_store_error():
            found = await self._reading.async_find_installation(
                enterprise_id=enterprise_id,
                team_id=team_id,
                user_id=user_id,
                is_enterprise_install=is_enterprise_install,
            )
        return None if found is None else self._opened(found)

    async def _drop_others(self, table: Table, kept: Bot | Installation) -> None:
        # Bolt adds a row for each installation and finds the newest; tokens that are not needed any more are a risk.
        others = (
            table.c.client_id == self._client_id,
            table.c.enterprise_id == kept.enterprise_id,
            table.c.team_id == kept.team_id,
            table.c.bot_token != kept.bot_token,
        )
        with unavailable_is_store_error():
            async with self._engine.begin() as connection:
                await connection.execute(delete(table).where(*others))

    def _sealed(self, given: _Entity, copy: _Entity) -> _Entity:
        owner = _owner(given)
        for name in _SECRETS:
            secret = getattr(given, name, None)
            if secret:
                setattr(copy, name, self._seal.close(secret, owner))
        return copy

    def _opened(self, found: _Entity) -> _Entity:
        owner = _owner(found)
        for name in _SECRETS:
            sealed = getattr(found, name, None)
            if sealed:
                setattr(found, name, self._seal.open(sealed, owner))
        return found


def _owner(entity: Bot | Installation) -> str:
    if not entity.team_id or entity.is_enterprise_install:
        raise ConfigurationError("Glimt is installed into single workspaces, not into a whole organisation.")
    return entity.team_id
