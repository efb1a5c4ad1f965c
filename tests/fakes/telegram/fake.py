"""What people see in a chat now, and what they saw before."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from tests.fakes.telegram.methods.commands import shown
from tests.fakes.telegram.pressing import Pressing
from tests.fakes.telegram.state import Chat, Message, User


@dataclass(frozen=True)
class Seen:
    """A message on somebody's screen. `by_bot`: the bot wrote it, also in the name of a Business account's owner.
    `before`: what it said before it was edited. `media`: "photo", "document", … or ""."""

    id: int
    author: str
    text: str
    media: str
    buttons: tuple[str, ...]
    reactions: tuple[str, ...]
    by_bot: bool
    reply_to: int
    thread: int
    before: tuple[str, ...]
    message: Message

    def __str__(self) -> str:
        parts = [f"{self.author}:"]
        parts += [f"[{self.media}]"] if self.media else []
        parts += [self.text] if self.text else []
        parts += [f"({label})" for label in self.buttons]
        return " ".join([*parts, *self.reactions])


class FakeTelegram(Pressing):
    """All of the fake: see `Core` for its attributes, `People`, `Speaking` and `Pressing` for what people do."""

    def seen(self, chat: Chat, thread: int | None = None) -> list[Seen]:
        """A chat, or one topic of it (0: what stands in none), oldest first, without what was deleted."""
        with self.lock:
            there = [m for m in chat.messages.values() if m.deleted_at is None]
            return [self._seen(m) for m in there if thread is None or m.thread == thread]

    def answers(self, chat: Chat, to: Message | None = None) -> list[Seen]:
        """What the bot wrote there, or wrote in reply to a message."""
        return [one for one in self.seen(chat) if one.by_bot and (to is None or one.message.reply_to is to)]

    def doubled(self, *chats: Chat) -> list[Seen]:
        """Those of the bot's messages that say again what another one says in reply to the same message; in all chats
        when none is named. Pictures of an album do not count."""
        found: list[Seen] = []
        with self.lock:
            for chat in chats or tuple(self.world.chats.values()):
                answers = [one for one in self.answers(chat) if not one.message.media_group]
                count = Counter((one.text, one.media, one.reply_to) for one in answers)
                found += [one for one in answers if count[one.text, one.media, one.reply_to] > 1]
        return found

    def typing(self, chat: Chat) -> str:
        """The chat action that people see now: for five seconds, or until the bot's next message."""
        with self.lock:
            at, action = chat.actions[-1] if chat.actions else (0.0, "")
            answers = self.answers(chat)
            said = answers[-1].message.versions[0].at if answers else 0.0
            return action if at + 5 > self.clock.now() and at > said else ""

    def commands(self, chat: Chat, user: User) -> list[str]:
        """The bot's commands in somebody's menu."""
        with self.lock:
            return shown(self.world.settings.commands, chat, user)

    def transcript(self, chat: Chat) -> str:
        """All of a chat, a line a message, with what it said before and what is shown of drafts."""
        lines: list[str] = []
        with self.lock:
            for one in self.seen(chat):
                topic = chat.topics.get(one.thread)
                place = f"#{topic.name} " if topic is not None else ""
                lines += [f"{place}{one}"] + [f"    before: {text}" for text in one.before]
            lines += [f"{self.bot.name} is writing: {draft.text or 'Thinking…'}" for draft in self.drafts(chat)]
        return "\n".join(lines)

    def _seen(self, message: Message) -> Seen:
        kinds = [kind for kind in message.media if kind not in ("document",)] or list(message.media)
        return Seen(
            id=message.id,
            author=message.sender.name,
            text=message.text,
            media=kinds[0] if kinds else next(iter(message.service), ""),
            buttons=message.labels,
            reactions=tuple(emoji for given in message.reactions.values() for emoji in given),
            by_bot=message.sender is self.bot or message.by_bot,
            reply_to=message.reply_to.id if message.reply_to is not None else 0,
            thread=message.thread,
            before=tuple(version.text for version in message.versions[:-1]),
            message=message,
        )
