"""The `Engine` port: what the worker asks of inference, whatever stands behind it.

Nothing here imports torch, so that the worker's code and its tests read without it.
"""

from dataclasses import dataclass, field
from typing import Literal, Protocol, Self, runtime_checkable

from core.conversation.boxes import Box
from core.values import FinishReason


@dataclass(frozen=True, slots=True)
class Picture:
    """A safe picture: `data` are bytes that `core.media` re-encoded; `key` is their SHA-256 in hexadecimal."""

    key: str
    data: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Observation:
    """What the eyes (`model`) saw in the picture with the key `picture`; an event, and later part of the conversation.

    Without `text` the picture could not be looked at.
    """

    picture: str
    model: str
    text: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the prompt. Pictures stand before the text, in order.

    `observations` were made when this message was answered, of its own pictures and of earlier ones. They are for
    engines whose model sees through others' eyes; the rest leave them aside.
    """

    role: Literal["system", "user", "assistant"]
    text: str
    pictures: tuple[Picture, ...] = ()
    observations: tuple[Observation, ...] = ()


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen. `temperature` 0 is greedy; then the other knobs do nothing but the penalties."""

    max_new_tokens: int = 512
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    repetition_penalty: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One answer to compute.

    `id` names the request for `Engine.cancel`. What was computed for it is used again within its `cache_scope` (a
    conversation), and what was seen in its pictures within its `tenant`; never across, and not at all where they are
    empty. `person` is whom the answer is for: where not all can be computed at once, people are served equally. `about`
    are keys of earlier pictures that the last message is about, most important first. `deadline_s` counts from
    submission.
    """

    id: str
    messages: tuple[Message, ...]
    sampling: Sampling = field(default_factory=Sampling)
    reasoning: bool = False
    tenant: str = ""
    cache_scope: str = ""
    person: str = ""
    about: tuple[str, ...] = ()
    deadline_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Started:
    """The prompt was accepted and is being computed. Counts are in tokens.

    `picture_tokens` are part of the prompt; where other eyes look at the pictures, they are what those read of them.
    """

    prompt_tokens: int
    picture_tokens: int = 0
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Delta:
    """More text: valid Unicode, never empty. `kind` separates the model's thinking from its answer."""

    text: str
    kind: Literal["answer", "thinking"] = "answer"


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event of every stream that did not raise. `engine_s` is the time between start and end in seconds.

    `recount` is what `Started` would have said, where an engine learns its prompt's tokens only in the end.
    `boxes`: what the answer points out in pictures, in order; in its text each is a label and a place.
    """

    reason: FinishReason
    completion_tokens: int
    engine_s: float = 0.0
    recount: Started | None = None
    boxes: tuple[Box, ...] = ()


Event = Observation | Started | Delta | Finished


class Events(Protocol):
    """The stream of one request's events. Closing it early, or dropping it, cancels the request."""

    def __aiter__(self) -> Self:
        """Itself."""

    async def __anext__(self) -> Event:
        """The next event; raises what `Engine.submit` names."""

    async def aclose(self) -> None:
        """Stop the request if it still runs; nothing more is yielded."""


@dataclass(frozen=True, slots=True)
class EngineStats:
    """Numbers of one engine, from when it was made until now. Sizes are in bytes.

    Now: `waiting` and `running` requests, `kv_slots` of `kv_slot_tokens` tokens each. Since the start: `steps`, tokens
    of prompts that were begun (with those that were known from before) and of answers, and for both caches what was
    found in them and what was not. `prefix_reused` of the `prefix_asked` tokens of conversations were known.
    `…_bytes` of `…_budget` are taken now; a budget of 0 means that nothing is kept.
    """

    waiting: int = 0
    running: int = 0
    kv_slots: int = 0
    kv_slot_tokens: int = 0
    steps: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    picture_hits: int = 0
    picture_misses: int = 0
    picture_bytes: int = 0
    picture_budget: int = 0
    prefix_hits: int = 0
    prefix_misses: int = 0
    prefix_reused: int = 0
    prefix_asked: int = 0
    prefix_bytes: int = 0
    prefix_budget: int = 0


@runtime_checkable
class Engine(Protocol):
    """Answers many requests at once on one device. All methods are thread-safe."""

    @property
    def model_name(self) -> str:
        """Name to store beside the answer and to list in the REST API."""

    @property
    def context_tokens(self) -> int:
        """Tokens that prompt and answer may have together."""

    def count_tokens(self, message: Message) -> int:
        """Tokens that `message` takes in a prompt, with its pictures and its share of the template."""

    def submit(self, request: Request) -> Events:
        """Start computing and return the stream of events: one `Started`, any number of `Delta`, one `Finished`.

        Before them come any number of `Observation`, where the model sees through other eyes. A request that is
        cancelled may end without `Started`. Closing the iterator early cancels the request.

        Raises (from the iterator):
            PromptTooLong: nothing was computed.
            InferenceError: this request failed; others go on.
            EngineStopped: the engine was closed.
            ConfigurationError: the server behind the engine refuses us or the model; the operator must act.
        """

    def cancel(self, request_id: str) -> bool:
        """Stop a request within one step; its stream ends with `Finished(CANCELLED)`. False: no such request."""

    def stats(self) -> EngineStats:
        """Its numbers right now."""

    def close(self) -> None:
        """Stop the inference thread; what is in flight ends with `EngineStopped`."""
