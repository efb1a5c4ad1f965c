"""Counts the tokens of a message without running the model."""

import io
from functools import lru_cache

from PIL import Image

from core.inference.port import Message, Picture
from core.inference.render import Renderer, padded_size

# Tokens of neighbouring texts can fall differently than those of each text by itself.
_SEAM = 2
# Of a picture from which the tokens around every picture are learned.
_SMALL = 56


class TokenCounter:
    """Counts so that the sum over a prompt's messages is never less than the prompt. Thread-safe.

    What a template adds once is counted with every question, so the sum is a little too high for conversations.
    """

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        word = renderer.words("x")
        user, assistant, system = (Message(role, "x") for role in ("user", "assistant", "system"))
        one = max(renderer([user], reasoning).tokens for reasoning in (False, True))
        three = max(renderer([user, assistant, user], reasoning).tokens for reasoning in (False, True))
        self._overhead = {
            "user": one - word,
            "assistant": max(0, three - 2 * one - word),
            "system": max(0, renderer([system, user]).tokens - one - word),
        }
        self._picture_tokens = lru_cache(maxsize=4096)(self._announced)
        # Besides the placeholders, with each picture.
        self._marks = self._measure(_SMALL, _SMALL) - renderer.placeholders(_SMALL, _SMALL) if renderer.counts else 0

    def __call__(self, message: Message) -> int:
        pictures = sum(self._picture_tokens(picture.width, picture.height) for picture in message.pictures)
        return self._overhead[message.role] + self._renderer.words(message.text) + pictures + _SEAM

    def _announced(self, width: int, height: int) -> int:
        """Tokens of a picture, which depend on its size alone, with the marks around them."""
        if not self._renderer.counts:
            return self._measure(width, height)
        return self._renderer.placeholders(*padded_size(width, height)) + self._marks

    def _measure(self, width: int, height: int) -> int:
        """As in the prompt with a blank one, which takes as long as with any other."""
        file = io.BytesIO()
        Image.new("L", (width, height)).save(file, "BMP")
        blank = Picture("", file.getvalue(), width, height)
        with_it = self._renderer([Message("user", "x", (blank,))]).tokens
        return with_it - self._renderer([Message("user", "x")]).tokens
