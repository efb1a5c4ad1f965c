"""Who and what there is: people, chats, topics, messages, Business connections."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from tests.fakes.telegram.files import StoredFile

Json = dict[str, Any]
Kind = Literal["private", "group", "supergroup"]
Status = Literal["creator", "administrator", "member", "restricted", "left", "kicked"]


@dataclass(eq=False, repr=False)
class User:
    """Somebody, or a bot. `started`: has ever written to the bot, which may not write first. `blocked`: has blocked
    it."""

    id: int
    name: str
    username: str = ""
    language: str = "en"
    is_bot: bool = False
    started: bool = False
    blocked: bool = False
    deactivated: bool = False

    def __repr__(self) -> str:
        return f"<User {self.id} {self.name}>"

    @property
    def mention(self) -> str:
        """As it stands in a text."""
        return f"@{self.username}"

    def as_json(self) -> Json:
        """A `User`."""
        answer: Json = {"id": self.id, "is_bot": self.is_bot, "first_name": self.name}
        if self.username:
            answer["username"] = self.username
        return answer | ({"language_code": self.language} if self.language and not self.is_bot else {})


@dataclass(eq=False)
class Topic:
    """A topic of a forum; its id is a `message_thread_id`."""

    id: int
    name: str
    closed: bool = False
    deleted: bool = False


@dataclass(eq=False)
class BusinessConnection:
    """A bot that answers for somebody."""

    id: str
    owner: User
    date: int
    can_reply: bool = True
    enabled: bool = True
    can_read: bool = True

    def as_json(self) -> Json:
        """A `BusinessConnection`."""
        rights = {"can_reply": self.can_reply, "can_read_messages": self.can_read}
        return {
            "id": self.id,
            "user": self.owner.as_json(),
            "user_chat_id": self.owner.id,
            "date": self.date,
            "is_enabled": self.enabled,
            "rights": {name: True for name, has in rights.items() if has},
        }


@dataclass(frozen=True)
class Version:
    """What a message said from `at` on. `kept`: of the bot's answers, the keyboard as well."""

    at: float
    text: str
    buttons: tuple[str, ...] = ()


@dataclass(eq=False, repr=False)
class Message:
    """A message as it is now, and `versions` of all that it ever said.

    `text` is the caption of one with media. `files` are those that it carries, largest first for a photo; `media` is
    the part of its JSON that describes them. `thread` is the topic, 0 for none. `origin`: a
    MessageOrigin of what was forwarded. `connection`: it stands in a chat of
    this Business connection's owner; `by_bot`: the bot wrote it in the owner's name. `anonymous`: by
    an administrator who speaks as the group.
    """

    id: int
    chat: Chat
    sender: User
    date: int
    text: str = ""
    entities: list[Json] = field(default_factory=list)
    media: Json = field(default_factory=dict)
    files: list[StoredFile] = field(default_factory=list)
    reply_to: Message | None = None
    external: Message | None = None
    quote: str = ""
    thread: int = 0
    media_group: str = ""
    origin: Json = field(default_factory=dict)
    markup: Json | None = None
    service: Json = field(default_factory=dict)
    rich: Json = field(default_factory=dict)
    connection: BusinessConnection | None = None
    by_bot: bool = False
    anonymous: bool = False
    edited: int = 0
    deleted_at: float | None = None
    versions: list[Version] = field(default_factory=list)
    reactions: dict[int, list[str]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Message {self.id} in {self.chat.id} by {self.sender.name}: {self.text!r}>"

    @property
    def buttons(self) -> list[Json]:
        """Of its inline keyboard, row by row."""
        rows = (self.markup or {}).get("inline_keyboard", [])
        return [button for row in rows for button in row]

    @property
    def labels(self) -> tuple[str, ...]:
        """The buttons' texts."""
        return tuple(button["text"] for button in self.buttons)


@dataclass
class Draft:
    """A preview in a private chat, until `until`. `stop`, `keep`: can_stop and keep_on_stop."""

    id: int
    text: str
    until: float
    thread: int = 0
    stop: bool = False
    keep: bool = False


@dataclass(frozen=True)
class DraftSeen:
    """What a draft showed from `at` on."""

    at: float
    draft: int
    text: str
    stop: bool


@dataclass(eq=False, repr=False)
class Chat:
    """A conversation. `connection`: the private chat of its owner and `user`, which the bot sees by it.

    `bot`: what the bot is here. `sees_all`: it gets what everybody says (privacy mode off when it was added, or an
    administrator).
    """

    id: int
    kind: Kind
    title: str = ""
    user: User | None = None
    connection: BusinessConnection | None = None
    members: dict[int, Status] = field(default_factory=dict)
    forum: bool = False
    bot: Status = "member"
    sees_all: bool = False
    can_send: bool = True
    migrated_to: int = 0
    topics: dict[int, Topic] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)
    drafts: dict[tuple[int, int], Draft] = field(default_factory=dict)
    drafts_seen: list[DraftSeen] = field(default_factory=list)
    actions: list[tuple[float, str]] = field(default_factory=list)
    last_id: int = 0

    def __repr__(self) -> str:
        return f"<Chat {self.id} {self.kind} {self.title or (self.user.name if self.user else '')}>"

    @property
    def group(self) -> bool:
        """Of several people."""
        return self.kind != "private"

    def as_json(self) -> Json:
        """A `Chat`."""
        answer: Json = {"id": self.id, "type": self.kind}
        if self.user is not None:
            answer["first_name"] = self.user.name
            return answer | ({"username": self.user.username} if self.user.username else {})
        return answer | {"title": self.title} | ({"is_forum": True} if self.forum else {})
