"""The HTML of rich messages (Bot API 10.1, InputRichMessage: "Rich HTML style" and "Rich Message Limits"), *read* only.
What Telegram does with tags that do not match is not documented; the fake refuses them. The names of the refusals
beyond a limit are the fake's own, but for RICH_MESSAGE_CONTENT_REQUIRED."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from tests.fakes.telegram.refusal import Refusal

RICH_LIMIT = 32_768
_BLOCKS, _DEPTH, _COLUMNS = 500, 16, 20
_INLINE = {
    *("a", "b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "code", "mark", "sub", "sup", "tg-spoiler"),
    *("tg-reference", "tg-emoji", "tg-time", "tg-math", "cite", "br"),
}
_BLOCK = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "pre", "footer", "hr", "ul", "ol", "li", "input", "blockquote", "aside"),
    *("table", "caption", "tr", "td", "th", "details", "summary", "tg-math-block"),
}
# Telegram fetches what these name. A bot that says what a model wrote must never have it do so.
_MEDIA = {"img", "video", "audio", "figure", "figcaption", "tg-map", "tg-collage", "tg-slideshow"}
_EMPTY = {"br", "hr", "input", "img", "tg-map"}
_COUNTED = {"h1", "h2", "h3", "h4", "h5", "h6", "p", "pre", "footer", "hr", "ul", "ol", "li", "blockquote", "aside"}
_COUNTED |= {"table", "tr", "details", "tg-math-block"}
_NAMED = {
    "lt": "<",
    "gt": ">",
    "amp": "&",
    "quot": '"',
    "apos": "'",
    "nbsp": "\u00a0",
    "hellip": "…",
    "mdash": "—",
    "ndash": "\u2013",
    "lsquo": "\u2018",
    "rsquo": "\u2019",
    "ldquo": "\u201c",
    "rdquo": "\u201d",
}


def read_rich_html(source: str) -> str:
    """Returns: what people read, a line a block.

    Raises:
        Refusal: a tag that is not known or does not match, or beyond a limit.
    """
    reader = _Reader()
    reader.feed(source)
    reader.close()
    if reader.open:
        raise unreadable(f'Can\'t find end tag corresponding to start tag "{reader.open[-1]}"')
    if reader.blocks > _BLOCKS:
        raise Refusal("RICH_MESSAGE_TOO_MANY_BLOCKS", fault=f"a rich message of {reader.blocks} blocks")
    lines = [re.sub(r"[ \t]+", " ", line).strip() for line in "".join(reader.text).split("\n")]
    return "\n".join(line for line in lines if line)


def unreadable(why: str) -> Refusal:
    """A rich message that cannot be parsed."""
    return Refusal(f"can't parse rich message: {why}")


class _Reader(HTMLParser):
    """`open`: the tags that have not ended; `cells`: of the row that is read."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.open: list[str] = []
        self.text: list[str] = []
        self.blocks = self.cells = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _MEDIA:
            raise Refusal("RICH_MESSAGE_MEDIA_INVALID", fault=f"<{tag}>, for which Telegram fetches a foreign address")
        if tag not in _INLINE | _BLOCK:
            raise unreadable(f'Unsupported start tag "{tag}"')
        if tag in _BLOCK and {"td", "th"} & set(self.open):
            raise unreadable(f'Tag "{tag}" in a table cell, which can contain only inline formatting')
        self.blocks += tag in _COUNTED
        if tag == "tr":
            self.cells = 0
        if tag in ("td", "th"):
            self._cell(attrs)
        if tag in _BLOCK - {"td", "th"} or tag == "br":
            self.text.append("\n")
        if tag not in _EMPTY:
            self.open.append(tag)
        if len(self.open) > _DEPTH:
            raise Refusal("RICH_MESSAGE_TOO_DEEP", fault=f"{len(self.open)} levels in a rich message")

    def _cell(self, attrs: list[tuple[str, str | None]]) -> None:
        self.text.append(" | " if self.cells else "")
        self.cells += int(dict(attrs).get("colspan") or 1)
        if self.cells > _COLUMNS:
            raise Refusal("RICH_MESSAGE_TABLE_TOO_WIDE", fault=f"a table of {self.cells} columns")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _EMPTY:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _EMPTY:
            return
        if not self.open or self.open[-1] != tag:
            expected = f'expected "</{self.open[-1]}>", ' if self.open else ""
            raise unreadable(f'Unmatched end tag, {expected}found "</{tag}>"')
        self.open.pop()
        if tag in _BLOCK - {"td", "th"}:
            self.text.append("\n")

    def handle_data(self, data: str) -> None:
        # Outside of code blocks a line break is a blank.
        self.text.append(data if "pre" in self.open else re.sub(r"\s+", " ", data))

    def handle_entityref(self, name: str) -> None:
        if name not in _NAMED:
            raise unreadable(f'Unsupported HTML entity "&{name};"')
        self.text.append(_NAMED[name])

    def handle_charref(self, name: str) -> None:
        self.text.append(chr(int(name[1:], 16) if name[:1] in ("x", "X") else int(name)))
