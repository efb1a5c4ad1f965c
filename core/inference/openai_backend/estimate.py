"""Counts tokens without a tokenizer."""

import math
import re
import threading
from collections.abc import Sequence

from core.inference.port import Message

# GLM and Qwen make a token of so many pixels squared; other families are learned from what the server counts.
SIDE = 28
# Marks around each message and each picture.
_PER_MESSAGE = 8
_PER_PICTURE = 4
_LETTERS_PER_TOKEN = 3
_LETTER = re.compile(r"[A-Za-z\s]")
# By how much more is counted after a refusal that did not say how many tokens there were.
_MORE = 1.25
# In a shorter prompt what the template adds once is too large a part to conclude anything of the rest.
_LONG = 500
# An estimate that was once too low is forgotten slowly.
_FORGET = 1 / 32


class TokenEstimate:
    """Counts rather too many tokens than too few; thread-safe.

    Three letters or spaces of the Latin alphabet are a token, every other character is one by itself; a picture has a
    token for each square of 28 pixels. Where the server counts more than that, text is counted higher by the same
    factor, which long prompts without pictures tell, and a picture as at least what one took there. Pictures need no
    bytes for it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._factor = 1.0
        self._least = 0

    def __call__(self, message: Message) -> int:
        return math.ceil(self._factor * _text(message)) + self._pictures(message)

    def prompt(self, messages: Sequence[Message]) -> tuple[int, int]:
        """Tokens of a whole prompt, and how many of them are for pictures."""
        return sum(map(self, messages)), sum(map(self._pictures, messages))

    def learn(self, messages: Sequence[Message], counted: int) -> None:
        """The server counted so many tokens in a prompt."""
        text = sum(map(_text, messages))
        number = sum(len(message.pictures) for message in messages)
        with self._lock:
            if number:
                # What text alone explains is not put down to pictures.
                each = (counted - math.ceil(self._factor * text)) // number
                if each * number > sum(map(self._pictures, messages)):
                    self._least = max(self._least, each)
            elif text >= _LONG:
                ratio = counted / text
                slower = self._factor - _FORGET * (self._factor - ratio)
                self._factor = max(1.0, ratio if ratio > self._factor else slower)

    def refused(self, messages: Sequence[Message], counted: int | None) -> None:
        """The server found a prompt too long, which was believed to fit; `counted` if it said how long."""
        tokens, pictures = self.prompt(messages)
        if counted is not None and counted > tokens:
            self.learn(messages, counted)
            if self.prompt(messages)[0] > tokens:
                return
        number = sum(len(message.pictures) for message in messages)
        with self._lock:
            self._factor *= _MORE
            if number:
                self._least = max(self._least, math.ceil(_MORE * pictures / number))

    def _pictures(self, message: Message) -> int:
        return sum(
            max(math.ceil(picture.width / SIDE) * math.ceil(picture.height / SIDE), self._least) + _PER_PICTURE
            for picture in message.pictures
        )


def _text(message: Message) -> float:
    letters = len(_LETTER.findall(message.text))
    others = sum(2 if ord(character) > 0xFFFF else 1 for character in message.text) - letters
    return _PER_MESSAGE + letters / _LETTERS_PER_TOKEN + others
