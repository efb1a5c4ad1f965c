"""Entities of a text: their limits, and those that Telegram finds by itself. Offsets are UTF-16 code units."""

from __future__ import annotations

import re
from typing import Any

from tests.fakes.telegram.refusal import Refusal
from tests.fakes.telegram.state import Json

TEXT_LIMIT, CAPTION_LIMIT, MOST = 4_096, 1_024, 100
_TYPES = {
    *("mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "bold", "italic", "underline"),
    *("strikethrough", "spoiler", "blockquote", "expandable_blockquote", "code", "pre", "text_link", "text_mention"),
    *("custom_emoji", "date_time"),
}
# In one another these lose their meaning: code has no parts (core.telegram.org/bots/api#formatting-options).
_PLAIN = ("code", "pre")
_FOUND = re.compile(
    r"(?P<bot_command>(?<![\w/@])/[A-Za-z0-9_]{1,32}(?:@[A-Za-z0-9_]{3,32})?\b)"
    r"|(?P<mention>(?<![\w@])@[A-Za-z0-9_]{3,32}\b)"
    r"|(?P<url>https?://[^\s<>]+[^\s<>.,!?)])"
)


def units(text: str) -> int:
    """Its length in UTF-16 code units."""
    return len(text) + sum(char > "\uffff" for char in text)


def cut(text: str, offset: int, length: int) -> str:
    """A part of it.

    Raises:
        UnicodeDecodeError: it begins or ends inside of a character.
    """
    return text.encode("utf-16-le")[2 * offset : 2 * (offset + length)].decode("utf-16-le")


def found(text: str) -> list[Json]:
    """Commands, mentions and links that people type."""
    return [
        {"type": match.lastgroup, "offset": units(text[: match.start()]), "length": units(match.group())}
        for match in _FOUND.finditer(text)
        if match.lastgroup
    ]


def checked(text: str, entities: Any) -> list[Json]:
    """The entities that the app gave for `text`, sorted.

    Raises:
        Refusal: one is not known, lies outside of the text or cuts a character in two.
    """
    if not isinstance(entities, list):
        raise Refusal("can't parse entities: expected an Array of MessageEntity")
    total, kept = units(text), []
    for entity in entities:
        kind, offset, length = (entity.get(name) for name in ("type", "offset", "length"))
        if kind not in _TYPES:
            raise Refusal(
                f"can't parse entities: Unsupported entity type specified: {kind}", fault=f"entity type {kind}"
            )
        if not isinstance(offset, int) or not isinstance(length, int) or offset < 0 or length < 0:
            raise Refusal(f"receive an entity with incorrect offset {offset} or length {length}")
        if offset + length > total:
            raise Refusal(
                f"entity beginning at UTF-16 offset {offset} ends after the end of the text at UTF-16 offset {total}"
            )
        try:
            cut(text, offset, length)
        except UnicodeDecodeError:
            raise Refusal(f"entity beginning at UTF-16 offset {offset} cuts a UTF-16 symbol in two") from None
        if kind == "text_link" and not str(entity.get("url", "")).startswith(("http://", "https://", "tg://")):
            continue
        if length:
            kept.append(entity)
    return tidy(kept)


def tidy(entities: list[Json]) -> list[Json]:
    """In order, at most a hundred, none inside of code, and none that overlaps another in part: as Telegram keeps
    them."""
    ordered = sorted(entities, key=lambda e: (e["offset"], -e["length"], e["type"]))
    kept: list[Json] = []
    for entity in ordered:
        start, end = entity["offset"], entity["offset"] + entity["length"]
        # None begins before those that are kept.
        around = [(other, other["offset"] + other["length"]) for other in kept]
        clash = (start < last and (end > last or other["type"] in _PLAIN) for other, last in around)
        if not any(clash):
            kept.append(entity)
    return kept[:MOST]


def trimmed(text: str, entities: list[Json]) -> tuple[str, list[Json]]:
    """Without the blanks around it, as Telegram stores it; the entities moved along."""
    left = len(text) - len(text.lstrip())
    short, moved = text.strip(), []
    total, shift = units(short), units(text[:left])
    for entity in entities:
        start, end = max(0, entity["offset"] - shift), min(total, entity["offset"] + entity["length"] - shift)
        if end > start:
            moved.append(entity | {"offset": start, "length": end - start})
    return short, moved
