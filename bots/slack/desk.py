"""What all handlers of the adapter share: its parts, put together once, and saying something by the way."""

from dataclasses import dataclass
from typing import Any

import structlog

from bots.chat.background import Background
from bots.chat.commands import Commands
from bots.chat.deliver import Deliverer
from bots.chat.gather import Gatherer
from bots.chat.reply import Caller, Reply
from bots.chat.texts import Texts, texts_for
from bots.services import Services
from bots.slack.blocks import buttons_of, notice_metadata, said
from bots.slack.clients import Clients
from bots.slack.listening import Listening
from bots.slack.people import People
from bots.slack.platform import SlackPlatform
from bots.slack.refusals import FAILURES, NOT_A_MEMBER, error_code
from bots.slack.target import Thread
from core.errors import NotAllowed
from core.values import Platform

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """The adapter's parts."""

    services: Services
    clients: Clients
    people: People
    commands: Commands
    gatherer: Gatherer
    platform: SlackPlatform
    deliverer: Deliverer
    background: Background
    listening: Listening

    async def texts(self, team: str, user: str) -> Texts:
        """What is said to this person, in the language that Slack tells of."""
        return texts_for((await self.people.learn(team, user)).locale)

    async def caller(self, thread: Thread, user: str, *, in_thread: bool = True) -> Caller:
        """Who says something, and where. Everybody steers a direct conversation, because it is his own."""
        by_admins = self.services.settings.slack_steering == "admins" and not thread.channel.startswith("D")
        profile = await self.people.learn(thread.team, user, rights=by_admins)
        return Caller(
            platform=Platform.SLACK,
            workspace=thread.team,
            person=user,
            place=thread.channel,
            conversation=thread.name if in_thread else None,
            threads=True,
            person_name=profile.name,
            locale=profile.locale,
            steers=profile.admin or not by_admins,
        )

    async def say(
        self, thread: Thread, user: str, reply: Reply, *, in_thread: bool = True, response_url: str = ""
    ) -> None:
        """Tell somebody what came of what they did. What does not get through is not repeated.

        `response_url` came with it, and also reaches people where we are no member.
        """
        if reply.turn_id is not None:
            self.deliverer.begin(reply.turn_id)
        if not reply.text:
            return
        where: dict[str, Any] = {"channel": thread.channel}
        if in_thread:
            where["thread_ts"] = thread.root
        content = said(reply.text, buttons_of(reply.buttons))
        try:
            client = await self.clients.of(thread.team)
            if reply.private and not thread.channel.startswith("D"):
                await client.chat_postEphemeral(user=user, **where, **content)
            else:
                await client.chat_postMessage(**where, **content, metadata=notice_metadata(), unfurl_links=False)
        except (*FAILURES, NotAllowed) as error:
            if response_url and error_code(error) in NOT_A_MEMBER:
                await self._respond(response_url, content)
            else:
                log.warning("slack_reply_lost", error=error_code(error))

    async def _respond(self, url: str, content: dict[str, Any]) -> None:
        try:
            await self.clients.respond(url, content)
        except FAILURES as error:
            log.warning("slack_reply_lost", error=error_code(error))

    def begin(self, turn_id: str, *, gathers: bool) -> None:
        """A question was committed: fetch what belongs to it, and bring the answer."""
        if gathers:
            self.gatherer.begin(turn_id)
        self.deliverer.begin(turn_id)
