"""One request at the server: asked, read, and asked with less where it does not know a field."""

import asyncio
import time
from contextlib import aclosing
from typing import Any

from openai import APIConnectionError, APIError, APIStatusError, AsyncOpenAI, AsyncStream
from openai.types.chat import ChatCompletionChunk

from core.inference.openai_backend.fields import FieldTrial
from core.inference.openai_backend.reader import AnswerReader, box_pixels
from core.inference.openai_backend.refusal import Again, Refusal, Refused
from core.inference.port import Delta, Finished, Started
from core.inference.request_loop import RequestRun

# After the end of an answer the server may still tell its counts; nobody waits longer for them.
LINGER_S = 5.0


class Exchange:
    """Belongs to the loop of `run`.

    `key` is blotted out of what the server says; `guess` is what is told of the prompt until the server has counted it.
    """

    def __init__(
        self,
        client: AsyncOpenAI,
        key: str,
        run: RequestRun,
        model: str,
        messages: list[Any],
        fields: FieldTrial,
        guess: Started,
    ) -> None:
        self._client = client
        self._key = key
        self._run = run
        self._model = model
        self._messages = messages
        self._fields = fields
        self._guess = guess
        self._started = False
        self.said = False

    async def attempt(self) -> Finished:
        """Ask once and post what comes, to the end, which is returned.

        May be called again after `Again`, unless something was `said`.

        Raises:
            Again: the server cannot be reached, or broke off.
            Refused: it said something else than an answer.
            InferenceError: it said that there will be none.
        """
        async with aclosing(await self._open()) as stream:
            if not self._started:
                self._started = True
                self._run.began = time.monotonic()
                self._run.post(self._guess)
            return await self._read(stream)

    async def _open(self) -> AsyncStream[ChatCompletionChunk]:
        while True:
            try:
                stream = await self._client.chat.completions.create(
                    model=self._model, messages=self._messages, stream=True, extra_body=self._fields.fields()
                )
            except APIStatusError as error:
                refusal = self._refusal(error)
                if not refusal.too_long and self._fields.drop(refusal):
                    continue
                raise Refused(refusal) from None
            except APIConnectionError as error:
                raise Again(_cause(error)) from None
            self._fields.accepted()
            return stream

    async def _read(self, stream: AsyncStream[ChatCompletionChunk]) -> Finished:
        run = self._run
        reader = AnswerReader(self._guess, run.request.sampling.stop, box_pixels(self._model, run.request))
        try:
            async with asyncio.timeout(None) as patience:
                async for chunk in stream:
                    events = reader.add(chunk)
                    run.tokens = reader.deltas
                    if events:
                        self.said = self.said or any(isinstance(event, Delta) for event in events)
                        run.post(*events)
                    if reader.stopped:
                        break
                    if reader.whole and patience.when() is None:
                        patience.reschedule(asyncio.get_running_loop().time() + LINGER_S)
        except asyncio.CancelledError:
            run.post(*reader.held())
            raise
        except (APIError, TimeoutError, ValueError, TypeError, AttributeError) as error:
            if not reader.whole:
                raise self._broken(error) from None
        if not reader.whole:
            raise Again("the answer broke off: there was no finish_reason")
        held = reader.held()
        finished = reader.finished(time.monotonic() - run.began)
        run.post(*held, finished)
        return finished

    def _broken(self, error: Exception) -> Exception:
        if isinstance(error, APIConnectionError):
            return Again(f"the answer broke off: {_cause(error)}")
        if isinstance(error, APIError):
            return Refused(self._refusal(error))
        return Again(f"the answer broke off: what came is no part of an answer ({type(error).__name__})")

    def _refusal(self, error: APIError) -> Refusal:
        return Refusal.of(error, self._key)


def _cause(error: APIConnectionError) -> str:
    cause = error.__cause__ or error
    return f"{type(cause).__name__}: {cause}".rstrip(": ")
