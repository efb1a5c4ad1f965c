"""rich_message (Bot API 10.1 and later, *read* only): markdown, html or blocks, one of them."""

from __future__ import annotations

import re
from typing import Any

from tests.fakes.telegram.refusal import Refusal
from tests.fakes.telegram.rich_html import RICH_LIMIT, read_rich_html, unreadable
from tests.fakes.telegram.state import Json

_WAYS = ("markdown", "html", "blocks")
_KNOWN = {*_WAYS, "media", "is_rtl", "skip_entity_detection"}


def read_rich(given: Any) -> tuple[Json, str]:
    """Returns: the rich_message as it is answered (its words as one paragraph), and the words of it.

    Raises:
        Refusal: it is no such thing, empty or too long.
    """
    ways = [way for way in _WAYS if given.get(way)]
    if unknown := set(given) - _KNOWN:
        raise Refusal(f"can't parse InputRichMessage: unknown field {sorted(unknown)}", fault=f"rich_message {given}")
    if not ways:
        raise Refusal("RICH_MESSAGE_CONTENT_REQUIRED", fault="an empty rich message")
    if len(ways) > 1:
        raise Refusal("can't parse InputRichMessage: exactly one of markdown, html and blocks", fault=f"{ways} at once")
    source = given[ways[0]]
    if ways[0] == "html":
        words = read_rich_html(source)
    elif ways[0] == "markdown":
        if len(re.findall(r"^```", source, re.MULTILINE)) % 2:
            raise unreadable("Can't find end of a code block")
        words = source
    else:
        words = "\n".join(_words(source))
    if not words.strip():
        raise Refusal("RICH_MESSAGE_CONTENT_REQUIRED", fault="an empty rich message")
    if len(words) > RICH_LIMIT:
        raise Refusal("message is too long", fault=f"a rich message of {len(words)} characters")
    return {"blocks": [{"type": "paragraph", "text": words}]}, words


def _words(blocks: Any) -> list[str]:
    """All texts in it."""
    if isinstance(blocks, str):
        return [blocks]
    if isinstance(blocks, list):
        return [text for block in blocks for text in _words(block)]
    if isinstance(blocks, dict):
        return [text for name, part in blocks.items() if name in ("text", "blocks", "items") for text in _words(part)]
    return []
