"""What the bot asks about chats, and what it does with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes.telegram.methods.me import NO_RIGHTS
from tests.fakes.telegram.methods.where import reach
from tests.fakes.telegram.refusal import Refusal
from tests.fakes.telegram.state import Chat, Json, Status, Topic, User

if TYPE_CHECKING:
    from tests.fakes.telegram.fake import FakeTelegram


def _get_chat(fake: FakeTelegram, arguments: Json) -> Json:
    chat = reach(fake, arguments["chat_id"])
    answer = chat.as_json() | {"accent_color_id": 0, "max_reaction_count": 11}
    answer["accepted_gift_types"] = dict.fromkeys(
        ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"), True
    )
    return answer


def member(user: User, status: Status) -> Json:
    """A `ChatMember`."""
    answer: Json = {"user": user.as_json(), "status": status}
    if status == "administrator":
        answer |= dict.fromkeys(NO_RIGHTS, False) | {"can_be_edited": False, "can_manage_chat": True}
    elif status == "creator":
        answer["is_anonymous"] = False
    elif status == "kicked":
        answer["until_date"] = 0
    elif status == "restricted":
        rights: tuple[str, ...] = (
            "can_send_messages",
            "can_send_audios",
            "can_send_documents",
            "can_send_photos",
            "can_send_videos",
        )
        rights += ("can_send_video_notes", "can_send_voice_notes", "can_send_polls", "can_send_other_messages")
        rights += ("can_add_web_page_previews", "can_change_info", "can_invite_users", "can_pin_messages")
        rights += ("can_manage_topics", "can_react_to_messages", "can_edit_tag")
        answer |= dict.fromkeys(rights, False) | {"is_member": True, "until_date": 0}
    return answer


def _get_member(fake: FakeTelegram, arguments: Json) -> Json:
    chat, user_id = reach(fake, arguments["chat_id"]), arguments["user_id"]
    if user_id == fake.bot.id:
        return member(fake.bot, chat.bot)
    user = fake.world.users.get(user_id)
    if user is None:
        raise Refusal("user not found")
    return member(user, chat.members.get(user_id, "left") if chat.group else "member")


def _admins(fake: FakeTelegram, arguments: Json) -> list[Json]:
    chat = reach(fake, arguments["chat_id"])
    if not chat.group:
        raise Refusal("there are no administrators in the private chat")
    leading = [(fake.world.users[u], s) for u, s in chat.members.items() if s in ("creator", "administrator")]
    bot = [member(fake.bot, "administrator")] if chat.bot == "administrator" else []
    return [member(user, status) for user, status in leading] + bot


def _count(fake: FakeTelegram, arguments: Json) -> int:
    return _size(reach(fake, arguments["chat_id"]))


def _size(chat: Chat) -> int:
    if not chat.group:
        return 2
    return sum(status not in ("left", "kicked") for status in chat.members.values()) + 1


def _leave(fake: FakeTelegram, arguments: Json) -> bool:
    chat = reach(fake, arguments["chat_id"])
    if not chat.group:
        raise Refusal("chat member status can't be changed in private chats")
    fake.membership(chat, fake.bot, "left")
    return True


def _topic(fake: FakeTelegram, arguments: Json) -> Json:
    chat = reach(fake, arguments["chat_id"])
    if not chat.forum:
        raise Refusal("the chat is not a forum")
    if chat.bot != "administrator":
        raise Refusal("not enough rights to create a topic")
    message = fake.world.add_message(chat, fake.bot, service={})
    message.service = {"forum_topic_created": {"name": arguments["name"], "icon_color": 7_322_096}}
    message.thread = message.id
    chat.topics[message.id] = Topic(message.id, arguments["name"])
    return {"message_thread_id": message.id, "name": arguments["name"], "icon_color": 7_322_096}


HANDLERS = {
    "getChat": _get_chat,
    "getChatMember": _get_member,
    "getChatAdministrators": _admins,
    "getChatMemberCount": _count,
    "leaveChat": _leave,
    "createForumTopic": _topic,
}
