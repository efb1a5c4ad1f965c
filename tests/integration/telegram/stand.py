"""The Telegram adapter as a chat meets it: the real SDK against the fake Telegram, real SQL and Redis; the test itself
is the worker."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import uvicorn
from fastapi import FastAPI
from PIL import Image
from pydantic import SecretStr

from bots.services import open_services
from bots.telegram.adapter import TelegramAdapter, open_telegram
from bots.telegram.limits import Pace
from bots.web.app import create_app
from core.store.models import Delivery, Turn
from core.values import Platform, TurnState
from tests.fakes.telegram import Chat, FakeTelegram, Message, Said
from tests.integration.adapted import Adapted
from tests.integration.web.site import Work
from tests.processes import PATIENCE_S, Installation, until
from tests.serving import in_a_thread

# Tests of the limits keep to Telegram's own (tests/unit/telegram/test_limits.py, bench); these are about other things,
# and would wait a second for every second message, or for the flood of a test before.
PACE = Pace(chat_s=0.05, together_s=0.0)


@dataclass
class Stand(Adapted):
    """A running adapter and the Telegram that it serves."""

    platform = Platform.TELEGRAM

    telegram: FakeTelegram = field(default_factory=FakeTelegram)
    adapter: TelegramAdapter | None = None

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
        return self.turn_of_event(self.key_of(message))

    def no_turn_of(self, message: Message | Said) -> bool:
        """Whether it became none, now that it was taken in."""
        self.taken()
        return self.event_turn(self.key_of(message)) is None

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
            "telegram_comment_wait_s": 0.15,
            **overrides,
        }
    )
    posted = settings.telegram_transport == "webhook"

    @asynccontextmanager
    async def opened() -> AsyncIterator[Stand]:
        async with AsyncExitStack() as stack:
            services = await stack.enter_async_context(open_services(settings))
            app = create_app(services) if posted else FastAPI()
            adapter = await stack.enter_async_context(open_telegram(services, app, poll_s=poll_s, pace=PACE))
            url = await stack.enter_async_context(_served(app)) if posted else ""
            _hurry(adapter)
            loop = asyncio.get_running_loop()
            yield Stand(at, settings, url, services, app, telegram=telegram, adapter=adapter, loop=loop)

    with in_a_thread(opened, "telegram-adapter") as (stand, _):
        yield stand


def _hurry(adapter: TelegramAdapter) -> None:
    """Pauses that are for people, or for a server in trouble, as short as they can be."""
    desk = adapter.desk
    desk.platform.edit_every_s = 0.2
    desk.platform.approvals.look_s = 0.1
    desk.gatherer.downloader.pauses_s = (0.05, 0.05, 0.05)


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
