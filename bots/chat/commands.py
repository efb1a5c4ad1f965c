"""Commands: what people write to steer Glimt, and what buttons do. Both end in a `Reply`."""

from dataclasses import dataclass

from bots.chat.reply import Caller, Reply
from bots.services import Services

COMMANDS = ("help", "new", "stop", "retry", "mode", "usage", "privacy", "forget", "human", "lang")


@dataclass(frozen=True, slots=True)
class Command:
    """`name` is one of `COMMANDS`; `argument` is what stands behind it."""

    name: str
    argument: str = ""


def parse_command(words: str) -> Command | None:
    """The command in `words`, which the adapter has stripped of its trigger (`!`, `/`, `/glimt`, a mention); None: it
    is none, so perhaps a question."""
    name, _, argument = words.strip().partition(" ")
    name = name.lower()
    return Command(name, argument.strip()) if name in COMMANDS else None


class Commands:
    """Executes commands and buttons against the store."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def run(self, caller: Caller, command: Command) -> Reply:
        """Do what was asked.

        Raises:
            StoreError: nothing was done.
        """
        return Reply(command.name)

    async def press(self, caller: Caller, value: str) -> Reply | None:
        """Do what a button says (`Button.value`); None: it is no button of ours."""
        return None
