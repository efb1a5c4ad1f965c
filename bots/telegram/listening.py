"""Which messages are questions to us, and who is served."""

import structlog
from telegram import User

from bots.chat.once import Once
from bots.telegram.message import Said
from core.policy.document import Listens
from core.policy.watch import NoPolicies, Policies
from core.settings import Settings
from core.values import Platform

log = structlog.get_logger(__name__)

# A command that is a question: in groups where we hear nothing else, it is how to ask about a picture.
ASK = "ask"


def is_for_us(said: Said, me: User, listens: Listens = "threads") -> bool:
    """Whether the message is a question to us: always where nobody else listens, else when we are meant."""
    if not said.in_group or said.text.mentions(me):
        return True
    to_others = said.text.turns_to_somebody_else(me)
    if listens == "pictures" and said.picture and not to_others:
        return True
    return listens != "mentions" and said.reply is not None and said.reply.ours and not to_others


class Served:
    """Whom the operator lets us answer, and, within that, whom admins do. Says once of everybody whom the operator
    does not who they are, so that they can be let in."""

    def __init__(self, settings: Settings, policies: Policies | None = None) -> None:
        self._settings = settings
        self._policies = policies or NoPolicies()
        self._users = frozenset(settings.telegram_users)
        self._chats = frozenset(settings.telegram_chats)
        self._logged = Once()

    def opens(self, said: Said) -> bool:
        """Whether the operator lets us answer the message, and admins have not silenced us there.

        Raises:
            StoreError: nobody knows yet.
        """
        if not self._operator_allows(said.user_id, said.chat_id if said.in_group else 0, said.owner_id):
            return False
        return not said.in_group or self.listens(said) != "never"

    def lets_ask(self, said: Said) -> bool:
        """Whether admins let whoever wrote it ask. Raises as `opens`."""
        return self._admins_allow(said.user_id, said.place if said.in_group else "", said.owner_id)

    def listens(self, said: Said) -> Listens:
        """What we answer in a group. Raises as `opens`."""
        decided: Listens | None = (
            self._policies.now.at(Platform.TELEGRAM, self._settings.telegram_bot_id, said.place).find("listens").value
        )
        return decided or "threads"

    def serves(self, user_id: int, group_id: int = 0, owner_id: int = 0) -> bool:
        """Whether somebody is answered: in a group, or, without one, in the private chat.

        People are let in by their id, groups by theirs with everybody in them, and customers of a business account by
        its owner's.

        Raises:
            StoreError: nobody knows yet.
        """
        group = str(group_id) if group_id else ""
        return self._operator_allows(user_id, group_id, owner_id) and self._admins_allow(user_id, group, owner_id)

    def _admins_allow(self, user_id: int, place: str, owner_id: int) -> bool:
        bot = self._settings.telegram_bot_id
        return self._policies.now.serves(Platform.TELEGRAM, bot, str(owner_id or user_id), place)

    def _operator_allows(self, user_id: int, group_id: int, owner_id: int) -> bool:
        if group_id and self._chats:
            allowed = str(group_id) in self._chats
        else:
            allowed = not self._users or str(owner_id or user_id) in self._users
        if not allowed and self._logged.first((user_id, group_id)):
            log.info("telegram_not_served", user=user_id, chat=group_id or user_id)
        return allowed
