"""The Telegram adapter: put together, started, stopped."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog
from fastapi import FastAPI

from bots.chat.background import Background
from bots.chat.commands import Commands
from bots.chat.deliver import Deliverer
from bots.services import Services
from bots.telegram.client import INTAKE_CONNECTIONS, POLL_S, greet, open_bot
from bots.telegram.desk import Desk
from bots.telegram.download import open_downloader
from bots.telegram.gather import TelegramGatherer
from bots.telegram.limits import Limits, Pace
from bots.telegram.listening import Served
from bots.telegram.menu import set_menu
from bots.telegram.platform import TelegramPlatform
from bots.telegram.polling import Poller
from bots.telegram.pressing import Pressing
from bots.telegram.rights import Rights
from bots.telegram.updates import Updates
from bots.telegram.webhook import Webhook

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TelegramAdapter:
    """The running adapter."""

    desk: Desk
    updates: Updates


@asynccontextmanager
async def open_telegram(
    services: Services, app: FastAPI, *, poll_s: int = POLL_S, pace: Pace | None = None
) -> AsyncIterator[TelegramAdapter]:
    """The running adapter: answers go out, and updates come in by polling, or through `app`.

    `poll_s`: how long one question for updates waits for them. `pace`: what the server takes, else Telegram's.

    Raises:
        ConfigurationError: the settings do not allow it.
    """
    settings = services.settings
    async with _open_desk(services, pace) as desk:
        updates = Updates(desk, Pressing(desk))
        if settings.telegram_transport == "webhook":
            webhook = Webhook(desk.intake_bot, updates, settings, (desk.bot,))
            webhook.mount(app)
            listening = webhook.register()
        else:
            listening = Poller(desk.intake_bot, updates, services.redis, (desk.bot,), poll_s=poll_s).run()
        tasks = [
            asyncio.create_task(listening, name="telegram-updates"),
            asyncio.create_task(desk.gatherer.resume(), name="telegram-gathering"),
            asyncio.create_task(updates.presses.resume(), name="telegram-presses"),
            asyncio.create_task(desk.platform.approvals.run(), name="telegram-approvals"),
            asyncio.create_task(_offer_commands(desk), name="telegram-menu"),
        ]
        try:
            yield TelegramAdapter(desk, updates)
        finally:
            # First nothing more comes in, then what is under way is let go.
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def _open_desk(services: Services, pace: Pace | None) -> AsyncIterator[Desk]:
    settings = services.settings
    background = Background()
    async with AsyncExitStack() as stack:
        bot = await stack.enter_async_context(open_bot(settings, limits=Limits(pace)))
        intake_bot = await stack.enter_async_context(open_bot(settings, INTAKE_CONNECTIONS))
        downloader = await stack.enter_async_context(open_downloader(settings, intake_bot))
        platform = TelegramPlatform(services, bot)
        deliverer = await stack.enter_async_context(Deliverer(platform, services))
        stack.push_async_callback(background.close)
        gatherer = TelegramGatherer(services, background, downloader)
        commands, served, rights = Commands(services), Served(settings, services.policies), Rights(settings, intake_bot)
        yield Desk(services, bot, intake_bot, commands, gatherer, platform, deliverer, background, served, rights)


async def _offer_commands(desk: Desk) -> None:
    """Once Telegram can be reached."""
    await greet(desk.bot)
    await set_menu(desk.bot)
