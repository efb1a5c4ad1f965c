"""The Telegram adapter: put together, started, stopped."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from fastapi import FastAPI

from bots.chat.background import Background
from bots.chat.commands import Commands
from bots.chat.deliver import Deliverer
from bots.services import Services
from bots.telegram.client import INTAKE_CONNECTIONS, open_bot
from bots.telegram.desk import INTAKE_THREADS, Desk
from bots.telegram.platform import TelegramPlatform
from bots.telegram.pressing import Pressing

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TelegramAdapter:
    """The running adapter."""

    desk: Desk


@asynccontextmanager
async def open_telegram(services: Services, app: FastAPI) -> AsyncIterator[TelegramAdapter]:
    """The running adapter: answers go out, and updates come in by polling, or through `app`.

    Raises:
        ConfigurationError: the settings do not allow it.
    """
    raise NotImplementedError  # Written next, on this branch.
