"""Text and its entities as they are written, one after the other; offsets count UTF-16 units."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from telegram import MessageEntity

from bots.chat.split import utf16_units

# Who is named would be called. In code nobody is, and it must stay as it is.
_CALL = re.compile(r"(?<!\w)@(?=\w)")
_INVISIBLE = "\u2060"
# Telegram leaves out what is beyond.
MOST_ENTITIES = 100


@dataclass(slots=True)
class _Open:
    kind: str
    begin: int
    url: str | None = None


@dataclass(slots=True)
class Writer:
    """Text so far and its entities."""

    parts: list[str] = field(default_factory=list)
    length: int = 0
    entities: list[MessageEntity] = field(default_factory=list)
    open: list[_Open] = field(default_factory=list)
    # What stands before each further line of a list's item.
    indent: str = ""
    quotes: int = 0
    # A blank line is due before the next block.
    gap: str = ""

    def say(self, text: str) -> None:
        """More text, with what is open."""
        if not text:
            return
        if self.gap and self.parts:
            self._write(self.gap + self.indent)
        self.gap = ""
        text = _CALL.sub(f"@{_INVISIBLE}", text)
        self._write(text.replace("\n", "\n" + self.indent) if self.indent else text)

    def code(self, text: str, kind: str, language: str | None = None) -> None:
        """Code, which is part of nothing but a quotation."""
        if self.gap and self.parts:
            self._write(self.gap + (self.indent if kind == MessageEntity.CODE else ""))
        self.gap = ""
        elsewhere = [one for one in self.open if one.kind != MessageEntity.BLOCKQUOTE]
        for one in elsewhere:
            self._close(one)
        begin = self.length
        self._write(text)
        self._add(MessageEntity(kind, begin, self.length - begin, language=language or None))
        for one in elsewhere:
            one.begin = self.length

    @contextmanager
    def within(self, kind: str, url: str | None = None) -> Iterator[None]:
        """What is said in the block is of this kind."""
        if self.gap and self.parts:
            self._write(self.gap + self.indent)
            self.gap = ""
        one = _Open(kind, self.length, url)
        self.open.append(one)
        yield
        self.open.remove(one)
        self._close(one)

    def block(self) -> None:
        """A block ended: a blank line is due."""
        self.gap = "\n\n"

    def finished(self) -> tuple[str, tuple[MessageEntity, ...]]:
        """The text without white space around it, and the entities that are left of it."""
        whole = "".join(self.parts)
        text = whole.rstrip()
        total = utf16_units(text)
        kept = []
        for entity in sorted(self.entities, key=lambda e: (e.offset, -e.length)):
            length = min(entity.length, total - entity.offset)
            if length > 0:
                kept.append(MessageEntity(entity.type, entity.offset, length, url=entity.url, language=entity.language))
        return text, tuple(kept[:MOST_ENTITIES])

    def _close(self, one: _Open) -> None:
        if self.length > one.begin:
            self._add(MessageEntity(one.kind, one.begin, self.length - one.begin, url=one.url))

    def _add(self, entity: MessageEntity) -> None:
        if entity.length > 0:
            self.entities.append(entity)

    def _write(self, text: str) -> None:
        self.parts.append(text)
        self.length += utf16_units(text)
