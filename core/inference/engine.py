"""The in-process engine: one inference thread that owns the model, and a few threads that prepare prompts for it."""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import structlog

from core.errors import EngineStopped, InferenceError, OutOfMemory, PromptTooLong
from core.inference.answer import AnswerText
from core.inference.count import TokenCounter
from core.inference.flight import Flight
from core.inference.hardware import allowed_cores
from core.inference.loader import LoadedModel, load_model
from core.inference.port import EngineStats, Events, Message, Request
from core.inference.render import Prompt, Renderer
from core.inference.sharing import FairLock, SharedStepper
from core.inference.stepper import Admitted, Sequence, Stepper
from core.inference.steppers import create_stepper
from core.inference.stream import EventStream, Waiter, wake
from core.inference.threads import compute_with, lonely_pool
from core.inference.warm_up import warm_up_requests
from core.settings import Settings

log = structlog.get_logger(__name__)

PREPARING_THREADS = 2
# Where a GPU computes, the cores have nothing else to do, and one question may not wait for another's picture.
PREPARING_THREADS_CUDA = 8
# A step over many sequences may take long: consumers are woken together, but not later than after this.
WAKE_EVERY_S = 0.02
# What is handed to the inference thread: something to do there. None only wakes it, to look at stops and deadlines.
_Task = Callable[[], None]


class TransformersEngine:
    """Answers many requests at once with one transformers model. The `Engine` port says what it promises.

    A request passes from the caller's thread to a preparing thread (template, tokenizer, Pillow), then to the
    inference thread (vision, text), whose events go back through the request's mailbox.
    """

    def __init__(self, loaded: LoadedModel, stepper: Stepper) -> None:
        self._loaded = loaded
        self._stepper = stepper
        self._renderer = Renderer(loaded)
        self._counter = TokenCounter(self._renderer)
        self._flights: dict[str, Flight] = {}
        self._closed = False
        self._submitting = threading.Lock()
        # Safe to put to from the garbage collector, which may drop a stream at any point.
        self._inbox: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        threads = PREPARING_THREADS
        if loaded.device.type == "cuda":
            threads = max(threads, min(PREPARING_THREADS_CUDA, allowed_cores() - 1))
        self._preparing = lonely_pool(threads, "prepare")
        self._by_sequence: dict[Sequence, Flight] = {}
        # Written by the inference thread alone.
        self._steps = self._prompt_tokens = self._cached_tokens = self._completion_tokens = 0
        # Our own questions, which make way for anybody's.
        self._warming: list[Flight] = []
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)
        self._thread.start()

    @classmethod
    def load(cls, settings: Settings) -> "TransformersEngine":
        """Load the model that the settings name and start its thread, which warms up. Errors as in `load_model`."""
        engine = cls.around(load_model(settings), settings)
        engine.warm_up()
        return engine

    @classmethod
    def around(
        cls, loaded: LoadedModel, settings: Settings, part: float = 1.0, cores: FairLock | None = None
    ) -> "TransformersEngine":
        """Start the thread of a model that is loaded.

        `part` of the memory for caches is its own. It steps while it holds `cores`, where it shares them.

        Raises:
            ConfigurationError: there is not enough memory for any sequence.
        """
        stepper, most_tokens = create_stepper(loaded, settings, part)
        if cores is not None:
            stepper = SharedStepper(stepper, cores)
        return cls(replace(loaded, context_tokens=min(loaded.context_tokens, most_tokens)), stepper)

    @property
    def model_name(self) -> str:
        return self._loaded.name

    @property
    def context_tokens(self) -> int:
        return self._loaded.context_tokens

    def count_tokens(self, message: Message) -> int:
        return self._counter(message)

    def submit(self, request: Request) -> Events:
        flight = Flight(request)
        with self._submitting:
            if self._closed:
                flight.fail(EngineStopped("the engine is closed"))
            elif (other := self._flights.get(request.id)) is not None and not other.mailbox.complete:
                flight.fail(InferenceError(f"a request with the id {request.id!r} is already in flight"))
            else:
                for own in self._warming:
                    own.stop()
                self._fly(flight)
        return EventStream(flight.mailbox, lambda: self._stop(flight))

    def cancel(self, request_id: str) -> bool:
        flight = self._flights.get(request_id)
        if flight is None or flight.mailbox.complete:
            return False
        self._stop(flight)
        return True

    def stats(self) -> EngineStats:
        return replace(
            self._stepper.stats(),
            steps=self._steps,
            prompt_tokens=self._prompt_tokens,
            cached_tokens=self._cached_tokens,
            completion_tokens=self._completion_tokens,
        )

    def warm_up(self) -> None:
        """Do in the background what the first request would otherwise wait for. A request that comes meanwhile waits
        for the step at hand and no longer."""
        with self._submitting:
            if not self._closed and not self._flights:
                self._warming = [Flight(own) for own in warm_up_requests(sees=self._loaded.processor is not None)]
                for flight in self._warming:
                    self._fly(flight)

    def close(self) -> None:
        with self._submitting:
            self._closed = True
        self._preparing.shutdown(cancel_futures=True)
        self._inbox.put(None)
        self._thread.join()

    def _fly(self, flight: Flight) -> None:
        self._flights[flight.request.id] = flight
        self._preparing.submit(self._prepare, flight)
        # An idle thread would not know of the new deadline.
        self._inbox.put(None)

    def _stop(self, flight: Flight) -> None:
        flight.stop()
        self._inbox.put(None)

    def _prepare(self, flight: Flight) -> None:
        """In a preparing thread: render, and hand the prompt or the error over."""
        if flight.mailbox.complete:
            return
        try:
            prompt = self._renderer(flight.request.messages, flight.request.reasoning)
            room = self._loaded.context_tokens - prompt.tokens
            if room < 1:
                raise PromptTooLong(f"{prompt.tokens} tokens of {self._loaded.context_tokens}")
        except InferenceError as error:
            failure: InferenceError = error
        except MemoryError as error:
            failure = OutOfMemory(str(error))
        else:
            self._inbox.put(lambda: self._begin(flight, prompt, room))
            return
        self._inbox.put(lambda: self._fail(flight, failure))

    def _run(self) -> None:
        """The inference thread."""
        compute_with(self._loaded.threads)
        while not self._closed:
            try:
                self._take_in()
                self._step()
            except Exception as error:
                # Nothing of this kind is expected; whoever waits must still hear of it, and the next be served.
                log.exception("inference_thread")
                for flight in list(self._flights.values()):
                    self._fail(flight, InferenceError(f"{type(error).__name__}: {error}"))
        for flight in list(self._flights.values()):
            self._fail(flight, EngineStopped("the engine was closed"))

    def _take_in(self) -> None:
        """Do what was handed over. With nothing to compute, wait for it, or for the next deadline."""
        block = not self._by_sequence
        try:
            while True:
                task = self._inbox.get(block, self._next_deadline() if block else None)
                block = False
                if task is not None:
                    task()
        except queue.Empty:
            return

    def _step(self) -> None:
        """End what is due, then one token for each of the others."""
        waiters: list[Waiter | None] = []
        try:
            for flight in list(self._flights.values()):
                waiters.append(flight.end_if_due())
                if flight.mailbox.complete:
                    self._leave(flight)
            woken = time.monotonic()
            self._steps += bool(self._by_sequence)
            for sequence, result in self._stepper.step():
                if (flying := self._by_sequence.get(sequence)) is not None:
                    waiters.append(self._advance(flying, result))
                if time.monotonic() - woken > WAKE_EVERY_S:
                    wake(waiters)
                    waiters.clear()
                    woken = time.monotonic()
        finally:
            # Also when the step breaks: a mailbox gives its waiter away once.
            wake(waiters)

    def _next_deadline(self) -> float | None:
        """Seconds until the next request in preparation runs out of time."""
        deadlines = [flight.deadline for flight in list(self._flights.values())]
        return max(0.0, min(deadlines) - time.monotonic()) if deadlines else None

    def _begin(self, flight: Flight, prompt: Prompt, room: int) -> None:
        if flight.mailbox.complete:
            return
        vocabulary, sampling = self._loaded.vocabulary, flight.request.sampling
        text = AnswerText(
            self._decode,
            vocabulary.hidden,
            stop=sampling.stop,
            thinking=prompt.thinking,
            box_pixels=prompt.box_pixels,
        )
        sequence = flight.begin(prompt, text, room)
        self._by_sequence[sequence] = flight
        self._stepper.add(sequence)

    def _fail(self, flight: Flight, error: InferenceError) -> None:
        wake([flight.fail(error)])
        self._leave(flight)

    def _advance(self, flight: Flight, result: Admitted | int | InferenceError) -> Waiter | None:
        if isinstance(result, Admitted):
            assert flight.sequence is not None
            self._prompt_tokens += flight.sequence.prompt.tokens
            self._cached_tokens += result.cached_tokens
            waiter = flight.admitted(result.cached_tokens)
        elif isinstance(result, InferenceError):
            log.warning("request_failed", request=flight.request.id, error=str(result))
            waiter = flight.fail(result)
        else:
            self._completion_tokens += 1
            waiter = flight.end_if_due() or flight.advance(result, self._loaded.vocabulary.ends)
        if flight.mailbox.complete:
            self._leave(flight)
        return waiter

    def _leave(self, flight: Flight) -> None:
        with self._submitting:
            # The id may be another's by now: it is free as soon as its last event was posted.
            if self._flights.get(flight.request.id) is flight:
                del self._flights[flight.request.id]
        if flight.sequence is not None:
            self._by_sequence.pop(flight.sequence, None)
            self._stepper.remove(flight.sequence)

    def _decode(self, ids: list[int]) -> Any:
        return self._loaded.tokenizer.decode(ids, clean_up_tokenization_spaces=False)
