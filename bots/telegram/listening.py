"""Which messages are questions to us, and who is served."""

from collections import OrderedDict

import structlog
from telegram import User

from bots.telegram.message import Said
from core.settings import Settings

log = structlog.get_logger(__name__)

# A command that is a question: in groups where we hear nothing else, it is how to ask about a picture.
ASK = "ask"
_TOLD = 1_000


def is_for_us(said: Said, me: User) -> bool:
    """Whether the message is a question to us: always where nobody else listens, else when we are meant."""
    if not said.in_group or said.text.mentions(me):
        return True
    if said.reply is not None and said.reply.ours:
        return not said.text.turns_to_somebody_else(me)
    return False


class Served:
    """Whom the operator lets us answer. Says once of everybody else who they are, so that they can be let in."""

    def __init__(self, settings: Settings) -> None:
        self._users = frozenset(settings.telegram_users)
        self._chats = frozenset(settings.telegram_chats)
        self._told: OrderedDict[tuple[int, int], None] = OrderedDict()

    def allows(self, said: Said) -> bool:
        """Whether the message may be answered."""
        return self.serves(said.user_id, said.chat_id if said.in_group else 0, said.owner_id)

    def serves(self, user_id: int, group_id: int = 0, owner_id: int = 0) -> bool:
        """Whether somebody is answered: in a group, or, without one, in the private chat.

        People are let in by their id, groups by theirs with everybody in them, and customers of a business account by
        its owner's.
        """
        if group_id and self._chats:
            allowed = str(group_id) in self._chats
        else:
            allowed = not self._users or str(owner_id or user_id) in self._users
        if not allowed and (user_id, group_id) not in self._told:
            self._told[user_id, group_id] = None
            if len(self._told) > _TOLD:
                self._told.popitem(last=False)
            log.info("telegram_not_served", user=user_id, chat=group_id or user_id)
        return allowed
