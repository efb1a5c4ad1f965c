"""The live view of an answer: collects text for a moment, then sends it to the turn's stream in one go."""

import asyncio
from types import TracebackType
from typing import Any, Literal, Self

from core.queue.streams import TurnWriter


class LiveView:
    """The first text is sent at once, later text every `flush_s` seconds. Use it inside one event loop.

    Leaving the block sends nothing: what is held then goes out together with the end.
    """

    def __init__(self, writer: TurnWriter, flush_s: float) -> None:
        self.writer = writer
        self._flush_s = flush_s
        self._timer: asyncio.Handle | None = None
        self._begun = False

    def text(self, text: str, kind: Literal["text", "think"]) -> None:
        """Show more text soon."""
        self.writer.text(text, kind)
        self._send_soon()

    def seen(self, observation: dict[str, Any]) -> None:
        """Show what the eyes saw soon."""
        self.writer.seen(observation)
        self._send_soon()

    def _send_soon(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            # `call_soon` and not an immediate write: an engine that answers in one burst costs one round trip.
            self._timer = loop.call_later(self._flush_s, self._send) if self._begun else loop.call_soon(self._send)
            self._begun = True

    def _send(self) -> None:
        self._timer = None
        self.writer.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
