"""One look of the eyes at one picture."""

import unicodedata
from collections.abc import Callable

from core.errors import InferenceError
from core.inference.port import Delta, Events, Finished, Picture, Started
from core.values import FinishReason

CUT = " […]"


class Look:
    """A look that is under way from the start, or one that is remembered. One task reads it to its end.

    `id` names it to the eyes; empty if there is nothing to wait for.
    """

    def __init__(
        self, picture: Picture, focus: str, id: str = "", events: Events | None = None, text: str = ""
    ) -> None:
        self.picture = picture
        self.focus = focus
        self.id = id
        self.picture_tokens = 0
        self.engine_s = 0.0
        self._events = events
        self._text = text

    async def read(self, tidy: Callable[[str, bool], str]) -> str:
        """What was seen, made ready by `tidy` (text, whether it was cut off). Never empty.

        Raises:
            InferenceError: the eyes failed, saw nothing, or were stopped.
        """
        if self._events is None:
            return self._text
        said, reason = [], None
        async for event in self._events:
            match event:
                case Started():
                    self.picture_tokens = event.picture_tokens
                case Delta(kind="answer"):
                    said.append(event.text)
                case Finished():
                    reason, self.engine_s = event.reason, event.engine_s
                    self.picture_tokens = (event.recount or self).picture_tokens
        if reason is FinishReason.CANCELLED:
            raise InferenceError("the look was stopped")
        if not (text := tidy(printable("".join(said)), reason is FinishReason.LENGTH)):
            raise InferenceError("the eyes said nothing")
        return text


def printable(text: str) -> str:
    """`text` without control characters and half characters, which not every store and tokenizer takes."""
    whole = text.encode("utf-8", "replace").decode()
    return "".join(c for c in whole if c in "\n\t" or unicodedata.category(c) != "Cc").strip()


def shortened(text: str, cut: bool, most: int, count: Callable[[str], int]) -> str:
    """`text`, or as much of its beginning as takes at most `most` tokens by `count`; what is not whole ends in […]."""
    whole = text + CUT if cut and text else text
    while (tokens := count(whole)) > most and text:
        # Text is not evenly dense, so the first cut may be too little; a tenth more each time ends it soon.
        text = text[: int(len(text) * most / tokens * 0.9)].rstrip()
        whole = text + CUT if text else ""
    return whole
