"""One request on its way through the engine."""

import time
from collections.abc import Iterable

from core.errors import DeadlineExceeded, GlimtError
from core.inference.answer import AnswerText
from core.inference.port import Event, Finished, Request, Started
from core.inference.render import Prompt
from core.inference.stepper import Sequence
from core.inference.stream import Mailbox, Waiter
from core.values import FinishReason


class Flight:
    """A request, what was computed for it, and the mailbox of whoever asked.

    `stop` may be called from any thread at any point; everything else belongs to the inference thread.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self.mailbox = Mailbox()
        self.deadline = time.monotonic() + request.deadline_s
        self.sequence: Sequence | None = None
        self._stopping = False
        self._began = 0.0
        self._text: AnswerText | None = None

    def stop(self) -> None:
        """Ask for the end within one step."""
        self._stopping = True

    def begin(self, prompt: Prompt, text: AnswerText, room: int) -> Sequence:
        """The prompt is rendered and `room` tokens are left for the answer. Returns what is to be computed."""
        request = self.request
        self._text = text
        limit = min(request.sampling.max_new_tokens, room)
        self.sequence = Sequence(prompt, request.sampling, limit, request.tenant, request.cache_scope, request.person)
        return self.sequence

    def admitted(self, cached_tokens: int) -> Waiter | None:
        """Computing begins. Returns the consumer to wake."""
        assert self.sequence is not None
        self._began = time.monotonic()
        prompt = self.sequence.prompt
        return self.mailbox.post(Started(prompt.tokens, prompt.picture_tokens, cached_tokens))

    def advance(self, token: int, ends: frozenset[int]) -> Waiter | None:
        """One more token was computed. Returns the consumer to wake."""
        assert self._text is not None
        assert self.sequence is not None
        if token in ends:
            return self.finish(FinishReason.STOP)
        deltas = self._text.add(token)
        if self._text.stopped:
            return self.finish(FinishReason.STOP, deltas)
        if len(self.sequence.computed) >= self.sequence.limit:
            return self.finish(FinishReason.LENGTH, deltas)
        return self.mailbox.post(*deltas) if deltas else None

    def finish(self, reason: FinishReason, deltas: Iterable[Event] = ()) -> Waiter | None:
        """Post `deltas`, what was held back, and the end. Returns the consumer to wake."""
        held = self._text.end() if self._text is not None else []
        computed = len(self.sequence.computed) if self.sequence is not None else 0
        seconds = time.monotonic() - self._began if self._began else 0.0
        boxes = tuple(self._text.boxes) if self._text is not None else ()
        return self.mailbox.post(*deltas, *held, Finished(reason, computed, seconds, boxes=boxes))

    def fail(self, error: GlimtError) -> Waiter | None:
        """End with `error`. Returns the consumer to wake."""
        return self.mailbox.fail(error)

    def end_if_due(self) -> Waiter | None:
        """End if somebody asked for it or the time is up; `mailbox.complete` tells. Returns the consumer to wake."""
        if self._stopping:
            return self.finish(FinishReason.CANCELLED)
        if time.monotonic() >= self.deadline:
            return self.fail(DeadlineExceeded(f"not complete after {self.request.deadline_s} s"))
        return None
