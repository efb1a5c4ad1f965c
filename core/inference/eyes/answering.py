"""One request on its way: first the eyes look, all pictures at once, then the mind answers."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog

from core.errors import DeadlineExceeded, EngineStopped, InferenceError, LookFailed
from core.inference.eyes.look import Look
from core.inference.port import Engine, Event, Events, Finished, Observation, Request, Started
from core.values import FinishReason

log = structlog.get_logger(__name__)


class Answering:
    """The stream of one request's events. One consumer reads it; `stop` may come from any thread.

    `keep` is told what each look saw, `tidy` makes it ready (see `Look.read`), `ask` turns the observations into the
    mind's request. Whoever drops the stream stops what is still computed for it.
    """

    def __init__(
        self,
        request: Request,
        eyes: Engine,
        mind: Engine,
        looks: Sequence[Look],
        *,
        missed: Sequence[str],
        tidy: Callable[[str, bool], str],
        keep: Callable[[Look, str], None],
        ask: Callable[[tuple[Observation, ...]], Request],
    ) -> None:
        self.over = False
        self._request = request
        self._eyes = eyes
        self._mind = mind
        self._looks = tuple(looks)
        self._missed = tuple(missed)
        self._tidy = tidy
        self._keep = keep
        self._ask = ask
        self._deadline = time.monotonic() + request.deadline_s
        self._waiting = deque(looks)
        self._failures: list[tuple[str, InferenceError]] = []
        self._observations: list[Observation] = []
        # Told after those that went well.
        self._unseen: deque[str] | None = None
        self._answer: Events | None = None
        self._stopped = False

    def __aiter__(self) -> "Answering":
        return self

    async def __anext__(self) -> Event:
        if self.over:
            raise StopAsyncIteration
        try:
            event = await self._next()
        except BaseException:
            self._leave()
            raise
        self.over = isinstance(event, Finished)
        return event

    async def aclose(self) -> None:
        """Stop the request if it still runs; nothing more is yielded."""
        self._leave()

    def __del__(self) -> None:
        self._leave()

    def stop(self) -> None:
        """End within one step of whichever model is at work."""
        self._stopped = True
        for look in self._looks:
            if look.id:
                self._eyes.cancel(look.id)
        self._mind.cancel(self._request.id)

    def _leave(self) -> None:
        if not self.over:
            self.over = True
            self.stop()

    async def _next(self) -> Event:
        while self._waiting:
            look = self._waiting.popleft()
            observation = await self._observe(look)
            if self._stopped:
                return self._cancelled()
            if observation is not None:
                return self._add(observation)
        if self._stopped and self._answer is None:
            return self._cancelled()
        if self._unseen is None:
            self._unseen = self._not_seen()
        if self._unseen:
            return self._add(Observation(self._unseen.popleft(), self._eyes.model_name, ""))
        if self._answer is None:
            self._answer = self._begin()
        return self._joined(await anext(self._answer))

    async def _observe(self, look: Look) -> Observation | None:
        """What `look` saw; None if it failed.

        Raises:
            EngineStopped, DeadlineExceeded: no other look can go better.
        """
        try:
            text = await look.read(self._tidy)
        except (EngineStopped, DeadlineExceeded):
            if self._stopped:
                return None
            raise
        except InferenceError as error:
            if not self._stopped:
                log.warning("look_failed", request=self._request.id, picture=look.picture.key[:12], error=str(error))
                self._failures.append((look.picture.key, error))
            return None
        self._keep(look, text)
        return Observation(look.picture.key, self._eyes.model_name, text)

    def _add(self, observation: Observation) -> Observation:
        self._observations.append(observation)
        return observation

    def _not_seen(self) -> deque[str]:
        """The pictures that the mind must do without.

        Raises:
            LookFailed: that is all of them.
        """
        known = [o for message in self._request.messages for o in message.observations]
        if self._failures and not any(observation.text for observation in (*known, *self._observations)):
            raise LookFailed(f"the eyes saw nothing: {self._failures[0][1]}") from self._failures[0][1]
        return deque([key for key, _ in self._failures] + list(self._missed))

    def _begin(self) -> Events:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded(f"not complete after {self._request.deadline_s} s")
        answer = self._mind.submit(replace(self._ask(tuple(self._observations)), deadline_s=left))
        if self._stopped:
            # By another thread, before the mind knew the request.
            self._mind.cancel(self._request.id)
        return answer

    def _cancelled(self) -> Finished:
        return Finished(FinishReason.CANCELLED, 0, self._looking_s)

    def _joined(self, event: Event) -> Event:
        """The mind's event, with what the eyes had to do with it."""
        match event:
            case Started():
                return self._counted(event)
            case Finished():
                recount = event.recount and self._counted(event.recount)
                return replace(event, engine_s=self._looking_s + event.engine_s, recount=recount)
        return event

    def _counted(self, started: Started) -> Started:
        return replace(started, picture_tokens=sum(look.picture_tokens for look in self._looks))

    @property
    def _looking_s(self) -> float:
        # They ran side by side.
        return max((look.engine_s for look in self._looks), default=0.0)
