"""What the adapter's intake asks of those who answer commands and buttons."""

from typing import Protocol

from telegram import Message, Update, User

from bots.chat.commands import Command
from bots.chat.reply import Caller
from bots.telegram.target import Target

# Unknown to the SDK: somebody pressed the Stop button of a draft.
STOPPED = "stopped_message_generation"


class Presses(Protocol):
    """What people do besides asking (`bots.telegram.pressing`)."""

    async def command(self, target: Target, caller: Caller, command: Command) -> None:
        """`/name argument`. `command.name` is what was typed: one of `COMMANDS`, `start` (whose argument is that of a
        deep link), or a word that is none. What it changes is in SQL when this returns; what is said about it follows
        behind (`desk.background.start(desk.say(…))`).

        Raises:
            StoreError: nothing was done; the update comes again.
        """

    async def own_words(self, message: Message, user: User, text: str) -> bool:
        """Somebody has replied to a message of ours in his private chat, perhaps to an answer that he is to approve.
        False: it is something else. What is decided is in SQL when this returns.

        Raises:
            StoreError: nothing was decided; the update comes again.
        """

    async def reaction(self, update: Update) -> None:
        """A reaction to a message: `update.message_reaction`. Runs behind the acknowledgement, perhaps twice."""

    async def callback(self, update: Update) -> None:
        """A button of ours: `update.callback_query`. Runs behind the acknowledgement, perhaps twice.

        Raises:
            StoreError: it is tried again.
        """

    async def stopped(self, update: Update) -> None:
        """Telegram's own Stop button: `update.api_kwargs[STOPPED]`. Likewise."""
