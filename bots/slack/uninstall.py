"""A workspace has removed the app, or taken its token back: what it handed over goes, and its questions stop."""

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog

from bots.services import Services
from bots.slack.authorize import WorkspaceTokens
from bots.slack.installations import SealedInstallations
from core.values import Platform

log = structlog.get_logger(__name__)


class Uninstaller:
    """Listens to `app_uninstalled` and `tokens_revoked`, which come in any order, late, and more than once."""

    def __init__(self, services: Services, tokens: WorkspaceTokens, installations: SealedInstallations | None) -> None:
        self._services = services
        self._tokens = tokens
        self._installations = installations

    async def handle(self, team: str, event: Mapping[str, Any], event_time: float = 0.0) -> int:
        """Clean up after an event of a workspace; how many questions were stopped. Harmless when repeated.

        `event_time`: when it happened, in seconds since 1970, where that is known.

        Raises:
            StoreError, SlackApiError, aiohttp.ClientError: nothing is certain; Slack sends the event again.
        """
        if event.get("type") == "tokens_revoked" and not (event.get("tokens") or {}).get("bot"):
            return 0
        if await self._installed_again(team, event_time):
            log.info("slack_uninstall_is_old", team=team)
            return 0
        if self._installations is not None:
            await self._installations.remove(team)
        self._tokens.forget(team)
        stopped = await self._stop_questions(team)
        log.warning("slack_uninstalled", team=team, stopped=stopped)
        return stopped

    async def _installed_again(self, team: str, event_time: float) -> bool:
        """Whether the event is about an installation before the present one. Slack has the last word."""
        if self._installations is None:
            return False
        bot = await self._installations.of_team(team)
        if bot is None or bot.installed_at <= event_time:
            return False
        return not await self._tokens.is_dead(bot.bot_token)

    async def _stop_questions(self, team: str) -> int:
        def open_turns() -> list[str]:
            with self._services.store.read() as repositories:
                return repositories.turns.open_in_workspace(Platform.SLACK, team)

        turns = await asyncio.to_thread(open_turns)
        for turn in turns:
            await self._services.cancel(turn)
        return len(turns)
