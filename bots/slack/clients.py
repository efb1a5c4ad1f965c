"""Web API clients, one for each workspace, with the token that its installation gave us."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient

from core.errors import NotAllowed

TIMEOUT_S = 15
_TRIES = 2


@dataclass(frozen=True, slots=True)
class Installed:
    """This app in one workspace."""

    bot_token: str
    bot_user: str
    bot_id: str = ""


# Looks the workspace up; None: the app is not installed there (any more), or it is not on the allow-list.
TokensFor = Callable[[str], Awaitable[Installed | None]]


class Clients:
    """Hands out clients; they share one connection pool, which the caller opens and closes."""

    def __init__(self, tokens_for: TokensFor, api_url: str, session: aiohttp.ClientSession) -> None:
        self.tokens_for = tokens_for
        self._api_url = api_url
        self._session = session

    def bare(self) -> AsyncWebClient:
        """A client without a token."""
        return self._client(None)

    async def installed(self, team: str) -> Installed:
        """This app as it is installed in a workspace.

        Raises:
            NotAllowed: it is not.
        """
        installed = await self.tokens_for(team)
        if installed is None:
            raise NotAllowed(f"not installed in {team}")
        return installed

    async def of(self, team: str) -> AsyncWebClient:
        """A client for this workspace. It waits as long as Slack says where it is told that it asks too often.

        Raises:
            NotAllowed: the app is not installed there.
        """
        return self._client((await self.installed(team)).bot_token)

    def _client(self, token: str | None) -> AsyncWebClient:
        return AsyncWebClient(
            token=token,
            base_url=self._api_url,
            timeout=TIMEOUT_S,
            session=self._session,
            retry_handlers=[
                AsyncConnectionErrorRetryHandler(max_retry_count=_TRIES),
                AsyncServerErrorRetryHandler(max_retry_count=_TRIES),
                AsyncRateLimitErrorRetryHandler(max_retry_count=_TRIES),
            ],
        )
