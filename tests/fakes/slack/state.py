"""What a workspace holds: people, conversations, messages, files, tokens."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
Kind = Literal["channel", "group", "im", "mpim"]
StreamState = Literal["in_progress", "completed", "expired", "stopped_by_user"]


@dataclass
class User:
    """Somebody, or a bot."""

    id: str
    name: str
    team_id: str
    locale: str = "en-US"
    is_bot: bool = False
    is_admin: bool = False

    @property
    def mention(self) -> str:
        """As it stands in the text of a message."""
        return f"<@{self.id}>"

    def as_json(self, *, include_locale: bool = False) -> Json:
        """As `users.info` gives it."""
        answer: Json = {
            "id": self.id,
            "team_id": self.team_id,
            "name": self.name,
            "deleted": False,
            "real_name": self.name.title(),
            "tz": "Europe/Oslo",
            "tz_label": "Central European Time",
            "tz_offset": 3600,
            "profile": {"real_name": self.name.title(), "display_name": self.name, "team": self.team_id},
            "is_admin": self.is_admin,
            "is_owner": False,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "updated": 1_700_000_000,
        }
        return answer | ({"locale": self.locale} if include_locale else {})


@dataclass
class Stream:
    """What `chat.startStream` began. `mode` is the argument that brought its first text and must bring the rest."""

    started: float
    state: StreamState = "in_progress"
    mode: Literal["", "markdown_text", "chunks"] = ""
    chunk_blocks: int = 0


@dataclass
class Message:
    """A message as it is now. `ephemeral_to`: the only user who sees it. `author` is a user's id or a bot's user id."""

    ts: str
    channel: str
    author: str
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    thread_ts: str = ""
    bot_id: str = ""
    subtype: str = ""
    edited: str = ""
    metadata: Json = field(default_factory=dict)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    ephemeral_to: str = ""
    client_msg_id: str = ""
    broadcast: bool = False
    stream: Stream | None = None

    @property
    def root(self) -> str:
        """The ts of the thread that it stands in: its own when it begins one."""
        return self.thread_ts or self.ts


@dataclass
class Channel:
    """A conversation. `shared`: with another organisation, over Slack Connect."""

    id: str
    kind: Kind
    name: str
    team_id: str
    members: set[str] = field(default_factory=set)
    shared: bool = False
    archived: bool = False
    messages: dict[str, Message] = field(default_factory=dict)

    @property
    def scope(self) -> str:
        """What scopes call this kind: `im` in `im:history`."""
        return {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}[self.kind]

    def as_json(self, bot: str) -> Json:
        """As `conversations.info` gives it to the bot."""
        others = sorted(self.members - {bot})
        answer: Json = {
            "id": self.id,
            "created": 1_700_000_000,
            "is_archived": self.archived,
            "is_im": self.kind == "im",
            "is_mpim": self.kind == "mpim",
            "is_channel": self.kind == "channel",
            "is_group": self.kind == "group",
            "is_private": self.kind != "channel",
            "is_ext_shared": self.shared,
            "context_team_id": self.team_id,
        }
        if self.kind == "im":
            return answer | {"user": others[0] if others else bot, "is_user_deleted": False, "priority": 0}
        topic = {"value": "", "creator": "", "last_set": 0}
        return answer | {
            "name": self.name,
            "name_normalized": self.name,
            "is_member": bot in self.members,
            "topic": topic,
            "purpose": topic,
            "num_members": len(self.members),
        }


@dataclass
class Workspace:
    """A team with the app's bot in it. `agent`: the app is declared as an agent (`agent_view`)."""

    id: str
    name: str
    bot_user: User
    bot_id: str
    agent: bool = True


@dataclass
class Grant:
    """What a token may do. `kind`: bot, app-level (Socket Mode) or a user's."""

    token: str
    kind: Literal["bot", "app", "user"]
    team_id: str
    scopes: tuple[str, ...]
    user: str = ""
    expires: float | None = None


class Ids:
    """New ids in Slack's form: a letter and ten capital letters and digits."""

    def __init__(self) -> None:
        self._next = itertools.count(1)

    def __call__(self, letters: str) -> str:
        number, digits = next(self._next), "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        text = ""
        while number:
            number, rest = divmod(number, 36)
            text = digits[rest] + text
        return f"{letters}{text:0>10}"
