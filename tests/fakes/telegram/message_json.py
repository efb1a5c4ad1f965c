"""A message as the Bot API gives it."""

from __future__ import annotations

from tests.fakes.telegram.entities import units
from tests.fakes.telegram.state import Json, Message, User

# Who stands for administrators that do not want to be named (core.telegram.org/bots/api#message).
_ANONYMOUS = {"id": 1_087_968_824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}


def message_json(message: Message, bot: User, *, reply: bool = True) -> Json:
    """A `Message`. `reply`: with the message that it answers, as every top-level one comes."""
    answer: Json = {
        "message_id": message.id,
        "from": message.sender.as_json(),
        "chat": message.chat.as_json(),
        "date": message.date,
    }
    if message.anonymous:
        answer |= {"from": _ANONYMOUS, "sender_chat": message.chat.as_json()}
    if message.edited:
        answer["edit_date"] = message.edited
    if message.connection is not None:
        answer["business_connection_id"] = message.connection.id
        if message.by_bot:
            answer["sender_business_bot"] = bot.as_json()
    if message.thread and message.chat.forum:
        answer |= {"message_thread_id": message.thread, "is_topic_message": True}
    elif message.chat.kind == "supergroup" and message.reply_to is not None:
        # Replies are a thread too, but no topic.
        answer["message_thread_id"] = _root(message).id
    if message.origin:
        answer["forward_origin"] = message.origin
    if message.media_group:
        answer["media_group_id"] = message.media_group
    answer |= message.media | message.service
    if message.text:
        words = "caption" if message.media else "text"
        answer[words] = message.text
        if message.entities:
            answer[f"{words[:-4] if words == 'text' else 'caption_'}entities"] = message.entities
    if message.rich:
        answer["rich_message"] = message.rich
    if message.markup and "inline_keyboard" in message.markup:
        answer["reply_markup"] = message.markup
    if reply:
        answer |= _answered(message, bot)
    return answer


def _root(message: Message) -> Message:
    """Where its chain of replies begins."""
    while message.reply_to is not None:
        message = message.reply_to
    return message


def _answered(message: Message, bot: User) -> Json:
    """What it answers: in the same chat or, with `external`, in another."""
    answer: Json = {}
    # What answers nothing in a topic comes as an answer to the message that opened the topic.
    opening = message.chat.messages.get(message.thread) if message.thread and message.external is None else None
    target = message.reply_to or (opening if opening is not message else None)
    if target is not None and target.deleted_at is None:
        answer["reply_to_message"] = message_json(target, bot, reply=False)
    if message.external is not None:
        other = message.external
        origin = {"type": "user", "sender_user": other.sender.as_json(), "date": other.date}
        answer["external_reply"] = {"origin": origin} | other.media
        if other.chat.kind == "supergroup":
            answer["external_reply"] |= {"chat": other.chat.as_json(), "message_id": other.id}
    source = message.external or message.reply_to
    if message.quote and source is not None:
        position = max(0, source.text.find(message.quote))
        answer["quote"] = {"text": message.quote, "position": units(source.text[:position]), "is_manual": True}
    return answer
