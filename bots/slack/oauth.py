"""Many workspaces: `GET /slack/install` sends people to Slack, `GET /slack/oauth_redirect` takes what they bring back.

Bolt's flow does the work; the pages, the allow-list and the log lines are ours.
"""

import html
import logging
from urllib.parse import urljoin

import structlog
from fastapi import FastAPI
from slack_bolt import BoltResponse
from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_bolt.error import BoltError
from slack_bolt.oauth.async_callback_options import AsyncCallbackOptions, AsyncFailureArgs, AsyncSuccessArgs
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request
from starlette.responses import Response

from bots.slack.authorize import WorkspaceTokens
from bots.slack.installations import SealedInstallations
from bots.slack.manifest import BOT_SCOPES, INSTALL_PATH, REDIRECT_PATH
from bots.slack.page import HEADERS, page
from bots.slack.states import EXPIRES_S, OnceStates
from core.errors import ConfigurationError
from core.settings import Settings
from core.slack_settings import SLACK_API_URL

log = structlog.get_logger(__name__)

# Bolt logs the codes and states that it refuses; what an operator needs of that, this file logs.
_quiet = logging.getLogger("slack_bolt.glimt_oauth")
_quiet.setLevel(logging.CRITICAL)
_WHY = {
    "access_denied": "You did not allow it. Nothing was installed.",
    "invalid_browser": "This is not the browser in which the installation was begun, or its cookie is gone.",
    "invalid_state": "The installation took longer than ten minutes, or this page was opened twice.",
    "missing_code": "Slack sent no code along.",
    "invalid_code": "Slack did not confirm the installation.",
    "not_allowed": "This installation of Glimt does not serve your workspace. Its admin can add it to "
    "GLIMT_SLACK_WORKSPACES.",
    "organisation": "Glimt is installed into one workspace at a time, not into a whole organisation. Choose a "
    "workspace at the top right of Slack's page.",
}


class _NotWanted(BoltError):
    """The workspace is not taken; `reason` is one of `_WHY`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Flow(AsyncOAuthFlow):
    """Bolt's flow, for the workspaces that this installation serves."""

    allowed: frozenset[str]
    tokens: WorkspaceTokens

    async def store_installation(self, request: AsyncBoltRequest, installation: Installation) -> None:
        """Keep it.

        Raises:
            _NotWanted: the workspace is not taken; its token is given back.
            StoreError: the database is away.
        """
        team = installation.team_id or ""
        reason = ""
        if installation.is_enterprise_install or not team:
            reason = "organisation"
        elif self.allowed and team not in self.allowed:
            reason = "not_allowed"
        if reason:
            try:
                await self.client.auth_revoke(token=installation.bot_token or "")
            except SlackApiError as error:
                log.warning("slack_token_not_given_back", team=team, error=error.response.get("error"))
            raise _NotWanted(reason)
        await super().store_installation(request, installation)
        self.tokens.forget(team)
        log.info("slack_installed", team=team, by=installation.user_id)


def mount_installation(
    app: FastAPI,
    settings: Settings,
    client: AsyncWebClient,
    engine: AsyncEngine,
    installations: SealedInstallations,
    tokens: WorkspaceTokens,
) -> None:
    """Serve both addresses. `client` has no token and speaks to `settings.slack_api_url`.

    Raises:
        ConfigurationError: GLIMT_PUBLIC_URL is empty, so Slack could not send anybody back.
    """
    if not settings.public_url:
        raise ConfigurationError(
            f"SLACK_CLIENT_ID needs GLIMT_PUBLIC_URL: Slack sends people back to GLIMT_PUBLIC_URL{REDIRECT_PATH}"
        )
    flow = _Flow(
        client=client,
        logger=_quiet,
        settings=AsyncOAuthSettings(
            client_id=settings.slack_client_id,
            client_secret=settings.slack_client_secret.get_secret_value(),
            scopes=BOT_SCOPES,
            redirect_uri=settings.public_url.rstrip("/") + REDIRECT_PATH,
            install_path=INSTALL_PATH,
            redirect_uri_path=REDIRECT_PATH,
            # Straight on to Slack, whose page says what is asked for.
            install_page_rendering_enabled=False,
            callback_options=AsyncCallbackOptions(success=_succeeded, failure=_failed),
            authorization_url=_authorization_url(settings.slack_api_url),
            installation_store=installations,
            state_store=OnceStates(EXPIRES_S, engine, _quiet),
            state_expiration_seconds=EXPIRES_S,
            logger=_quiet,
        ),
    )
    flow.allowed = frozenset(settings.slack_workspaces)
    flow.tokens = tokens

    @app.get(INSTALL_PATH)
    async def install(request: Request) -> Response:
        return to_starlette_response(await flow.handle_installation(to_async_bolt_request(request, b"")))

    @app.get(REDIRECT_PATH)
    async def come_back(request: Request) -> Response:
        return to_starlette_response(await flow.handle_callback(to_async_bolt_request(request, b"")))


def _authorization_url(api_url: str) -> str:
    if api_url == SLACK_API_URL:
        return "https://slack.com/oauth/v2/authorize"
    return urljoin(api_url, "/oauth/v2/authorize")


async def _succeeded(args: AsyncSuccessArgs) -> BoltResponse:
    team = html.escape(args.installation.team_name or args.installation.team_id or "")
    link = html.escape(f"https://app.slack.com/client/{args.installation.team_id}")
    return _page(
        args.settings,
        200,
        "Glimt is installed",
        f"<p>It now answers questions about pictures in <b>{team}</b>. Write to it directly, mention it in a channel, "
        f'or type /glimt help.</p><p><a href="{link}">Open Slack</a></p>',
    )


async def _failed(args: AsyncFailureArgs) -> BoltResponse:
    reason = args.error.reason if isinstance(args.error, _NotWanted) else args.reason
    log.warning("slack_not_installed", reason=reason if reason in _WHY else "other")
    status = 403 if isinstance(args.error, _NotWanted) else args.suggested_status_code
    why = _WHY.get(reason, "Slack refused the installation.")
    return _page(
        args.settings,
        status,
        "Glimt was not installed",
        f'<p>{html.escape(why)}</p><p><a href="{INSTALL_PATH}">Try again</a></p>',
    )


def _page(settings: AsyncOAuthSettings, status: int, title: str, body: str) -> BoltResponse:
    return BoltResponse(
        status=status,
        headers={**HEADERS, "Set-Cookie": settings.state_utils.build_set_cookie_for_deletion()},
        body=page(title, body),
    )
