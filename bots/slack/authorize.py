"""Which token opens which workspace: the one source for events that come in and for answers that go out.

A bot token from the environment opens its own workspace; tokens that workspaces handed over by OAuth are looked up, and
renewed before they expire. Workspaces that the allow-list does not have are not served, whatever tokens there are.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from time import time

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError, SlackTokenRotationError
from slack_sdk.oauth.installation_store import Bot
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.clients import Installed
from bots.slack.installations import SealedInstallations
from core.settings import Settings

log = structlog.get_logger(__name__)

# How long what was looked up is believed. An uninstallation that another process handled is noticed within this time.
BELIEVED_S = 30.0
# Tokens live for twelve hours; from so long before their end on they are renewed.
RENEW_BEFORE_S = 7200.0
# Whether is decided here; the rotator has a clock of its own.
_ALWAYS_MIN = 10**6
# What Slack answers for a token that will never work again.
DEAD_TOKEN = frozenset({"account_inactive", "invalid_auth", "not_authed", "token_expired", "token_revoked"})


@dataclass(frozen=True, slots=True)
class _Believed:
    installed: Installed | None
    until: float


class WorkspaceTokens:
    """Tells what is installed in a workspace (a `clients.TokensFor`), without a request to Slack in the common case.

    `client` has no token and speaks to `settings.slack_api_url`. `installations` is None where no workspace can install
    the app. `clock` tells seconds since 1970.
    """

    def __init__(
        self,
        settings: Settings,
        client: AsyncWebClient,
        installations: SealedInstallations | None,
        clock: Callable[[], float] = time,
    ) -> None:
        self._own_token = settings.slack_bot_token.get_secret_value()
        self._allowed = frozenset(settings.slack_workspaces)
        self._client = client
        self._installations = installations
        self._clock = clock
        self._own_team = ""
        self._believed: dict[str, _Believed] = {}
        # Two events of one workspace must not renew its token at once: Slack takes a refresh token once.
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._rotator = AsyncTokenRotator(
            client_id=settings.slack_client_id,
            client_secret=settings.slack_client_secret.get_secret_value(),
            client=client,
        )

    async def __call__(self, team: str) -> Installed | None:
        """The app in this workspace; None: it is not installed there (any more), or not on the allow-list.

        Raises:
            ConfigurationError: its token was sealed with a key that is not there any more.
            StoreError: the database is away.
            SlackApiError, aiohttp.ClientError, TimeoutError: Slack does not answer.
        """
        if not team or (self._allowed and team not in self._allowed):
            return None
        known = self._believed.get(team)
        if known is not None and self._clock() < known.until:
            return known.installed
        async with self._locks[team]:
            known = self._believed.get(team)
            if known is not None and self._clock() < known.until:
                return known.installed
            looked_up = await self._look_up(team)
            self._believed[team] = looked_up
            return looked_up.installed

    def forget(self, team: str) -> None:
        """Look this workspace up anew the next time."""
        self._believed.pop(team, None)

    async def is_dead(self, token: str) -> bool:
        """Whether Slack says that this token will never work again.

        Raises:
            SlackApiError, aiohttp.ClientError, TimeoutError: Slack does not say.
        """
        try:
            await self._client.auth_test(token=token)
        except SlackApiError as error:
            if error.response.get("error") in DEAD_TOKEN:
                return True
            raise
        return False

    async def _look_up(self, team: str) -> _Believed:
        until = self._clock() + BELIEVED_S
        if self._own_token and self._own_team in ("", team):
            own = await self._own()
            if own is not None and self._own_team == team:
                return _Believed(own, until)
        bot = await self._installations.of_team(team) if self._installations is not None else None
        if bot is None:
            return _Believed(None, until)
        bot = await self._renewed(team, bot)
        if bot is None:
            return _Believed(None, until)
        if bot.bot_token_expires_at is not None:
            until = min(until, float(bot.bot_token_expires_at))
        return _Believed(Installed(bot.bot_token, bot.bot_user_id, bot.bot_id or ""), until)

    async def _own(self) -> Installed | None:
        try:
            said = await self._client.auth_test(token=self._own_token)
        except SlackApiError as error:
            if error.response.get("error") in DEAD_TOKEN:
                log.error("slack_token_refused", error=error.response.get("error"), remedy="glimt doctor slack")
                return None
            raise
        self._own_team = str(said["team_id"])
        return Installed(self._own_token, str(said["user_id"]), str(said.get("bot_id") or ""))

    async def _renewed(self, team: str, bot: Bot) -> Bot | None:
        """`bot` with a token that is good for a while; None: Slack will not give us one any more."""
        assert self._installations is not None
        if bot.bot_token_expires_at is None or self._clock() < bot.bot_token_expires_at - RENEW_BEFORE_S:
            return bot
        try:
            renewed = await self._rotator.perform_bot_token_rotation(bot=bot, minutes_before_expiration=_ALWAYS_MIN)
        except SlackTokenRotationError as error:
            # Another process may have been first.
            now_stored = await self._installations.of_team(team)
            if now_stored is None or now_stored.bot_refresh_token != bot.bot_refresh_token:
                return now_stored
            code = error.api_error.response.get("error")
            log.error("slack_token_not_renewed", team=team, error=code)
            return bot if self._is_good(bot) else None
        except (aiohttp.ClientError, TimeoutError):
            if self._is_good(bot):
                return bot
            raise
        if renewed is None:
            return bot
        await self._installations.async_save_bot(renewed)
        log.info("slack_token_renewed", team=team)
        return renewed

    def _is_good(self, bot: Bot) -> bool:
        return bot.bot_token_expires_at is None or self._clock() < bot.bot_token_expires_at
