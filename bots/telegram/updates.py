"""Updates, each to where it is understood. What must not be lost is in SQL when `take` returns: then the update may be
acknowledged, by the next `getUpdates` or by the answer to Telegram's post.

One update is one or two short transactions. So they are taken one after another in a chat, and side by side in
different ones, and stop, buttons and further pictures of an album need not overtake anything.
"""

import asyncio
from contextlib import asynccontextmanager
from collections.abc import AsyncIterator
from typing import Protocol

import structlog
from telegram import Update

from bots.chat.commands import Command
from bots.chat.reply import Caller
from bots.telegram.target import Target
from core.errors import GlimtError

log = structlog.get_logger(__name__)

# Unknown to the SDK: somebody pressed the Stop button of a draft.
STOPPED = "stopped_message_generation"
ALLOWED_UPDATES = (
    "message",
    "edited_message",
    "callback_query",
    "my_chat_member",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    STOPPED,
)


class Presses(Protocol):
    """What people do besides asking (`bots.telegram.pressing`)."""

    async def command(self, target: Target, caller: Caller, command: Command) -> None:
        """`/name argument`. `command.name` is what was typed: one of `COMMANDS`, `start` (whose argument is that of a
        deep link), or a word that is none. What it changes is in SQL when this returns; what is said about it follows
        behind (`desk.background.start(desk.say(…))`).

        Raises:
            StoreError: nothing was done; the update comes again.
        """

    async def callback(self, update: Update) -> None:
        """A button of ours: `update.callback_query`. Runs behind the acknowledgement."""

    async def stopped(self, update: Update) -> None:
        """Telegram's own Stop button: `update.api_kwargs[STOPPED]`. Runs behind the acknowledgement."""
