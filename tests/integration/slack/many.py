"""Many workspaces: the app's own addresses, a browser that installs it at the fake Slack, and what is stored."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import httpx
from fastapi import FastAPI

from bots.slack.access import Access, open_access
from bots.slack.authorize import WorkspaceTokens
from bots.slack.clients import Installed
from bots.slack.manifest import INSTALL_PATH
from bots.web import errors
from core.settings import Settings, load_settings
from tests.fakes.slack import FakeSlack, Workspace

PUBLIC_URL = "https://glimt.example.org"
KEY = "k" * 32


def settings_for(fake: FakeSlack, sql_url: str, **changes: Any) -> Settings:
    """Of an installation that any workspace can install."""
    given = {
        "slack_client_id": fake.client_id,
        "slack_client_secret": fake.client_secret,
        "slack_signing_secret": "0123456789abcdef" * 2,
        "slack_token_keys": KEY,
        "slack_api_url": fake.api_url,
        "public_url": PUBLIC_URL,
        "database_url": sql_url,
    }
    return load_settings(_env_file=None, **{**given, **changes})


@dataclass
class Many:
    """What the adapter would have. `tokens` goes by the fake's clock."""

    fake: FakeSlack
    access: Access
    app: FastAPI
    tokens: WorkspaceTokens

    async def get(self, address: str, cookie: str = "") -> httpx.Response:
        """What a browser asks us for."""
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as browser:
            return await browser.get(address, headers={"cookie": cookie} if cookie else {})

    async def begin(self, team: Workspace, user: str = "U0INSTALLER") -> tuple[str, str]:
        """Press Install, allow it at Slack; where that leads, and the cookie."""
        with self.fake.lock:
            self.fake.oauth.installer = (team.id, user)
        sent = await self.get(INSTALL_PATH)
        assert sent.status_code == 302, sent.text
        cookie = sent.headers["set-cookie"].partition(";")[0]
        async with httpx.AsyncClient() as browser:
            agreed = await browser.get(sent.headers["location"])
        assert agreed.status_code == 302, agreed.text
        return agreed.headers["location"], cookie

    async def install(self, team: Workspace) -> httpx.Response:
        """All of it; the page that is shown at the end."""
        back, cookie = await self.begin(team)
        return await self.get(back, cookie)

    async def installed(self, team: Workspace) -> Installed:
        """What the adapter gets to know."""
        found = await self.tokens(team.id)
        assert found is not None
        return found


def asked_for(location: str) -> dict[str, str]:
    """The parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


@asynccontextmanager
async def many(fake: FakeSlack, sql_url: str, **changes: Any) -> AsyncIterator[Many]:
    """Open it, on a database that is there."""
    settings = settings_for(fake, sql_url, **changes)
    async with aiohttp.ClientSession() as session, open_access(settings, session) as access:
        app = FastAPI(openapi_url=None)
        errors.install(app)
        access.mount(app)
        yield Many(
            fake, access, app, WorkspaceTokens(settings, access.client, access.installations, fake.world.clock.now)
        )
