"""What people see in a conversation now."""

from __future__ import annotations

from dataclasses import dataclass

from tests.fakes.slack.pressing import Pressing
from tests.fakes.slack.state import Channel, Json, Message, User


@dataclass(frozen=True)
class Seen:
    """A message on somebody's screen. `text`: all that is written in it; `buttons`: their labels; `streaming`: more of
    it is to come."""

    ts: str
    author: str
    text: str
    files: tuple[str, ...]
    buttons: tuple[str, ...]
    reactions: tuple[str, ...]
    streaming: bool
    message: Message

    def __str__(self) -> str:
        files = "".join(f" [{name}]" for name in self.files)
        buttons = "".join(f" ({label})" for label in self.buttons)
        marks = "".join(f" :{name}:" for name in self.reactions)
        return f"{self.author}: {self.text}{files}{buttons}{marks}{' …' if self.streaming else ''}"


class FakeSlack(Pressing):
    """All of the fake: see `Core` for its attributes, `Speaking` and `Pressing` for what people do."""

    def seen(self, channel: Channel, thread: str = "", *, by: User | None = None) -> list[Seen]:
        """A thread, or with "" the conversation itself, oldest first. `by`: with what only this user sees."""
        with self.lock:
            if thread:
                messages = self.world.thread(channel, thread)
            else:
                messages = [m for m in channel.messages.values() if not m.thread_ts or m.broadcast]
            return [self._seen(m) for m in messages if m.ephemeral_to in ("", by.id if by else "")]

    def answers(self, channel: Channel, thread: str = "") -> list[Seen]:
        """Those of the bot's that are no longer streaming."""
        return [s for s in self.seen(channel, thread) if s.message.bot_id and not s.streaming]

    def status(self, channel: Channel, thread: str) -> str:
        """What the thread shows of the bot's work: the status line, else the session's status, "" for nothing."""
        with self.lock:
            line = self.world.statuses.get((channel.id, thread))
            if line is not None and line["until"] > self.world.clock.now():
                return str(line["status"])
            session = self.world.sessions.get((channel.id, thread))
            return session.status if session else ""

    def transcript(self, channel: Channel) -> str:
        """All of a conversation with its threads, a line a message, replies indented."""
        lines: list[str] = []
        for top in self.seen(channel):
            lines.append(str(top))
            lines += [f"    {reply}" for reply in self.seen(channel, top.ts) if reply.ts != top.ts]
        return "\n".join(lines)

    def _seen(self, message: Message) -> Seen:
        self.expire(message)
        user = self.world.users[message.author]
        return Seen(
            ts=message.ts,
            author=user.name,
            text=visible_text(message),
            files=tuple(self.world.files[file].name for file in message.files),
            buttons=tuple(_buttons(message.blocks)),
            reactions=tuple(message.reactions),
            streaming=message.stream is not None and message.stream.state == "in_progress",
            message=message,
        )


def visible_text(message: Message) -> str:
    """What is written: with blocks theirs, as `text` is then for notifications alone; streamed text above them."""
    written = [text for block in message.blocks if (text := _block_text(block))]
    if message.stream is not None:
        return "\n".join([message.text, *written] if message.text else written)
    own_words = message.blocks and message.blocks[0]["type"] == "rich_text"
    return message.text if own_words or not written else "\n".join(written)


def _block_text(block: Json) -> str:
    kind = block["type"]
    if kind == "markdown":
        return str(block["text"])
    if kind in ("section", "header"):
        parts = [block["text"]] if "text" in block else []
        return "\n".join(part["text"] for part in [*parts, *block.get("fields", [])])
    if kind == "context":
        return " ".join(element.get("text", "") for element in block["elements"])
    if kind == "image":
        return f"[{block['alt_text']}]"
    return ""


def _buttons(blocks: list[Json]) -> list[str]:
    labels: list[str] = []
    for block in blocks:
        for element in [*block.get("elements", []), block.get("accessory") or {}]:
            if element.get("type") in ("button", "icon_button"):
                labels.append(element["text"]["text"])
            elif element.get("type") == "feedback_buttons":
                labels += [element[name]["text"]["text"] for name in ("positive_button", "negative_button")]
    return labels
