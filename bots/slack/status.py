"""What a thread shows while we work: an agent session, a line of words; and what a workspace can do at all."""

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.refusals import FAILURES, NOT_HERE, error_code
from bots.slack.target import Target

log = structlog.get_logger(__name__)

_TITLE_CHARS = 200


class Statuses:
    """Learns from refusals, so that nothing is tried twice that a workspace does not have."""

    def __init__(self) -> None:
        self._no_sessions: set[str] = set()
        self._no_lines: set[str] = set()
        self._no_streams: set[str] = set()
        # Threads whose session we have put to work, by turn.
        self._working: set[tuple[str, str, str]] = set()

    def streams(self, target: Target) -> bool:
        """Whether streaming is worth a try."""
        return target.team not in self._no_streams

    def lack_streams(self, team: str) -> None:
        """Slack refuses to stream there."""
        self._no_streams.add(team)

    def forget(self, team: str) -> None:
        """Try everything anew: the app was installed again, with other scopes perhaps."""
        for lacking in (self._no_sessions, self._no_lines, self._no_streams):
            lacking.discard(team)

    async def show(self, client: AsyncWebClient, target: Target, text: str) -> bool:
        """Show that we are at work, with `text` where there is a place for it. False: there is none at all."""
        has_session = await self.begin(client, target)
        has_line = await self._line(client, target, text)
        return has_session or has_line

    async def begin(self, client: AsyncWebClient, target: Target) -> bool:
        """Put the thread's session to work, which shows Slack's own Stop button. False: there are no sessions."""
        key = (target.team, target.channel, target.root)
        if key in self._working:
            return True
        if target.team in self._no_sessions or not await self._set(client, target, "processing"):
            return False
        self._working.add(key)
        return True

    async def end(self, client: AsyncWebClient, target: Target) -> None:
        """The answer is there: take session and line away."""
        key = (target.team, target.channel, target.root)
        if key in self._working:
            self._working.discard(key)
            await self._set(client, target, "active")
        elif target.team in self._no_sessions:
            await self._line(client, target, "")

    def began(self, target: Target) -> None:
        """Slack has put the session to work by itself, because a stream began."""
        if target.team not in self._no_sessions:
            self._working.add((target.team, target.channel, target.root))

    def ended(self, target: Target) -> None:
        """Slack has done that by itself."""
        self._working.discard((target.team, target.channel, target.root))

    async def _set(self, client: AsyncWebClient, target: Target, status: str) -> bool:
        try:
            await client.agents_sessions_setStatus(
                channel_id=target.channel, thread_ts=target.root, status=status, initiator_user_id=target.user
            )
        except FAILURES as error:
            self._learn(self._no_sessions, target, error)
            return False
        return True

    async def _line(self, client: AsyncWebClient, target: Target, text: str) -> bool:
        if target.team in self._no_lines:
            return False
        try:
            await client.assistant_threads_setStatus(
                channel_id=target.channel,
                thread_ts=target.root,
                status=text,
                loading_messages=[text[:_TITLE_CHARS]] if text else None,
            )
        except FAILURES as error:
            self._learn(self._no_lines, target, error)
            return False
        return True

    def _learn(self, lacking: set[str], target: Target, error: Exception) -> None:
        code = error_code(error)
        log.info("slack_status_failed", error=code)
        if code in NOT_HERE:
            lacking.add(target.team)
