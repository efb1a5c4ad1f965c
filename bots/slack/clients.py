"""Web API clients, one for each workspace, with the token that its installation gave us."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_client import AsyncWebClient

from core.errors import NotAllowed

TIMEOUT_S = 15
_TRIES = 2


# Whoever repeats one of these after a connection broke may say the same thing twice.
_ONCE = ("chat.startStream", "chat.appendStream", "chat.postMessage", "chat.postEphemeral", "files.completeUpload")


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
                _AfterConnectionError(max_retry_count=_TRIES),
                _AfterServerError(max_retry_count=_TRIES),
                AsyncRateLimitErrorRetryHandler(max_retry_count=_TRIES),
            ],
        )


def _is_repeatable(request: HttpRequest) -> bool:
    return not any(f"/{method}" in request.url for method in _ONCE)


class _AfterConnectionError(AsyncConnectionErrorRetryHandler):
    """The SDK's own, for what may be repeated."""

    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        again = await super()._can_retry_async(state=state, request=request, response=response, error=error)
        return again and _is_repeatable(request)


class _AfterServerError(AsyncServerErrorRetryHandler):
    """The SDK's own, for what may be repeated."""

    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        again = await super()._can_retry_async(state=state, request=request, response=response, error=error)
        return again and _is_repeatable(request)
