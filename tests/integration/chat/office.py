"""A bots process inside the test, in which people ask on a chat platform; the test itself is the worker."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any

from bots.chat.commands import Commands, parse_command
from bots.chat.reply import Caller, Reply
from bots.services import Services, open_services
from core.conversation.inbound import Accepted, InboundQuestion, Named, Refused
from core.media.limits import PictureLimits
from core.media.pictures import read_pictures
from core.queue.streams import TurnWriter
from core.settings import load_settings
from core.store.models import Delivery, Post, Turn
from core.store.outcome import Outcome
from core.values import Platform, TurnState, new_id, utc_now
from tests.integration.web.site import picture
from tests.processes import PATIENCE_S, until

OWNER = "the-test"
BOT = "bot-1"


@dataclass
class Work:
    """One attempt that the test makes."""

    office: "Office"
    turn: Turn
    writer: TurnWriter

    def say(self, *texts: str) -> "Work":
        for text in texts:
            self.writer.text(text)
            self.writer.flush()
        return self

    def end(self, answer: str = "", state: Any = TurnState.ANSWERED, **values: Any) -> None:
        outcome = Outcome(state, answer=answer, prompt_tokens=30, completion_tokens=5, **values)
        with self.office.services.store.write() as repositories:
            repositories.turns.finish(self.turn.id, OWNER, self.turn.attempt, outcome, utc_now())
        self.writer.end()
        self.writer.flush()


@dataclass
class Office:
    """Short words for what people, the worker and the adapter do."""

    services: Services

    async def ask(
        self,
        question: str = "What is this?",
        *,
        person: str = "ann",
        place: str = "chat",
        thread: str | None = None,
        pictures: int = 0,
        refused: tuple[Refused, ...] = (),
        locale: str = "",
        event: str = "",
    ) -> Accepted:
        data = [picture(colour) for colour in ("red", "green", "blue")[:pictures]]
        limits = PictureLimits.of(self.services.settings)
        named = [Named("a.png", safe) for one in data for safe in read_pictures(one, limits)]
        return await self.services.ask(
            InboundQuestion(
                platform=Platform.TELEGRAM,
                workspace=BOT,
                person=person,
                event_key=event or new_id(),
                question=question,
                conversation=thread,
                place=place,
                reply_to={"chat": place},
                locale=locale,
                pictures=tuple(named),
                refused=refused,
            )
        )

    def caller(self, person: str = "ann", place: str = "chat", thread: str | None = None, **values: Any) -> Caller:
        return Caller(Platform.TELEGRAM, BOT, person, place, thread, **values)

    async def say(self, words: str, **who: Any) -> Reply:
        """Run a command."""
        command = parse_command(words)
        assert command is not None
        return await Commands(self.services).run(self.caller(**who), command)

    async def press(self, value: str, **who: Any) -> Reply:
        """Press a button of ours."""
        reply = await Commands(self.services).press(self.caller(**who), value)
        assert reply is not None
        return reply

    def claim(self, turn_id: str) -> Work:
        now = utc_now()
        with self.services.store.write() as repositories:
            turn = repositories.turns.claim(turn_id, OWNER, now, now + timedelta(hours=1))
        assert turn is not None
        return Work(self, turn, TurnWriter(self.services.sync_redis, turn_id, turn.attempt, 600))

    async def answered(self, question: str = "What is this?", answer: str = "A star.", **who: Any) -> str:
        """A question with its answer, undelivered; the turn's id."""
        accepted = await self.ask(question, **who)
        self.claim(accepted.turn_id).end(answer)
        return accepted.turn_id

    def turn(self, turn_id: str) -> Turn:
        with self.services.store.read() as repositories:
            turn = repositories.turns.get(turn_id)
        assert turn is not None
        return turn

    def delivery(self, turn_id: str) -> tuple[Delivery, list[Post]]:
        with self.services.store.read() as repositories:
            delivery = repositories.deliveries.of_turn(turn_id)
            assert delivery is not None
            return delivery, repositories.deliveries.posts([delivery.id])[delivery.id]

    async def until_sent(self, turn_id: str, state: str = "sent") -> None:
        """Wait until the outbox says so."""
        await asyncio.to_thread(until, lambda: self.delivery(turn_id)[0].state == state, f"the answer is {state}")


@asynccontextmanager
async def office(folder: Path, sql_url: str, redis_url: str, **chosen: Any) -> AsyncIterator[Office]:
    """Services as a bots process has them. `chosen` are settings."""
    settings = load_settings(_env_file=None, redis_url=redis_url, database_url=sql_url, data_dir=folder, **chosen)
    async with open_services(settings) as services:
        yield Office(services)


Opened = Callable[[], AbstractAsyncContextManager[Office]]


def in_office(test: Callable[..., Coroutine[None, None, None]]) -> Callable[..., None]:
    """A test as a coroutine of the office, which is opened for it; all other parameters are pytest's.

    `opened` among them opens further processes of the same installation.
    """
    parameters = list(inspect.signature(test).parameters.values())
    wants_opened = any(parameter.name == "opened" for parameter in parameters)

    @wraps(test)
    def run(opened: Opened, **given: Any) -> None:
        async def within() -> None:
            more = {"opened": opened} if wants_opened else {}
            async with asyncio.timeout(PATIENCE_S), opened() as made:
                await test(made, **given, **more)

        asyncio.run(within())

    others = [parameter for parameter in parameters if parameter.name not in ("office", "opened")]
    first = inspect.Parameter("opened", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    run.__signature__ = inspect.Signature([first, *others])  # type: ignore[attr-defined]
    return run
