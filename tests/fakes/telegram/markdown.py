"""parse_mode MarkdownV2, with Telegram's own refusals (core.telegram.org/bots/api#markdownv2-style)."""

from __future__ import annotations

import re

from tests.fakes.telegram.reader import Reader, unparsable
from tests.fakes.telegram.state import Json

_RESERVED = set("_*[]()~`>#+-=|{}.!")
# By mark: the entity, and the name that it has in a refusal.
_MARKS = {
    "```": ("pre", "Pre"),
    "__": ("underline", "Underline"),
    "||": ("spoiler", "Spoiler"),
    "![": ("custom_emoji", "CustomEmoji"),
    "*": ("bold", "Bold"),
    "_": ("italic", "Italic"),
    "~": ("strikethrough", "Strikethrough"),
    "`": ("code", "Code"),
    "[": ("text_link", "TextUrl"),
}
_ENDS = {"![": "]", "[": "]"}


def parse_markdown(source: str) -> tuple[str, list[Json]]:
    """Returns: the text and its entities.

    Raises:
        Refusal: can't parse entities.
    """
    return _Reader(source).read()


class _Reader(Reader):
    """`open`: the marks that have not ended, with the source's and the text's positions."""

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.open: list[tuple[str, int, int, str]] = []
        self.quote: int | None = None

    def read(self) -> tuple[str, list[Json]]:
        while self.at < len(self.source):
            self._step()
        if self.quote is not None:
            self._end_quote()
        if self.open:
            self._unended()
        return "".join(self.text), sorted(self.entities, key=lambda e: (e["offset"], -e["length"]))

    def _step(self) -> None:
        here, rest = self.source[self.at], self.source[self.at :]
        following = rest[1:2]
        if here == "\\" and following and ord(following) <= 126:
            self.add(following, 2)
            return
        inside = self.open[-1][0] if self.open else ""
        if inside in ("`", "```"):
            if rest.startswith(inside):
                self._end(inside)
            else:
                self.add(here, 1)
            return
        if here == ">" and (self.at == 0 or self.source[self.at - 1] == "\n"):
            self.quote = self.length if self.quote is None else self.quote
            self.at += 1
            return
        if here == "\n" and self.quote is not None and not rest.startswith("\n>"):
            if self.open:
                self._unended()
            self._end_quote()
            self.add(here, 1)
            return
        mark = next((mark for mark in _MARKS if rest.startswith(mark)), "")
        if inside and rest.startswith(_ENDS.get(inside, inside)) and not (inside == "_" and mark == "__"):
            self._end(inside)
        elif rest.startswith("||") and self.quote is not None and re.match(r"\|\|(\n|$)", rest) and inside != "||":
            # The end of an expandable quotation.
            self.at += 2
            self._end_quote("expandable_blockquote")
        elif mark:
            self._begin(mark)
        elif here in _RESERVED:
            raise unparsable(f"Character '{here}' is reserved and must be escaped with the preceding '\\'")
        else:
            self.add(here, 1)

    def _begin(self, mark: str) -> None:
        begin, language = self.at, ""
        self.at += len(mark)
        if mark == "```":
            named = re.compile(r"([^\s`]+)(?=\s)").match(self.source, self.at)
            if named:
                language, self.at = named[1], named.end()
            if self.source[self.at : self.at + 1] == "\n":
                self.at += 1
        self.open.append((mark, begin, self.length, language))

    def _end(self, mark: str) -> None:
        _, _, offset, language = self.open.pop()
        self.at += len(_ENDS.get(mark, mark))
        entity: Json = {"type": _MARKS[mark][0], "offset": offset, "length": self.length - offset}
        if language:
            entity["language"] = language
        if mark in _ENDS:
            url = self._url()
            if mark == "![":
                emoji = re.fullmatch(r"tg://emoji\?id=(\d+)", url or "")
                if emoji is None:
                    raise unparsable("Custom emoji entity must contain a tg://emoji URL")
                entity["custom_emoji_id"] = emoji[1]
            elif not re.match(r"(https?|tg)://|[\w-]+\.\w", url or ""):
                return
            else:
                entity["url"] = url
        if entity["length"]:
            self.entities.append(entity)

    def _url(self) -> str | None:
        if self.source[self.at : self.at + 1] != "(":
            return None
        begin, url = self.at + 1, ""
        self.at += 1
        while self.at < len(self.source) and self.source[self.at] != ")":
            if self.source[self.at] == "\\" and self.at + 1 < len(self.source):
                self.at += 1
            url += self.source[self.at]
            self.at += 1
        if self.at >= len(self.source):
            raise unparsable(f"Can't find end of a URL at byte offset {self.byte(begin)}")
        self.at += 1
        return url

    def _end_quote(self, kind: str = "blockquote") -> None:
        assert self.quote is not None
        if self.length > self.quote:
            self.entities.append({"type": kind, "offset": self.quote, "length": self.length - self.quote})
        self.quote = None

    def _unended(self) -> None:
        mark, begin, _, language = self.open[-1]
        name = "PreCode" if language else _MARKS[mark][1]
        raise unparsable(f"Can't find end of {name} entity at byte offset {self.byte(begin)}")
