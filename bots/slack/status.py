"""What a thread shows while we work: an agent session, a line of words; and what a workspace can do at all."""

import time

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.refusals import FAILURES, NOT_HERE, NOT_IN_THIS_PLACE, error_code
from bots.slack.target import Target, Thread

log = structlog.get_logger(__name__)

_TITLE_CHARS = 200
# After so long it is tried again: the app may have got other scopes, the workspace another plan.
LACKS_S = 1800.0


class _Lacks:
    """Where something is not to be had: in a workspace, or in one of its places."""

    def __init__(self) -> None:
        self._until: dict[tuple[str, str], float] = {}

    def __contains__(self, target: Target) -> bool:
        now = time.monotonic()
        return any(self._until.get((target.team, place), 0.0) > now for place in ("", target.channel))

    def learn(self, team: str, place: str = "") -> None:
        now = time.monotonic()
        self._until = {where: until for where, until in self._until.items() if until > now}
        self._until[team, place] = now + LACKS_S

    def forget(self, team: str) -> None:
        self._until = {where: until for where, until in self._until.items() if where[0] != team}


class Statuses:
    """Learns from refusals, so that nothing is tried again soon that a workspace or a place does not have."""

    def __init__(self) -> None:
        self._no_sessions = _Lacks()
        self._no_lines = _Lacks()
        self._no_streams = _Lacks()
        # Threads whose session we have put to work, and for which of their questions.
        self._working: dict[Thread, set[str]] = {}

    def streams(self, target: Target) -> bool:
        """Whether streaming is worth a try."""
        return target not in self._no_streams

    def lack_streams(self, team: str, place: str = "") -> None:
        """Slack refuses to stream there: in one place, or in all."""
        self._no_streams.learn(team, place)

    def forget(self, team: str) -> None:
        """Try everything anew: the app was installed again, with other scopes perhaps."""
        for lacking in (self._no_sessions, self._no_lines, self._no_streams):
            lacking.forget(team)

    async def show(self, client: AsyncWebClient, target: Target, text: str) -> bool:
        """Show that we are at work, with `text` where there is a place for it. False: there is none at all."""
        has_session = await self.begin(client, target)
        has_line = await self._line(client, target, text)
        return has_session or has_line

    async def begin(self, client: AsyncWebClient, target: Target) -> bool:
        """Put the thread's session to work, which shows Slack's own Stop button. False: there are no sessions."""
        if target in self._no_sessions:
            return False
        questions = self._working.setdefault(target.thread, set())
        # Before anything is awaited, so that another question of the thread does not end the session meanwhile.
        is_first = not questions
        questions.add(target.asked)
        if is_first and not await self._set(client, target, "processing"):
            self.ended(target)
            return False
        return True

    async def end(self, client: AsyncWebClient, target: Target, *, resumed: bool = False, posted: bool = True) -> None:
        """The answer is there: take session and line away. `resumed`: another process may have put them there.

        `posted`: by a message of ours, which takes the line away by itself where there are sessions.
        """
        was_at_work = self.ended(target)
        if self.others(target):
            return
        if was_at_work or (resumed and target not in self._no_sessions):
            await self._set(client, target, "active")
        if not posted or target in self._no_sessions:
            await self._line(client, target, "")

    def began(self, target: Target) -> None:
        """Slack has put the session to work by itself, because a stream began."""
        if target not in self._no_sessions:
            self._working.setdefault(target.thread, set()).add(target.asked)

    def ended(self, target: Target) -> bool:
        """This question is at its end; whether we were at work on it."""
        questions = self._working.get(target.thread, set())
        was_at_work = target.asked in questions
        questions.discard(target.asked)
        if not questions:
            self._working.pop(target.thread, None)
        return was_at_work

    def others(self, target: Target) -> bool:
        """Whether other questions of its thread are waiting, whose status must stay."""
        return bool(self._working.get(target.thread, set()) - {target.asked})

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
        if target in self._no_lines:
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

    def _learn(self, lacking: _Lacks, target: Target, error: Exception) -> None:
        code = error_code(error)
        log.info("slack_status_failed", error=code)
        if code in NOT_HERE:
            lacking.learn(target.team, target.channel if code in NOT_IN_THIS_PLACE else "")
