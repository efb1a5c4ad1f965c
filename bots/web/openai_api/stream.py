"""An answer as OpenAI's stream of chunks."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing

from bots.web.errors import openai_error
from bots.web.openai_api.failures import AnswerChanged, failure_of
from bots.web.openai_api.shapes import Chunks, finish_reason
from bots.web.openai_api.spoken import Spoken
from core.errors import NotFound
from core.queue.follow import Ended, FollowEvent, Reset, Text
from core.store.models import Turn
from serving.sse import encode_data

DONE = b"data: [DONE]\n\n"


class AnswerStream:
    """Translates the events of one turn.

    A later attempt of the worker goes on where the sent text ends if it begins with that text; otherwise the stream
    ends with an error, and `give_up` is awaited so that nobody computes on. Thinking is commentary: where a later
    attempt thinks something else, that is left out.
    """

    def __init__(self, chunks: Chunks, *, include_usage: bool, give_up: Callable[[], Awaitable[object]]) -> None:
        self._chunks = chunks
        self._include_usage = include_usage
        self._give_up = give_up
        self._answer = Spoken()
        self._thinking = Spoken()
        self._thinking_changed = False

    async def translate(
        self, events: AsyncGenerator[FollowEvent, None], ended: Callable[[], None]
    ) -> AsyncGenerator[bytes, None]:
        """What to send. `ended` is called once the end was written."""
        yield encode_data(self._chunks.delta({"role": "assistant", "content": ""}))
        try:
            async with aclosing(events):
                async for event in events:
                    for piece in self._pieces(event):
                        yield piece
                    if isinstance(event, Ended):
                        ended()
        except AnswerChanged as error:
            await self._give_up()
            yield encode_data(openai_error(error))
        except NotFound as error:
            # The turn was erased meanwhile.
            yield encode_data(openai_error(error))

    def _pieces(self, event: FollowEvent) -> Iterator[bytes]:
        match event:
            case Reset():
                self._answer.restart()
                self._thinking.restart()
                self._thinking_changed = False
            case Text(kind="think"):
                yield from self._think(self._thinking.add(event.text))
            case Text():
                yield from self._say(self._answer.add(event.text))
            case Ended():
                yield from self._end(event.turn)

    def _end(self, turn: Turn) -> Iterator[bytes]:
        failure = failure_of(turn)
        if failure is not None:
            yield encode_data(openai_error(failure))
            return
        # SQL has the whole text, also where the stream had holes.
        if not self._answer.text:
            yield from self._think(self._thinking.complete(turn.thinking))
        yield from self._say(self._answer.complete(turn.answer))
        yield encode_data(self._chunks.delta({}, finish_reason(turn)))
        if self._include_usage:
            yield encode_data(self._chunks.usage(turn))
        yield DONE

    def _say(self, new: str | None) -> Iterator[bytes]:
        if new is None:
            raise AnswerChanged
        if new:
            yield encode_data(self._chunks.delta({"content": new}))

    def _think(self, new: str | None) -> Iterator[bytes]:
        self._thinking_changed = self._thinking_changed or new is None
        if new and not self._thinking_changed:
            yield encode_data(self._chunks.delta({"reasoning_content": new}))
