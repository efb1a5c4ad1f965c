"""Where a call goes: the chat, the topic, the message that is answered, and whether the bot may."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fakes.telegram.refusal import Refusal
from tests.fakes.telegram.state import BusinessConnection, Chat, Json, Message

if TYPE_CHECKING:
    from tests.fakes.telegram.fake import FakeTelegram

_DAY = 24 * 3_600
_REPLY = {
    *("message_id", "chat_id", "allow_sending_without_reply", "quote", "quote_parse_mode", "quote_entities"),
    *("quote_position", "checklist_task_id", "poll_option_id"),
}


def reach(fake: FakeTelegram, chat_id: Any, connection_id: str = "") -> Chat:
    """A chat that the bot may look into and write to.

    Raises:
        Refusal: there is none, or the bot was blocked, removed, or left behind by a migration.
    """
    if connection_id:
        chat = fake.world.chat(chat_id, connection(fake, connection_id).id)
    else:
        chat = fake.world.chat(chat_id)
        _may_enter(chat)
    return chat


def _may_enter(chat: Chat) -> None:
    if chat.user is not None:
        if chat.user.deactivated:
            raise Refusal("user is deactivated", 403)
        if chat.user.blocked:
            raise Refusal("bot was blocked by the user", 403)
        if not chat.user.started:
            raise Refusal("bot can't initiate conversation with a user", 403)
        return
    if chat.migrated_to:
        moved = {"migrate_to_chat_id": chat.migrated_to}
        raise Refusal("group chat was upgraded to a supergroup chat", parameters=moved)
    if chat.bot == "kicked":
        raise Refusal(f"bot was kicked from the {chat.kind} chat", 403)
    if chat.bot == "left":
        raise Refusal(f"bot is not a member of the {chat.kind} chat", 403)


def connection(fake: FakeTelegram, connection_id: str) -> BusinessConnection:
    """Raises:
    Refusal: there is none, or its owner has ended it.
    """
    found = fake.world.connections.get(connection_id)
    if found is None:
        raise Refusal("business connection not found")
    if not found.enabled:
        raise Refusal("BUSINESS_CONNECTION_INVALID")
    return found


def destination(fake: FakeTelegram, arguments: Json) -> tuple[Chat, int]:
    """Where something is to be sent: the chat and the topic.

    Raises:
        Refusal: it may not.
    """
    chat = reach(fake, arguments["chat_id"], arguments.get("business_connection_id", ""))
    if chat.connection is not None:
        may_reply(fake, chat)
    if not chat.can_send:
        raise Refusal("not enough rights to send text messages to the chat")
    thread = int(arguments.get("message_thread_id", 0))
    if thread and not chat.forum:
        # A chain of replies has a number too, and yet nothing can be sent to it.
        known = chat.kind == "supergroup" and thread in chat.messages
        raise Refusal("message thread is not a forum topic thread" if known else "message thread not found")
    if thread:
        topic = chat.topics.get(thread)
        if topic is None or topic.deleted:
            raise Refusal("message thread not found")
        if topic.closed and chat.bot != "administrator":
            raise Refusal("TOPIC_CLOSED")
    return chat, thread


def may_reply(fake: FakeTelegram, chat: Chat) -> None:
    """Raises:
    Refusal: the owner has not allowed it, or the customer has been silent for a day.
    """
    link = chat.connection
    assert link is not None
    if not link.can_reply:
        raise Refusal("BOT_ACCESS_FORBIDDEN")
    written = [m.date for m in chat.messages.values() if m.sender is chat.user]
    if not written or max(written) < fake.clock.now() - _DAY:
        raise Refusal("BUSINESS_PEER_USAGE_MISSING")


def answered(fake: FakeTelegram, arguments: Json, chat: Chat) -> tuple[Message | None, Message | None, str]:
    """What reply_parameters name: the message in this chat, or that in another one, and the quotation.

    Raises:
        Refusal: there is no such message, and the reply was not to go without it.
    """
    given = arguments.get("reply_parameters")
    if given is None:
        return None, None, ""
    if unknown := set(given) - _REPLY:
        raise Refusal(f"unknown field in reply_parameters: {sorted(unknown)}", fault=f"reply_parameters {given}")
    if not isinstance(given.get("message_id"), int):
        raise Refusal('field "message_id" must be a Number', fault=f"reply_parameters {given}")
    elsewhere = given.get("chat_id", chat.id) != chat.id
    there = fake.world.chats.get(("", given["chat_id"])) if elsewhere else chat
    found = there.messages.get(given["message_id"]) if there is not None else None
    if found is None or found.deleted_at is not None:
        if given.get("allow_sending_without_reply"):
            return None, None, ""
        raise Refusal("message to be replied not found")
    quote = str(given.get("quote", ""))
    if quote and quote not in found.text:
        raise Refusal("QUOTE_TEXT_INVALID")
    return (None, found, quote) if elsewhere else (found, None, quote)
