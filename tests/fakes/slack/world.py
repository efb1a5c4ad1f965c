"""All workspaces of the fake, by id, and how a caller's view of them is found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.fakes.slack.clock import SlackClock
from tests.fakes.slack.files import StoredFile
from tests.fakes.slack.refusal import Refusal
from tests.fakes.slack.rich import rich_text
from tests.fakes.slack.state import Channel, Grant, Ids, Json, Message, User, Workspace


@dataclass
class Caller:
    """Who calls a method: the token's grant and, for a bot's token, its workspace."""

    grant: Grant
    workspace: Workspace

    @property
    def bot(self) -> str:
        """The bot's user id."""
        return self.workspace.bot_user.id


@dataclass
class Session:
    """An agent session (agents.sessions.*) of one thread."""

    status: str
    title: str = ""


@dataclass
class World:
    """What there is. Changed under the fake's lock only."""

    clock: SlackClock
    ids: Ids
    app_id: str
    workspaces: dict[str, Workspace] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    files: dict[str, StoredFile] = field(default_factory=dict)
    sessions: dict[tuple[str, str], Session] = field(default_factory=dict)
    statuses: dict[tuple[str, str], Json] = field(default_factory=dict)
    prompts: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    homes: dict[str, Json] = field(default_factory=dict)
    modals: dict[str, Json] = field(default_factory=dict)

    def channel(self, channel: str, caller: Caller) -> Channel:
        """One that the caller's bot can see.

        Raises:
            Refusal: channel_not_found, also for a private one that the bot is not in.
        """
        found = self.channels.get(channel)
        if found is None or found.team_id != caller.workspace.id:
            raise Refusal("channel_not_found")
        if found.kind != "channel" and caller.bot not in found.members:
            raise Refusal("channel_not_found")
        return found

    def message(self, channel: Channel, ts: str, code: str = "message_not_found") -> Message:
        """Raises:
        Refusal: `code`, when there is none.
        """
        found = channel.messages.get(ts)
        if found is None or found.ephemeral_to:
            raise Refusal(code)
        return found

    def sees(self, team_id: str, file: StoredFile) -> bool:
        """Whether a workspace has the file: as its own, or shared into a channel of it from another one."""
        return team_id in {file.team_id, *(self.channels[channel].team_id for channel, _ in file.shares)}

    def thread(self, channel: Channel, root: str) -> list[Message]:
        """The root, if it is still there, and all replies, oldest first."""
        # In the order in which they were written, which is that of their ts.
        return [m for m in channel.messages.values() if m.root == root]

    def replies(self, channel: Channel, root: Message) -> list[Message]:
        """All others of its thread that everybody sees, oldest first."""
        return [m for m in self.thread(channel, root.ts) if m is not root and not m.ephemeral_to]

    def message_json(self, message: Message, *, metadata: bool = True, event: bool = False) -> Json:
        """As the history gives it, or (`event`) as an event does: without the tally of its replies, and with stubs of
        files that files.info must be asked for."""
        channel = self.channels[message.channel]
        answer: Json = {"type": "message", "user": message.author, "text": message.text, "ts": message.ts}
        author = self.users[message.author]
        # In shared channels: where the author is at home.
        answer["team"] = author.team_id or channel.team_id
        if author.team_id not in ("", channel.team_id):
            answer |= {"user_team": author.team_id, "source_team": author.team_id}
        if message.client_msg_id:
            answer["client_msg_id"] = message.client_msg_id
        if message.subtype:
            answer["subtype"] = message.subtype
        if message.bot_id:
            answer |= {"bot_id": message.bot_id, "app_id": self.app_id}
        streamed = rich_text(message.text, f"stream-{message.ts}") if message.stream is not None else []
        if message.blocks or streamed:
            answer["blocks"] = [*streamed, *message.blocks]
        if message.attachments:
            answer["attachments"] = message.attachments
        if message.files:
            answer |= {"files": [self.files[file].as_json(event=event) for file in message.files], "upload": False}
            answer["display_as_bot"] = False
        if message.edited:
            answer["edited"] = {"user": message.author, "ts": message.edited}
        if message.metadata and metadata:
            answer["metadata"] = message.metadata
        if message.stream is not None:
            answer["streaming_state"] = message.stream.state
        if message.reactions:
            answer["reactions"] = [{"name": n, "users": u, "count": len(u)} for n, u in message.reactions.items()]
        replies = [] if event or message.thread_ts else self.replies(channel, message)
        if message.thread_ts:
            answer["thread_ts"] = message.thread_ts
            parent = channel.messages.get(message.thread_ts)
            if parent is not None:
                answer["parent_user_id"] = parent.author
        elif replies:
            answer |= {
                "thread_ts": message.ts,
                "reply_count": len(replies),
                "reply_users": sorted({m.author for m in replies}),
                "latest_reply": replies[-1].ts,
            }
        return answer

    def add_message(self, channel: Channel, author: str, **parts: Any) -> Message:
        """A new message, now."""
        message = Message(ts=self.clock.stamp(), channel=channel.id, author=author, **parts)
        channel.messages[message.ts] = message
        return message
