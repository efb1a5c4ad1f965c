"""The Telegram adapter as a chat meets it: the real SDK against the fake Telegram, real SQL and Redis; the test itself
is the worker."""

import asyncio
import socket
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, TypeVar

import uvicorn
from fastapi import FastAPI
from PIL import Image
from pydantic import SecretStr

from bots.services import open_services
from bots.telegram.adapter import TelegramAdapter, open_telegram
from bots.web.app import create_app
from core.store.models import Delivery, InboundEvent, Turn
from core.values import FINAL_STATES, Platform, TurnState
from tests.fakes.telegram import Chat, FakeTelegram, Message, Said
from tests.integration.web.site import Site, Work
from tests.processes import PATIENCE_S, Installation, until
from tests.serving import in_a_thread

Result = TypeVar("Result")


@dataclass
class Stand(Site):
    """A running adapter and the Telegram that it serves."""

    telegram: FakeTelegram = field(default_factory=FakeTelegram)
    adapter: TelegramAdapter | None = None
    loop: asyncio.AbstractEventLoop | None = None

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do something in the adapter's own loop."""
        assert self.loop is not None
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE_S)

    def key_of(self, message: Message | Said) -> str:
        """The key of its inbound event."""
        one = message.message if isinstance(message, Said) else message
        owner = f"b{one.connection.owner.id}:" if one.connection is not None else ""
        return f"{self.telegram.bot.id}:{owner}{one.chat.id}:{one.id}"

    def taken(self) -> None:
        """Until everything that happened so far has been taken in and acknowledged."""
        assert self.telegram.wait_for(lambda: not self.telegram.updates.waiting, PATIENCE_S)

    def turn_of(self, message: Message | Said) -> Turn:
        """The turn that a message became."""
        key = self.key_of(message)
        return self.turn(str(until(lambda: self._event_turn(key), f"{key} becomes a turn")))

    def no_turn_of(self, message: Message | Said) -> bool:
        """Whether it became none, now that it was taken in."""
        self.taken()
        return self._event_turn(self.key_of(message)) is None

    def _event_turn(self, key: str) -> str | None:
        with self.at.store.read() as repositories:
            event = repositories.inbound.find(Platform.TELEGRAM, key)
        return event.turn_id if event is not None else None

    def ready(self, message: Message | Said) -> Turn:
        """Its turn, once it can be answered; with its attachments."""
        turn_id = self.turn_of(message).id

        def found() -> Turn | None:
            turn = self.turn(turn_id)
            return turn if turn.state == TurnState.READY else None

        turn = until(found, "the question is whole")
        assert turn is not None
        return turn

    def work_on(self, message: Message | Said) -> Work:
        """Be the worker of its turn."""
        return self.claim(self.ready(message).id)

    def at_colour(self, blob_key: str) -> str:
        """The colour of a stored picture of one colour."""
        with Image.open(BytesIO(self.services.blobs.get(blob_key))) as stored:
            pixel = stored.convert("RGB").getpixel((5, 5))
        assert isinstance(pixel, tuple)
        return ("red", "green", "blue")[max(range(3), key=lambda channel: pixel[channel])]

    def turns_in(self, chat: Chat) -> list[Turn]:
        """All turns whose answers go to a chat, in their order."""
        with self.at.store.read() as repositories:
            deliveries = repositories.session.query(Delivery).filter_by(platform=Platform.TELEGRAM).all()
            ids = [one.turn_id for one in deliveries if one.target.get("chat_id") == chat.id]
            return sorted(repositories.turns.by_ids(ids).values(), key=lambda turn: turn.id)

    def events(self) -> int:
        """How many inbound events were taken in."""
        with self.at.store.read() as repositories:
            return repositories.session.query(InboundEvent).count()

    def settled(self) -> None:
        """Until everything that has ended was brought to its chat."""

        def left() -> int:
            with self.at.store.read() as repositories:
                return (
                    repositories.session.query(Delivery)
                    .join(Turn, Turn.id == Delivery.turn_id)
                    .filter(Delivery.state.in_(["pending", "sending"]), Turn.state.in_(FINAL_STATES))
                    .count()
                )

        until(lambda: left() == 0, "all answers are there")


@contextmanager
def adapter_over(at: Installation, telegram: FakeTelegram, *, poll_s: int = 2, **overrides: Any) -> Iterator[Stand]:
    """The adapter on `at`, in a thread with a loop of its own; it stops in good order with the block."""
    settings = at.settings.model_copy(
        update={
            "redis_url": at.redis_server.url,
            "telegram_bot_token": SecretStr(telegram.bot_token),
            "telegram_api_url": telegram.url,
            "telegram_album_wait_s": 0.4,
            "telegram_caption_wait_s": 0.6,
            **overrides,
        }
    )
    posted = settings.telegram_transport == "webhook"

    @asynccontextmanager
    async def opened() -> AsyncIterator[Stand]:
        async with AsyncExitStack() as stack:
            services = await stack.enter_async_context(open_services(settings))
            app = create_app(services) if posted else FastAPI()
            adapter = await stack.enter_async_context(open_telegram(services, app, poll_s=poll_s))
            url = await stack.enter_async_context(_served(app)) if posted else ""
            loop = asyncio.get_running_loop()
            yield Stand(at, settings, url, services, app, telegram=telegram, adapter=adapter, loop=loop)

    with in_a_thread(opened, "telegram-adapter") as (stand, _):
        yield stand


@asynccontextmanager
async def _served(app: FastAPI) -> AsyncIterator[str]:
    """The app on a port of 127.0.0.1, in this loop; its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=3))
    # Not `serve`, which takes the process's signals.
    serving = asyncio.create_task(server._serve([listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
        listener.close()
