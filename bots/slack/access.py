"""What the adapter needs before it can speak to any workspace: tokens, and the ways in and out of many workspaces."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from fastapi import FastAPI
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.ext.asyncio import AsyncEngine

from bots.services import Services
from bots.slack.authorize import WorkspaceTokens
from bots.slack.installations import SealedInstallations
from bots.slack.oauth import mount_installation
from bots.slack.seal import Seal
from bots.slack.uninstall import Uninstaller
from core.settings import Settings
from core.store.async_engine import open_async_engine

TIMEOUT_S = 15


@dataclass(frozen=True, slots=True)
class Access:
    """`tokens` is a `clients.TokensFor`. `installations` is None where no workspace can install the app."""

    settings: Settings
    client: AsyncWebClient
    tokens: WorkspaceTokens
    installations: SealedInstallations | None
    engine: AsyncEngine | None

    def mount(self, app: FastAPI) -> None:
        """Serve the addresses at which workspaces install the app, if they can.

        Raises:
            ConfigurationError: GLIMT_PUBLIC_URL is empty.
        """
        if self.installations is not None and self.engine is not None:
            mount_installation(app, self.settings, self.client, self.engine, self.installations, self.tokens)

    def uninstaller(self, services: Services) -> Uninstaller:
        """Cleans up when a workspace removes the app."""
        return Uninstaller(services, self.tokens, self.installations)


@asynccontextmanager
async def open_access(settings: Settings, session: aiohttp.ClientSession) -> AsyncIterator[Access]:
    """Open the door to the stored installations; it closes with the block. `session` is the caller's to close.

    Raises:
        ConfigurationError: the database's address is wrong.
    """
    client = AsyncWebClient(
        base_url=settings.slack_api_url,
        timeout=TIMEOUT_S,
        session=session,
        retry_handlers=[AsyncRateLimitErrorRetryHandler(max_retry_count=2)],
    )
    if not settings.slack_client_id:
        yield Access(settings, client, WorkspaceTokens(settings, client, None), None, None)
        return
    engine = open_async_engine(settings.sql_url)
    try:
        installations = SealedInstallations(settings.slack_client_id, engine, Seal(settings.slack_sealing_keys))
        yield Access(settings, client, WorkspaceTokens(settings, client, installations), installations, engine)
    finally:
        await engine.dispose()
