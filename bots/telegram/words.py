"""Telegram's text and entities → the words that a person typed. Entities count in UTF-16 units."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from telegram import MessageEntity, User

from serving.text import clean

_MENTIONS = (MessageEntity.MENTION, MessageEntity.TEXT_MENTION)


@dataclass(frozen=True, slots=True)
class Text:
    """A message's text or caption with its entities."""

    text: str
    entities: tuple[MessageEntity, ...] = ()

    def part(self, entity: MessageEntity) -> str:
        """The words that an entity is about."""
        units = self.text.encode("utf-16-le", "surrogatepass")
        return units[2 * entity.offset : 2 * (entity.offset + entity.length)].decode("utf-16-le", "replace")

    def mentions(self, me: User) -> bool:
        """Whether we are mentioned."""
        return any(self._is_me(entity, me) for entity in self.entities)

    def turns_to_somebody_else(self, me: User) -> bool:
        """Whether it begins by mentioning somebody who is not us."""
        first = next((e for e in self.entities if e.type in _MENTIONS and not self._before(e).strip()), None)
        return first is not None and not self._is_me(first, me)

    def command(self) -> tuple[str, str, str] | None:
        """The command that it begins with: its name, the bot that it names (without @; empty: none), what follows."""
        entity = next((e for e in self.entities if e.type == MessageEntity.BOT_COMMAND and e.offset == 0), None)
        if entity is None:
            return None
        name, _, bot = self.part(entity).removeprefix("/").partition("@")
        units = self.text.encode("utf-16-le", "surrogatepass")
        rest = units[2 * entity.length :].decode("utf-16-le", "replace")
        return name.lower(), bot, clean(rest).strip()

    def spoken(self, me: User) -> str:
        """What a person reads, without our name; links behind words are written out."""
        units = self.text.encode("utf-16-le", "surrogatepass")
        pieces: list[bytes] = []
        at = 0
        for entity in sorted(self.entities, key=lambda e: e.offset):
            begin, end = 2 * entity.offset, 2 * (entity.offset + entity.length)
            if begin < at:
                continue
            if self._is_me(entity, me):
                pieces.append(units[at:begin])
                at = end
                if units[at : at + 2] in (",".encode("utf-16-le"), ":".encode("utf-16-le")):
                    at += 2
            elif entity.type == MessageEntity.TEXT_LINK and entity.url and entity.url != self.part(entity):
                pieces.append(units[at:end] + f" ({entity.url})".encode("utf-16-le", "surrogatepass"))
                at = end
        pieces.append(units[at:])
        return clean(b"".join(pieces).decode("utf-16-le", "replace")).strip()

    def _before(self, entity: MessageEntity) -> str:
        units = self.text.encode("utf-16-le", "surrogatepass")
        return units[: 2 * entity.offset].decode("utf-16-le", "replace")

    def _is_me(self, entity: MessageEntity, me: User) -> bool:
        if entity.type == MessageEntity.TEXT_MENTION:
            return entity.user is not None and entity.user.id == me.id
        if entity.type != MessageEntity.MENTION or not me.username:
            return False
        return self.part(entity).lower() == f"@{me.username}".lower()


def text_of(text: str | None, entities: Sequence[MessageEntity]) -> Text:
    """What a message says; entities that reach beyond it are left out."""
    said = text or ""
    most = len(said.encode("utf-16-le", "surrogatepass")) // 2
    return Text(said, tuple(e for e in entities if e.offset >= 0 and e.length > 0 and e.offset + e.length <= most))


def quoted(question: str, lines: Iterable[str]) -> str:
    """A question about words that somebody wrote before."""
    quote = "\n".join(f"> {line}" for text in lines for line in text.strip().splitlines())
    return "\n\n".join(part for part in (quote, question) if part)
