"""Messages that change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes.telegram.keyboards import read_markup
from tests.fakes.telegram.methods.rich import read_rich
from tests.fakes.telegram.methods.send import read_media
from tests.fakes.telegram.methods.where import may_reply, reach
from tests.fakes.telegram.methods.words import read_caption, read_text
from tests.fakes.telegram.refusal import Refusal
from tests.fakes.telegram.state import Json, Message, Version

if TYPE_CHECKING:
    from tests.fakes.telegram.fake import FakeTelegram

_SAME = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current "
    "content and reply markup of the message"
)
_TWO_DAYS = 48 * 3_600


def _target(fake: FakeTelegram, arguments: Json) -> Message:
    """The message that is to change.

    Raises:
        Refusal: it is not there, or is not the bot's.
    """
    if "inline_message_id" in arguments:
        raise Refusal("MESSAGE_ID_INVALID", fault="there are no inline messages here")
    if "chat_id" not in arguments or "message_id" not in arguments:
        raise Refusal("message identifier is not specified", fault="an edit without chat_id and message_id")
    if getattr(fake.world.chats.get(("", arguments["chat_id"])), "migrated_to", 0):
        # The server tells the new number to those who write, not to those who edit; the words are the fake's guess.
        raise Refusal("MESSAGE_ID_INVALID")
    chat = reach(fake, arguments["chat_id"], arguments.get("business_connection_id", ""))
    message = fake.world.message(chat, arguments["message_id"], "message to edit not found")
    if message.sender is not fake.bot and not message.by_bot:
        raise Refusal("message can't be edited", fault="an edit of somebody else's message")
    if message.by_bot:
        may_reply(fake, chat)
        # Of a Business account's messages, those without buttons can be edited for two days.
        if not message.markup and message.date < fake.clock.now() - _TWO_DAYS:
            raise Refusal("message can't be edited")
    topic = chat.topics.get(message.thread)
    if topic is not None and topic.closed and chat.bot != "administrator":
        raise Refusal("TOPIC_CLOSED")
    return message


def _edit_text(fake: FakeTelegram, arguments: Json) -> Json:
    message = _target(fake, arguments)
    rich: Json = {}
    if "rich_message" in arguments:
        if "sendrichmessage" in fake.unknown_methods:
            raise Refusal("message text is empty", fault="rich_message on a server that does not know it")
        rich, text = read_rich(arguments["rich_message"])
        entities: list[Json] = []
    else:
        text, entities = read_text(arguments)
    if message.media:
        raise Refusal("there is no text in the message to edit", fault="editMessageText of a message with media")
    return _changed(fake, message, text, entities, read_markup(arguments.get("reply_markup")), rich)


def _edit_caption(fake: FakeTelegram, arguments: Json) -> Json:
    message = _target(fake, arguments)
    text, entities = read_caption(arguments)
    if not message.media:
        raise Refusal("there is no caption in the message to edit", fault="editMessageCaption of a text")
    return _changed(fake, message, text, entities, read_markup(arguments.get("reply_markup")), {})


def _edit_media(fake: FakeTelegram, arguments: Json) -> Json:
    message = _target(fake, arguments)
    text, entities = read_caption(arguments["media"])
    media, files = read_media(fake, arguments, arguments["media"])
    message.media, message.files = media, files
    return _changed(fake, message, text, entities, read_markup(arguments.get("reply_markup")), {}, anyway=True)


def _edit_markup(fake: FakeTelegram, arguments: Json) -> Json:
    message = _target(fake, arguments)
    markup = read_markup(arguments.get("reply_markup"))
    return _changed(fake, message, message.text, message.entities, markup, message.rich)


def _changed(
    fake: FakeTelegram,
    message: Message,
    text: str,
    entities: list[Json],
    markup: Json | None,
    rich: Json,
    *,
    anyway: bool = False,
) -> Json:
    before = (message.text, message.entities, message.markup, message.rich)
    if before == (text, entities, markup, rich) and not anyway:
        raise Refusal(_SAME)
    message.text, message.entities, message.markup, message.rich = text, entities, markup, rich
    message.edited = max(fake.world.today(), message.date + 1)
    message.versions.append(Version(fake.clock.now(), text, message.labels))
    answer = fake.json(message)
    return {n: v for n, v in answer.items() if not (rich and n in ("text", "entities"))}


HANDLERS = {
    "editMessageText": _edit_text,
    "editMessageCaption": _edit_caption,
    "editMessageMedia": _edit_media,
    "editMessageReplyMarkup": _edit_markup,
}
