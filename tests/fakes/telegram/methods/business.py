"""What the bot does for the owner of a Business connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes.telegram.methods.where import connection
from tests.fakes.telegram.refusal import Refusal
from tests.fakes.telegram.state import Json

if TYPE_CHECKING:
    from tests.fakes.telegram.fake import FakeTelegram


def _get(fake: FakeTelegram, arguments: Json) -> Json:
    found = fake.world.connections.get(arguments["business_connection_id"])
    if found is None:
        raise Refusal("business connection not found")
    return found.as_json()


def _read(fake: FakeTelegram, arguments: Json) -> bool:
    link = connection(fake, arguments["business_connection_id"])
    if not link.can_read:
        raise Refusal("BOT_ACCESS_FORBIDDEN", fault=f"readBusinessMessage over {link.id}, which may not read")
    chat = fake.world.chat(arguments["chat_id"], link.id)
    message = fake.world.message(chat, arguments["message_id"], "MESSAGE_ID_INVALID")
    fake.read.append(message)
    return True


def _delete(fake: FakeTelegram, arguments: Json) -> bool:
    link = connection(fake, arguments["business_connection_id"])
    numbers = arguments["message_ids"]
    for chat in fake.world.chats.values():
        for message in chat.messages.values():
            if chat.connection is link and message.id in numbers:
                if not message.by_bot:
                    raise Refusal("BOT_ACCESS_FORBIDDEN", fault="a Business message that the bot did not send")
                message.deleted_at = fake.clock.now()
    return True


HANDLERS = {"getBusinessConnection": _get, "readBusinessMessage": _read, "deleteBusinessMessages": _delete}
