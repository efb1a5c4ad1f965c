"""Exchanges as the messages that training tools read; docs/adr/0025 says which tool reads which shape."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from core.export.exchange import Exchange
from core.export.options import Shape
from core.export.taken import Taken

# Words that stand for a file in the shape `tags`. Where people write them they must not.
_TAGS = re.compile(r"<(?=(?:image|video|audio)>)")
_TAG = "<image>"

Message = dict[str, Any]


class Messages:
    """Writes messages in one shape. All contents of an export have one type, as the tools' tables ask for."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape

    def of(self, system: str, exchanges: Iterable[Exchange]) -> list[Message]:
        """System prompt (if there is one), then question and answer by turns."""
        messages = [self.said("system", system)] if system else []
        for exchange in exchanges:
            messages += [self.asked(exchange), self.said("assistant", exchange.answer)]
        return messages

    def asked(self, exchange: Exchange) -> Message:
        """A question with its pictures before it."""
        shown, question = exchange.shown, exchange.question
        if self._shape is Shape.TAGS:
            return {"role": "user", "content": _TAG * len(shown) + ("\n" if shown else "") + _plain(question)}
        return {"role": "user", "content": [*map(self._image, shown), {"type": "text", "text": question}]}

    def said(self, role: str, text: str) -> Message:
        """A message of words alone."""
        if self._shape is Shape.TAGS:
            return {"role": role, "content": _plain(text)}
        return {"role": role, "content": [{"type": "text", "text": text}]}

    def images(self, exchanges: Sequence[Exchange]) -> dict[str, list[str]]:
        """The column that the messages refer to; none where the pictures stand in the messages."""
        if self._shape is Shape.INLINE:
            return {}
        return {"images": [picture.place for exchange in exchanges for picture in exchange.shown]}

    def _image(self, picture: Taken) -> dict[str, str]:
        if self._shape is Shape.PARTS:
            return {"type": "image"}
        return {"type": "image", "url" if picture.place.startswith("data:") else "path": picture.place}


def _plain(text: str) -> str:
    return _TAGS.sub("< ", text)
