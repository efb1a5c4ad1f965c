"""Where in Telegram something is said, and how our rows name it.

| row | its name |
|---|---|
| workspace | the bot's id |
| place | `CHAT`, `CHAT:TOPIC`, or `bOWNER:CHAT` for a chat of a business account |
| conversation | the current one of its place: `PLACE#EPOCH` (`core.store.places`) |
| inbound event | `BOT:CHAT:MESSAGE`, `BOT:bOWNER:CHAT:MESSAGE`; besides `BOT:update:UPDATE` |
| post | `CHAT:MESSAGE`, `bOWNER:CHAT:MESSAGE` |

Where to answer is a target, kept beside the delivery.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Target:
    """Where one question stands, and so where its answer goes.

    `message_id` is the question's; in groups the answer replies to it. `topic_id` is the forum topic
    (`message_thread_id`), if any. `business` is the business connection through which it came, whose account is
    `owner_id`'s; empty and 0 elsewhere. `user_id` asked it.
    """

    chat_id: int
    message_id: int
    user_id: int
    topic_id: int | None = None
    business: str = ""
    owner_id: int = 0
    private: bool = False

    @property
    def place(self) -> str:
        """The external id of its place."""
        return place_name(self.chat_id, self.topic_id, self.owner_id)

    def stored(self) -> dict[str, Any]:
        """As rows keep it."""
        return asdict(self)

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        """From a row.

        Raises:
            KeyError: it is none of ours.
        """
        topic = stored["topic_id"]
        return cls(
            chat_id=int(stored["chat_id"]),
            message_id=int(stored["message_id"]),
            user_id=int(stored["user_id"]),
            topic_id=int(topic) if topic is not None else None,
            business=str(stored["business"]),
            owner_id=int(stored["owner_id"]),
            private=bool(stored["private"]),
        )


def place_name(chat_id: int, topic_id: int | None = None, owner_id: int = 0) -> str:
    """The external id of a place; `owner_id`: it is a chat of that person's business account."""
    chat = f"b{owner_id}:{chat_id}" if owner_id else str(chat_id)
    return f"{chat}:{topic_id}" if topic_id is not None else chat


def message_key(bot_id: str, chat_id: int, message_id: int, owner_id: int = 0) -> str:
    """The key of an inbound event about this message."""
    return f"{bot_id}:{place_name(chat_id, owner_id=owner_id)}:{message_id}"


def update_key(bot_id: str, update_id: int) -> str:
    """The key of an update, which Telegram may bring twice."""
    return f"{bot_id}:update:{update_id}"


def post_id(chat_id: int, message_id: int, owner_id: int = 0) -> str:
    """The id of a message of ours, as posts keep it (`ChatPlatform`)."""
    return f"{place_name(chat_id, owner_id=owner_id)}:{message_id}"


def read_post_id(post: str) -> tuple[int, int]:
    """Chat and message of a post.

    Raises:
        ValueError: it is none of ours.
    """
    chat, _, message = post.rpartition(":")
    return int(chat.rpartition(":")[2]), int(message)
