"""Messages that go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes.telegram.methods.where import reach
from tests.fakes.telegram.refusal import Refusal
from tests.fakes.telegram.state import Chat, Json, Message

if TYPE_CHECKING:
    from tests.fakes.telegram.fake import FakeTelegram

_TWO_DAYS = 48 * 3_600


def _may(fake: FakeTelegram, chat: Chat, message: Message) -> bool:
    """core.telegram.org/bots/api#deletemessage: within two days; its own anywhere, others' in private chats and where
    it is an administrator."""
    if message.date < fake.clock.now() - _TWO_DAYS:
        return False
    return message.sender is fake.bot or not chat.group or chat.bot == "administrator"


def _delete_one(fake: FakeTelegram, arguments: Json) -> bool:
    chat = reach(fake, arguments["chat_id"])
    message = fake.world.message(chat, arguments["message_id"], "message to delete not found")
    if not _may(fake, chat, message):
        raise Refusal("message can't be deleted")
    message.deleted_at = fake.clock.now()
    return True


def _delete_many(fake: FakeTelegram, arguments: Json) -> bool:
    """Those that cannot be found are passed over."""
    chat, numbers = reach(fake, arguments["chat_id"]), arguments["message_ids"]
    if not 1 <= len(numbers) <= 100:
        raise Refusal("too many message identifiers specified", fault=f"{len(numbers)} message_ids")
    found = [chat.messages[n] for n in numbers if n in chat.messages and chat.messages[n].deleted_at is None]
    for message in found:
        if _may(fake, chat, message):
            message.deleted_at = fake.clock.now()
    return True


HANDLERS = {"deleteMessage": _delete_one, "deleteMessages": _delete_many}
