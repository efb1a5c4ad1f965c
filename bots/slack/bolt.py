"""Bolt: from Slack's requests, over either transport, to the adapter's handlers.

Every handler runs before the acknowledgement (`process_before_response`), so that what Slack believes to be safe is in
SQL. A handler that raises leads to 500 over HTTP and to silence over Socket Mode; both make Slack send the event again.
"""

import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError

from bots.slack.clients import Clients
from core.errors import GlimtError

log = structlog.get_logger(__name__)

_EVERYTHING = re.compile(".*")
Body = dict[str, Any]


class Handlers(Protocol):
    """What is done about each kind of request. `bot_user` is us in that workspace. All may raise to be asked again."""

    async def event(self, team: str, bot_user: str, event: Body, body: Body) -> None:
        """Something happened in the workspace; `body` is the event's envelope."""

    async def command(self, team: str, body: Body) -> None:
        """Somebody typed a slash command."""

    async def shortcut(self, team: str, body: Body) -> None:
        """Somebody used the shortcut of a message."""

    async def action(self, team: str, body: Body) -> None:
        """Somebody pressed a button."""

    async def submission(self, team: str, body: Body) -> None:
        """Somebody sent a form."""


class CannotAuthorize(GlimtError):
    """Slack could not be asked who we are."""

    code = "slack_unauthorized"
    retryable = True


def make_bolt(clients: Clients, handlers: Handlers, signing_secret: str) -> AsyncApp:
    """The Bolt app. `signing_secret` is empty where only Socket Mode is used."""

    async def authorize(team_id: str | None) -> AuthorizeResult | None:
        try:
            installed = await clients.tokens_for(team_id or "")
        except SlackApiError as error:
            # Bolt would acknowledge the event and drop it.
            raise CannotAuthorize(str(error.response.get("error"))) from error
        if installed is None:
            log.info("slack_workspace_not_served", team=team_id)
            return None
        return AuthorizeResult(
            enterprise_id=None,
            team_id=team_id,
            bot_user_id=installed.bot_user,
            bot_id=installed.bot_id,
            bot_token=installed.bot_token,
        )

    # Bolt gives its many loggers the level of the root logger, or of the one that it gets. On DEBUG they write bodies,
    # and warnings quote requests that nobody listens to.
    quiet = logging.getLogger("slack_bolt.glimt")
    quiet.setLevel(logging.ERROR)
    app = AsyncApp(
        name="glimt",
        logger=quiet,
        process_before_response=True,
        signing_secret=signing_secret,
        client=clients.bare(),
        authorize=authorize,  # type: ignore[arg-type]  # Bolt does take None: not installed there
        attaching_conversation_kwargs_enabled=False,
    )

    async def on_event(body: Body, event: Body, context: dict[str, Any]) -> None:
        await handlers.event(_team(context), context.get("bot_user_id") or "", event, body)

    def before_ack(handle: Callable[[str, Body], Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        async def listen(body: Body, context: dict[str, Any], ack: AsyncAck) -> None:
            await handle(_team(context), body)
            await ack()

        return listen

    app.event(_EVERYTHING)(on_event)
    app.command(_EVERYTHING)(before_ack(handlers.command))
    app.shortcut(_EVERYTHING)(before_ack(handlers.shortcut))
    app.action(_EVERYTHING)(before_ack(handlers.action))
    app.view(_EVERYTHING)(before_ack(handlers.submission))
    return app


def _team(context: dict[str, Any]) -> str:
    """The workspace that has the app and for which the request is: in a channel that is shared with others, Bolt finds
    it in places that differ by the kind of request; people of other workspaces act there, too."""
    return str(context.get("team_id") or "")
