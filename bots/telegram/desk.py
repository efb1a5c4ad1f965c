"""What all handlers of the adapter share: its parts, put together once, and saying something by the way."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog
from telegram import Bot, User

from bots.chat.background import Background
from bots.chat.commands import Commands
from bots.chat.deliver import Deliverer
from bots.chat.gather import Gatherer
from bots.chat.platform import SendFailed
from bots.chat.reply import Caller, Reply
from bots.services import Services
from bots.telegram.listening import Served
from bots.telegram.platform import TelegramPlatform
from bots.telegram.target import Target
from core.values import Platform

log = structlog.get_logger(__name__)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Desk:
    """The adapter's parts. `bot` sends; `intake_bot` asks for updates and files, over connections of its own."""

    services: Services
    bot: Bot
    intake_bot: Bot
    commands: Commands
    gatherer: Gatherer
    platform: TelegramPlatform
    deliverer: Deliverer
    background: Background
    served: Served

    @property
    def bot_id(self) -> str:
        """Our own id, by which rows name the workspace."""
        return self.services.settings.telegram_bot_id

    async def commit(self, work: Callable[[], Result]) -> Result:
        """Do something to SQL on the way to an acknowledgement: what answers do keeps it waiting as little as can be.

        Raises:
            StoreError: nothing was written, and the update must come again.
        """
        return await self.services.urgently(work)

    def caller(self, target: Target, user: User | None, conversation: str | None = None) -> Caller:
        """Who says something, and where. `conversation`: the one that is meant, if not the place's current one."""
        return Caller(
            platform=Platform.TELEGRAM,
            workspace=self.bot_id,
            person=str(target.user_id),
            place=target.place,
            conversation=conversation,
            person_name=user.full_name if user is not None else "",
            locale=(user.language_code or "") if user is not None else "",
        )

    async def say(self, target: Target, reply: Reply) -> None:
        """Tell somebody what came of what they did. What does not get through is not repeated."""
        if reply.turn_id is not None:
            self.deliverer.begin(reply.turn_id)
        if not reply.text:
            return
        try:
            await self.platform.notice(target, reply.text, reply.buttons)
        except SendFailed as error:
            log.warning("telegram_reply_lost", error=str(error))

    def begin(self, turn_id: str, *, gathers: bool) -> None:
        """A question was committed: fetch what belongs to it, and bring the answer."""
        if gathers:
            self.gatherer.begin(turn_id)
        self.deliverer.begin(turn_id)
