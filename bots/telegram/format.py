"""Markdown → what Telegram shows: a text with entities, and, where that cannot show it, rich HTML.

An answer is untrusted text: raw HTML stays text, pictures become links, and only http and https addresses are links at
all. Nothing in it makes Telegram fetch anything.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from telegram import MessageEntity

from bots.chat.split import split, utf16_units
from bots.telegram.entities import Writer
from bots.telegram.rich import is_web, rich_html, words

TEXT_UNITS, CAPTION_UNITS = 4096, 1024
# What fits on a telephone in a fixed width; wider tables are written as lists.
_TABLE_COLUMNS = 46
# Headings and tables are what entities cannot show.
_WANTS_RICH = ("table_open", "heading_open")
_PARSER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_MARKS = {
    "strong": MessageEntity.BOLD,
    "em": MessageEntity.ITALIC,
    "s": MessageEntity.STRIKETHROUGH,
}
_RULE = "———"


@dataclass(frozen=True, slots=True)
class Formatted:
    """`text` and its entities, which count UTF-16 units; `rich` is rich HTML that says the same, empty: no need."""

    text: str
    entities: tuple[MessageEntity, ...] = ()
    rich: str = ""

    @property
    def units(self) -> int:
        """The length of the text as Telegram counts it."""
        return utf16_units(self.text)


@lru_cache(maxsize=512)
def render(markdown: str) -> Formatted:
    """What to send of a piece of Markdown; `text` is empty only where there is nothing to see."""
    tokens = _PARSER.parse(markdown)
    writer = Writer()
    _blocks(tokens, writer)
    text, entities = writer.finished()
    wants_rich = any(token.type in _WANTS_RICH for token in tokens)
    return Formatted(text, entities, rich_html(tokens) if wants_rich else "")


def split_text(markdown: str, limit: int = TEXT_UNITS) -> list[str]:
    """`markdown` in pieces, each of which, formatted, one message can hold; at least one."""
    # Formatting mostly shortens a text; tables and lists may make it longer.
    for room in (limit, limit * 3 // 4, limit // 2, limit // 4):
        pieces = [piece.shown for piece in split(markdown, room, utf16_units)]
        if all(render(piece).units <= limit for piece in pieces):
            return pieces
    # What is so much longer formatted than written is shown as it was written.
    return [piece.shown for piece in split(markdown, limit, utf16_units)]


def plain(markdown: str, limit: int) -> Formatted:
    """Without any formatting, cut off at `limit` units."""
    shown = render(markdown)
    text = shown.text if shown.units <= limit else markdown
    return Formatted(clipped(text, limit))


def clipped(text: str, limit: int) -> str:
    """The beginning of `text`, at most `limit` UTF-16 units of it."""
    if utf16_units(text) <= limit:
        return text
    return text.encode("utf-16-le")[: 2 * (limit - 1)].decode("utf-16-le", "ignore") + "…"


def rendered(markdown: str, limit: int = TEXT_UNITS) -> Formatted:
    """As `render`, and never longer than `limit`."""
    shown = render(markdown)
    return shown if shown.units <= limit else plain(markdown, limit)


def _blocks(tokens: Sequence[Token], writer: Writer) -> None:
    at = 0
    while at < len(tokens):
        token = tokens[at]
        end = _end(tokens, at)
        inside = tokens[at + 1 : end]
        match token.type:
            case "inline":
                _inline(token.children or [], writer)
            case "paragraph_open":
                _blocks(inside, writer)
                writer.gap = "\n" if token.hidden else "\n\n"
            case "heading_open":
                with writer.within(MessageEntity.BOLD):
                    _blocks(inside, writer)
                writer.block()
            case "blockquote_open":
                _quote(inside, writer)
            case "bullet_list_open" | "ordered_list_open":
                _list(token, inside, writer)
            case "fence" | "code_block":
                writer.code(token.content.rstrip("\n"), MessageEntity.PRE, token.info.split(" ")[0])
                writer.block()
            case "hr":
                writer.say(_RULE)
                writer.block()
            case "table_open":
                _table(inside, writer)
            case _:
                writer.say(token.content)
        at = end + 1


def _quote(inside: Sequence[Token], writer: Writer) -> None:
    writer.quotes += 1
    if writer.quotes == 1:
        with writer.within(MessageEntity.BLOCKQUOTE):
            _blocks(inside, writer)
            # The blank line behind it is not part of it.
            writer.gap = ""
    else:
        _blocks(inside, writer)
    writer.quotes -= 1
    writer.block()


def _list(opening: Token, inside: Sequence[Token], writer: Writer) -> None:
    outer, number = writer.indent, int(opening.attrGet("start") or 1)
    at = 0
    while at < len(inside):
        end = _end(inside, at)
        mark = f"{number}. " if opening.type == "ordered_list_open" else ("• " if not outer else "◦ ")
        if writer.parts and at > 0:
            writer.gap = "\n"
        writer.say(mark)
        writer.indent = outer + "   "
        _blocks(inside[at + 1 : end], writer)
        writer.indent, number = outer, number + 1
        at = end + 1
    writer.gap = "\n" if outer else "\n\n"


def _inline(tokens: Sequence[Token], writer: Writer) -> None:
    at = 0
    while at < len(tokens):
        token, end = tokens[at], _end(tokens, at)
        inside = tokens[at + 1 : end]
        name = token.type.removesuffix("_open")
        if token.type == "link_open":
            _link(str(token.attrGet("href") or ""), inside, writer)
        elif token.type == "image":
            _link(str(token.attrGet("src") or ""), token.children or [], writer)
        elif name in _MARKS and token.nesting == 1:
            with writer.within(_MARKS[name]):
                _inline(inside, writer)
        elif token.type == "code_inline":
            writer.code(token.content, MessageEntity.CODE)
        else:
            writer.say("\n" if token.type in ("softbreak", "hardbreak") else token.content)
        at = end + 1


def _link(address: str, label: Sequence[Token], writer: Writer) -> None:
    said = words(label)
    if not is_web(address):
        _inline(label, writer)
        if address and address not in said:
            writer.say(f" ({address})" if said else address)
    elif not said or said == address:
        writer.say(address)
    else:
        with writer.within(MessageEntity.TEXT_LINK, address):
            _inline(label, writer)


def _table(inside: Sequence[Token], writer: Writer) -> None:
    rows = _cells(inside)
    if not rows:
        return
    columns = max(len(row) for row in rows)
    texts = [[words(cell) for cell in row] + [""] * (columns - len(row)) for row in rows]
    widths = [max(_width(row[column]) for row in texts) for column in range(columns)]
    if sum(widths) + 3 * (columns - 1) <= _TABLE_COLUMNS:
        lines = [" │ ".join(_padded(cell, width) for cell, width in zip(row, widths, strict=True)) for row in texts]
        lines.insert(1, "─┼─".join("─" * width for width in widths))
        writer.code("\n".join(line.rstrip() for line in lines), MessageEntity.PRE)
    else:
        head, *body = texts
        for row in body:
            for name, cell in zip(head, row, strict=True):
                if cell:
                    writer.say("• ")
                    with writer.within(MessageEntity.BOLD):
                        writer.say(name)
                    writer.say(f": {cell}" if name else cell)
                    writer.gap = "\n"
            writer.block()
    writer.block()


def _cells(inside: Sequence[Token]) -> list[list[Sequence[Token]]]:
    rows: list[list[Sequence[Token]]] = []
    for token in inside:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(token.children or [])
    return rows


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text if not unicodedata.combining(c))


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _end(tokens: Sequence[Token], at: int) -> int:
    """Where what begins at `at` ends."""
    depth = 0
    for index in range(at, len(tokens)):
        depth += tokens[index].nesting
        if depth <= 0:
            return index
    return len(tokens) - 1
