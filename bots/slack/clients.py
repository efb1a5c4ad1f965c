"""Web API clients, one for each workspace, with the token that its installation gave us."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import structlog
from slack_sdk.errors import SlackRequestError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bots.slack.file_hosts import FileHosts
from core.errors import NotAllowed

log = structlog.get_logger(__name__)

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
    """Hands out clients; they share one connection pool, which the caller opens and closes. `doubt` is told of each
    workspace whose token Slack has refused."""

    def __init__(
        self,
        tokens_for: TokensFor,
        api_url: str,
        session: aiohttp.ClientSession,
        doubt: Callable[[str], None] | None = None,
    ) -> None:
        self.tokens_for = tokens_for
        self._doubt = doubt
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

    def doubt(self, team: str) -> None:
        """Slack has refused the token of this workspace: look up the next time whether there is another one."""
        if self._doubt is not None:
            self._doubt(team)

    async def respond(self, url: str, message: Mapping[str, Any]) -> None:
        """Say something to whoever has just typed a command or pressed a button, also where we are no member.

        `url` is the `response_url` that came with it; where it is not Slack's, nothing is sent.

        Raises:
            SlackClientError, aiohttp.ClientError, TimeoutError: it did not get through.
        """
        if not FileHosts(self._api_url).knows(url):
            log.warning("slack_response_url_not_slacks")
            return
        webhook = AsyncWebhookClient(url, timeout=TIMEOUT_S, session=self._session)
        answer = await webhook.send_dict({**message, "response_type": "ephemeral", "replace_original": False})
        if answer.status_code != 200:
            raise SlackRequestError(f"response_url: {answer.status_code}")

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
