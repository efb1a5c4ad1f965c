"""The Slack adapter as a workspace meets it: the real SDK against the fake Slack, real SQL and Redis; the test itself
is the worker."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from pydantic import SecretStr

from bots.services import open_services
from bots.slack.adapter import SlackAdapter, open_slack
from core.store.models import Turn
from core.values import Platform
from tests.fakes.slack import Channel, FakeSlack, Seen, User
from tests.integration.adapted import Adapted
from tests.processes import PATIENCE_S, Installation
from tests.serving import in_a_thread


@dataclass
class Office(Adapted):
    """A running adapter and the workspace that it serves."""

    platform = Platform.SLACK

    slack: FakeSlack = field(default_factory=FakeSlack)
    adapter: SlackAdapter | None = None

    def turn_of(self, channel: Channel, ts: str) -> Turn:
        """The turn that a message became."""
        return self.turn_of_event(f"{channel.team_id}:{channel.id}:{ts}")

    def turns_about(self, question: str) -> list[Turn]:
        """All turns that ask this."""
        with self.at.store.read() as repositories:
            return list(repositories.session.query(Turn).filter_by(question=question))

    def answer_in(self, channel: Channel, thread: str, number: int = 1) -> Seen:
        """The last of `number` finished messages of ours in a thread, as soon as there are so many."""
        self.slack.wait_for(lambda: len(self.slack.answers(channel, thread)) >= number, PATIENCE_S)
        return self.slack.answers(channel, thread)[-1]


@contextmanager
def adapter_over(at: Installation, slack: FakeSlack, *, ping_s: float = 10.0, **overrides: Any) -> Iterator[Office]:
    """The adapter on `at`, in a thread with a loop of its own; it stops in good order with the block."""
    settings = at.settings.model_copy(
        update={
            "redis_url": at.redis_server.url,
            "slack_bot_token": SecretStr(slack.bot_token),
            "slack_app_token": SecretStr(slack.app_token),
            "slack_signing_secret": SecretStr(slack.signing_secret),
            "slack_api_url": slack.api_url,
            **overrides,
        }
    )

    @asynccontextmanager
    async def opened() -> AsyncIterator[Office]:
        app = FastAPI()
        async with open_services(settings) as services, open_slack(services, app, ping_s=ping_s) as adapter:
            if adapter.socket is not None:
                await asyncio.wait_for(adapter.socket.connected.wait(), PATIENCE_S)
            loop = asyncio.get_running_loop()
            yield Office(at, settings, "", services, app, slack=slack, adapter=adapter, loop=loop)

    with in_a_thread(opened, "slack-adapter") as (office, _):
        yield office


def ask_in(office: Office, user: User, channel: Channel, text: str = "", **say: Any) -> str:
    """Somebody asks, and Slack is told that it arrived; the message's ts."""
    said = office.slack.say(user, channel, text, **say).wait(PATIENCE_S)
    # The first time: Slack's retries would hide a handler that fails behind its commit.
    assert all(delivery.attempts[0].ok for delivery in said.deliveries)
    return said.ts


def asked(office: Office, question: str) -> tuple[User, Channel, str]:
    """Somebody new asks in a channel of his own, by a mention: who, where, and the message's ts."""
    ann = office.slack.user("ann")
    channel = office.slack.channel("asked", ann)
    return ann, channel, ask_in(office, ann, channel, f"{office.slack.workspace.bot_user.mention} {question}")
