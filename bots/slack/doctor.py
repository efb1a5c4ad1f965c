"""What `glimt doctor slack` looks at: tokens, scopes, transport, events; and what to click where something is wrong.

Slack shows an app's own settings only to tokens that expire after twelve hours, so whether events are subscribed to and
whether people may write to the app is judged by what has arrived.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bots.chat.checks import Check, Worry, Wrong, last_event, made, unreachable
from bots.slack.installations import SealedInstallations
from bots.slack.manifest import BOT_SCOPES, EVENTS_PATH, INSTALL_PATH
from bots.slack.seal import Seal
from core.settings import Settings
from core.slack_settings import SLACK_API_URL
from core.store.async_engine import open_async_engine
from core.values import Platform

TIMEOUT_S = 10
# Workspaces whose tokens are tried; more would take minutes.
TRIED = 20
_SIGNING_SECRET = re.compile(r"[0-9a-f]{32}")
_SCOPES = 'Under "OAuth & Permissions", "Scopes", add them to the bot token; then "Install App", "Reinstall".'
_BOT_REMEDY: dict[str, str] = {
    "invalid_auth": 'Slack does not know this token. Copy it again: "OAuth & Permissions", "Bot User OAuth Token".',
    "not_authed": 'Slack does not know this token. Copy it again: "OAuth & Permissions", "Bot User OAuth Token".',
    "account_inactive": 'The app was removed from the workspace. "Install App", "Install", and copy the new token.',
    "token_revoked": 'This token was taken back. "Install App", "Reinstall", and copy the new token.',
    "token_expired": "This token has expired: the app rotates its tokens. Make an app without rotation, or use OAuth.",
    "ratelimited": "Slack was asked too often. Try again in a minute.",
}
_APP_REMEDY: dict[str, str] = {
    "invalid_auth": 'Slack does not know this token. "Basic Information", "App-Level Tokens": generate a new one.',
    "not_allowed_token_type": "This is no app-level token; those begin with xapp-.",
    "missing_scope": 'It lacks connections:write. "Basic Information", "App-Level Tokens": generate one that has it.',
}


class SlackDoctor:
    """Makes the checks, one after another; none of them raises, changes anything, or sends a message."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = AsyncWebClient(base_url=settings.slack_api_url, timeout=TIMEOUT_S, retry_handlers=[])
        self._bot: AsyncSlackResponse | None = None

    async def checks(self) -> AsyncIterator[Check]:
        """All that apply to these settings, each as soon as it is done."""
        settings = self._settings
        if not settings.slack_enabled:
            yield Check(
                "slack",
                False,
                "No workspace: neither SLACK_BOT_TOKEN nor SLACK_CLIENT_ID is set. Begin with: glimt slack manifest",
            )
            return
        if settings.slack_bot_token.get_secret_value():
            yield await self._made("slack bot token", self._bot_token)
            if self._bot is not None:
                yield await self._made("slack scopes", self._scopes)
        if settings.slack_socket:
            yield await self._made("slack app token", self._app_token)
        else:
            yield await self._made("slack signing secret", self._signing_secret)
            yield await self._made("slack request address", self._address)
        if settings.slack_client_id:
            yield await self._made("slack workspaces", self._workspaces)
        if settings.slack_channels and self._bot is not None:
            yield await self._made("slack channels", self._channels)
        yield await self._made("slack events", self._events)

    async def _made(self, what: str, check: Callable[[], Awaitable[str]]) -> Check:
        return await made(what, check, self._refused)

    def _refused(self, error: Exception) -> str | None:
        if isinstance(error, SlackApiError):
            return f"Slack says {_code(error)}. {_BOT_REMEDY.get(_code(error), '')}".strip()
        if isinstance(error, (aiohttp.ClientError, TimeoutError, OSError)):
            return unreachable(self._settings.slack_api_url, SLACK_API_URL, "SLACK_API_URL", error)
        return None

    async def _bot_token(self) -> str:
        said = await self._client.auth_test(token=self._settings.slack_bot_token.get_secret_value())
        if not said.get("bot_id"):
            raise Wrong('This is the token of a person. Take the "Bot User OAuth Token".')
        self._bot = said
        team = str(said["team_id"])
        allowed = self._settings.slack_workspaces
        if allowed and team not in allowed:
            raise Wrong(f"It is for workspace {team}, which GLIMT_SLACK_WORKSPACES does not have. Add it there.")
        return f"@{said.get('user')} in {said.get('team')} ({team})"

    async def _scopes(self) -> str:
        assert self._bot is not None
        missing, more = _compared(self._bot)
        if missing:
            raise Wrong(f"Missing: {', '.join(missing)}. {_SCOPES}")
        if more:
            raise Worry(f"all there, and more than Glimt uses: {', '.join(more)}")
        return f"all {len(BOT_SCOPES)}"

    async def _app_token(self) -> str:
        token = self._settings.slack_app_token.get_secret_value()
        try:
            await self._client.apps_connections_open(app_token=token)
        except SlackApiError as error:
            remedy = _APP_REMEDY.get(_code(error), 'Is it on? "Socket Mode", "Enable Socket Mode".')
            raise Wrong(f"Slack says {_code(error)}. {remedy}") from None
        theirs, ours = await self._app_of_bot(), _app_of(token)
        if theirs and ours and theirs != ours:
            raise Wrong(
                f"SLACK_APP_TOKEN is of app {ours}, SLACK_BOT_TOKEN of app {theirs}: take both from the same app."
            )
        return "opens Socket Mode"

    async def _app_of_bot(self) -> str:
        """The app that the bot token is of; empty where Slack does not tell."""
        if self._bot is None:
            return ""
        try:
            said = await self._client.bots_info(
                token=self._settings.slack_bot_token.get_secret_value(), bot=str(self._bot["bot_id"])
            )
        except SlackApiError:
            return ""
        return str((said.get("bot") or {}).get("app_id") or "")

    async def _signing_secret(self) -> str:
        if not _SIGNING_SECRET.fullmatch(self._settings.slack_signing_secret.get_secret_value()):
            raise Wrong(
                'This does not look like one: 32 digits and letters from a to f, under "Basic Information", "App '
                'Credentials", "Signing Secret". (Not the client secret, not the verification token.)'
            )
        return "looks right; the first request of Slack's will tell"

    async def _address(self) -> str:
        public = self._settings.public_url.rstrip("/")
        if not public:
            raise Wrong("GLIMT_PUBLIC_URL is empty: Slack has to reach this installation, by https.")
        if urlsplit(public).scheme != "https":
            raise Wrong(f"GLIMT_PUBLIC_URL must begin with https://; Slack posts to {public}{EVENTS_PATH}.")
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        try:
            async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session:
                async with session.post(public + EVENTS_PATH, data=b"{}", allow_redirects=False) as response:
                    status = response.status
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Worry(
                f"{public}{EVENTS_PATH} does not answer from here ({type(error).__name__}). Is `glimt bots` running, "
                "and does the proxy know the name?"
            ) from None
        if status != 401:
            raise Worry(
                f"{public}{EVENTS_PATH} answers {status} instead of refusing an unsigned request with 401: does the "
                "proxy pass /slack/ on to the bots process, and does that run with these settings?"
            )
        return f"{public}{EVENTS_PATH} is ours, and refuses what is not signed"

    async def _workspaces(self) -> str:
        settings = self._settings
        if not settings.public_url:
            raise Wrong(f"GLIMT_PUBLIC_URL is empty: people install the app at GLIMT_PUBLIC_URL{INSTALL_PATH}.")
        engine = open_async_engine(settings.sql_url)
        try:
            installations = SealedInstallations(settings.slack_client_id, engine, Seal(settings.slack_sealing_keys))
            teams = await installations.teams()
            wrong = [
                trouble for team, name in teams[:TRIED] if (trouble := await self._trouble(installations, team, name))
            ]
        finally:
            await engine.dispose()
        if wrong:
            raise Wrong(f"{len(wrong)} of {len(teams)} cannot be served: {'; '.join(wrong)}")
        install = settings.public_url.rstrip("/") + INSTALL_PATH
        return f"{len(teams)} installed; more at {install}"

    async def _trouble(self, installations: SealedInstallations, team: str, name: str) -> str:
        bot = await installations.of_team(team)
        if bot is None or bot.bot_refresh_token:
            # One that expires may have expired, and is renewed when it is needed.
            return ""
        try:
            said = await self._client.auth_test(token=bot.bot_token)
        except SlackApiError as error:
            return f"{name or team}: {_code(error)}, install it again there"
        missing, _more = _compared(said)
        return f"{name or team}: lacks {', '.join(missing)}, install it again there" if missing else ""

    async def _channels(self) -> str:
        token, wrong = self._settings.slack_bot_token.get_secret_value(), []
        for channel in self._settings.slack_channels:
            try:
                said = await self._client.conversations_info(token=token, channel=channel)
            except SlackApiError as error:
                wrong.append(f"{channel}: {_code(error)}")
                continue
            found = said.get("channel") or {}
            if not (found.get("is_member") or found.get("is_im") or found.get("is_mpim")):
                wrong.append(f"#{found.get('name') or channel}: not a member")
        if wrong:
            name = (self._bot.get("user") if self._bot is not None else "") or "glimt"
            raise Worry(f"{'; '.join(wrong)}. In each of them: /invite @{name}")
        return f"a member of all {len(self._settings.slack_channels)}"

    async def _events(self) -> str:
        last = await last_event(self._settings, Platform.SLACK)
        if not last:
            raise Worry(
                "No question has arrived from Slack yet. With `glimt bots` running, write to the app. If Slack says "
                'that sending messages is turned off: "App Home", "Messages Tab", tick "Allow users to send Slash '
                'commands and messages". If nothing happens: "Event Subscriptions", "Enable Events"; easiest is "App '
                'Manifest" with what `glimt slack manifest` prints.'
            )
        return f"the last question arrived {last}"


def _compared(said: AsyncSlackResponse) -> tuple[list[str], list[str]]:
    """Scopes that the token lacks, and such that Glimt does not use."""
    header = next((v for k, v in said.headers.items() if k.lower() == "x-oauth-scopes"), "")
    has = {scope.strip() for scope in header.split(",") if scope.strip()}
    return sorted(set(BOT_SCOPES) - has), sorted(has - set(BOT_SCOPES))


def _app_of(token: str) -> str:
    """xapp-1-A0123-…: the app's id stands in it."""
    parts = token.split("-")
    return parts[2] if len(parts) > 3 and parts[2].startswith("A") else ""


def _code(error: SlackApiError) -> str:
    response = error.response
    return str(response.get("error") or getattr(response, "status_code", "an error"))
