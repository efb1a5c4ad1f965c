"""parse_mode HTML, with Telegram's own refusals (core.telegram.org/bots/api#html-style; tdlib's MessageEntity.cpp)."""

from __future__ import annotations

import re

from tests.fakes.telegram.reader import Reader, unparsable
from tests.fakes.telegram.state import Json

_KINDS = {
    **dict.fromkeys(("b", "strong"), "bold"),
    **dict.fromkeys(("i", "em"), "italic"),
    **dict.fromkeys(("u", "ins"), "underline"),
    **dict.fromkeys(("s", "strike", "del"), "strikethrough"),
    **dict.fromkeys(("tg-spoiler", "span"), "spoiler"),
    "a": "text_link",
    "tg-emoji": "custom_emoji",
    "pre": "pre",
    "code": "code",
    "blockquote": "blockquote",
    "tg-time": "date_time",
}
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_REFERENCE = re.compile(r"&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|(lt|gt|amp|quot)(?![A-Za-z]));?")
_ATTRIBUTE = re.compile(r"""\s*([^\s=>]+)(?:\s*=\s*("[^"]*"|'[^']*'|[A-Za-z0-9.-]+))?""")
# Attributes that mean something without a value.
_FLAGS = ("expandable",)


def parse_html(source: str) -> tuple[str, list[Json]]:
    """Returns: the text and its entities.

    Raises:
        Refusal: can't parse entities.
    """
    return _Reader(source).read()


class _Reader(Reader):
    """`open`: the tags that have not ended, each with its attributes and where it began."""

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.open: list[tuple[str, dict[str, str], int]] = []

    def read(self) -> tuple[str, list[Json]]:
        while self.at < len(self.source):
            here = self.source[self.at]
            if here == "<":
                self._tag()
            elif here == "&" and (reference := _REFERENCE.match(self.source, self.at)) and _char(reference):
                self.add(_char(reference), len(reference[0]))
            else:
                self.add(here, 1)
        if self.open:
            raise unparsable(f'Can\'t find end tag corresponding to start tag "{self.open[-1][0]}"')
        return "".join(self.text), self.entities

    def _tag(self) -> None:
        begin, closing = self.byte(self.at), self.source.startswith("</", self.at)
        name_at = self.at + (2 if closing else 1)
        name = re.compile(r"[^\s>]*").match(self.source, name_at)
        assert name is not None
        tag = name.group().lower()
        if closing:
            self._end(tag, begin, name.end())
            return
        if name.end() == len(self.source):
            raise unparsable(f"Unclosed start tag at byte offset {begin}")
        if tag not in _KINDS:
            raise unparsable(f'Unsupported start tag "{tag}" at byte offset {begin}')
        attributes, self.at = self._attributes(tag, begin, name.end())
        if tag == "span" and attributes.get("class") != "tg-spoiler":
            raise unparsable(f'Tag "span" must have class "tg-spoiler" at byte offset {begin}')
        self.open.append((tag, attributes, self.length))

    def _attributes(self, tag: str, begin: int, at: int) -> tuple[dict[str, str], int]:
        """Returns: them and where the tag ends."""
        found: dict[str, str] = {}
        while True:
            while at < len(self.source) and self.source[at].isspace():
                at += 1
            if at >= len(self.source):
                raise unparsable(f"Unclosed start tag at byte offset {begin}")
            if self.source[at] == ">":
                return found, at + 1
            one = _ATTRIBUTE.match(self.source, at)
            if one is None:
                raise unparsable(f'Empty attribute name in the tag "{tag}" at byte offset {begin}')
            if one[2] is None and one[1] not in _FLAGS:
                raise unparsable(
                    f'Expected equal sign in declaration of an attribute of the tag "{tag}" at byte offset {begin}'
                )
            value = one[2] or ""
            bare = value[1:-1] if value[:1] in ("'", '"') else value.lower()
            found[one[1].lower()] = _REFERENCE.sub(lambda match: _char(match) or match.group(), bare)
            at = one.end()

    def _end(self, tag: str, begin: int, at: int) -> None:
        if not self.open:
            raise unparsable(f"Unexpected end tag at byte offset {begin}")
        while at < len(self.source) and self.source[at].isspace():
            at += 1
        if self.source[at : at + 1] != ">":
            raise unparsable(f"Unclosed end tag at byte offset {begin}")
        name, attributes, offset = self.open.pop()
        if tag and tag != name:
            raise unparsable(f'Unmatched end tag at byte offset {begin}, expected "</{name}>", found "</{tag}>"')
        self.at = at + 1
        if self.length > offset:
            self._entity(name, attributes, offset)

    def _entity(self, tag: str, attributes: dict[str, str], offset: int) -> None:
        kind = _KINDS[tag]
        entity: Json = {"type": kind, "offset": offset, "length": self.length - offset}
        if kind == "text_link":
            url = attributes.get("href") or "".join(self.text).encode("utf-16-le")[2 * offset :].decode("utf-16-le")
            if not _link(url):
                return
            entity["url"] = url
        elif kind == "custom_emoji":
            if not attributes.get("emoji-id", "").isdecimal():
                raise unparsable("Invalid custom emoji identifier specified")
            entity["custom_emoji_id"] = attributes["emoji-id"]
        elif kind == "date_time":
            if not attributes.get("unix", "").isdecimal():
                raise unparsable("Invalid date specified")
            entity["unix_time"] = int(attributes["unix"])
        elif kind == "blockquote" and "expandable" in attributes:
            entity["type"] = "expandable_blockquote"
        elif kind == "code" and attributes.get("class", "").startswith("language-"):
            entity["language"] = attributes["class"][9:]
        elif kind == "pre" and self.entities:
            # <pre><code class="language-x">…</code></pre> is one block with a language.
            inner = self.entities[-1]
            if inner["type"] == "code" and (inner["offset"], inner["length"]) == (offset, entity["length"]):
                entity |= {"language": inner["language"]} if "language" in inner else {}
                self.entities.pop()
        self.entities.append(entity)


def _char(reference: re.Match[str]) -> str:
    """What it stands for, "" for nothing."""
    if reference[3]:
        return _NAMED[reference[3]]
    code = int(reference[1], 16) if reference[1] else int(reference[2])
    return chr(code) if 0 < code < 0x10FFFF and not 0xD800 <= code <= 0xDFFF else ""


def _link(url: str) -> bool:
    """Telegram makes a link of it."""
    return re.match(r"(?:https?://|tg://|ton://|mailto:)?[\w-]+(?:\.[\w-]+)*[^\s]*$", url) is not None and (
        "." in url or url.startswith(("tg:", "ton:", "http"))
    )
