"""Two engines as one: the eyes look at pictures, the mind answers."""

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from weakref import WeakValueDictionary

from core.errors import EngineStopped, InferenceError
from core.inference.eyes.answering import Answering
from core.inference.eyes.blocks import in_words
from core.inference.eyes.look import Look, shortened
from core.inference.eyes.memory import Memory
from core.inference.eyes.plan import Plan, Wanted, plan
from core.inference.eyes.wording import wording_for
from core.inference.port import Engine, EngineStats, Events, Message, Observation, Request, Sampling
from core.inference.stream import EventStream, Mailbox

# What the eyes may say of one picture: a page of text, or a scene in detail.
LOOK_TOKENS = 1024


class EyesAndMind:
    """The `Engine` port over any two engines. Closing it closes both.

    The mind gets no pictures but words about them. `model_name` and the counts of prompt and answer are the mind's.
    """

    def __init__(self, eyes: Engine, mind: Engine) -> None:
        self._eyes = eyes
        self._mind = mind
        self._wording = wording_for(eyes.model_name)
        # Small minds get short observations: a few pictures and a conversation must fit.
        self.look_tokens = min(LOOK_TOKENS, mind.context_tokens // 4)
        self.memory = Memory()
        self._lock = threading.Lock()
        self._closed = False
        # Weak, so that a stream that its reader drops is not kept alive from here.
        self._answering: WeakValueDictionary[str, Answering] = WeakValueDictionary()

    @property
    def model_name(self) -> str:
        return self._mind.model_name

    @property
    def eyes_name(self) -> str:
        """The model that looks at pictures."""
        return self._eyes.model_name

    @property
    def context_tokens(self) -> int:
        return self._mind.context_tokens

    def count_tokens(self, message: Message) -> int:
        """Tokens in the mind's prompt: observations as they are, pictures not yet looked at as the most of a look."""
        seen = {observation.picture for observation in message.observations if observation.text}
        unseen = [Observation(p.key, "", "") for p in message.pictures if p.key not in seen]
        (told,) = in_words([replace(message, observations=(*message.observations, *unseen))])
        return self._mind.count_tokens(told) + self.look_tokens * len(unseen)

    def submit(self, request: Request) -> Events:
        with self._lock:
            other = self._answering.get(request.id)
            if self._closed:
                return _failed(EngineStopped("the engine is closed"))
            if not request.messages:
                return _failed(InferenceError("there is no message"))
            if other is not None and not other.over:
                return _failed(InferenceError(f"a request with the id {request.id!r} is already in flight"))
            try:
                wanted = plan(request, steered=self._wording.steered, room=lambda: self._room(request))
            except InferenceError as error:
                return _failed(error)
            answering = self._answering[request.id] = self._begin(request, wanted)
            return answering

    def cancel(self, request_id: str) -> bool:
        answering = self._answering.get(request_id)
        if answering is None or answering.over:
            return False
        answering.stop()
        return True

    def stats(self) -> EngineStats:
        """The mind's numbers, with those of pictures, which only the eyes see."""
        seen = self._eyes.stats()
        return replace(
            self._mind.stats(),
            picture_hits=seen.picture_hits,
            picture_misses=seen.picture_misses,
            picture_bytes=seen.picture_bytes,
            picture_budget=seen.picture_budget,
        )

    def close(self) -> None:
        with self._lock:
            self._closed = True
        self._eyes.close()
        self._mind.close()

    def _begin(self, request: Request, planned: Plan) -> Answering:
        return Answering(
            request,
            self._eyes,
            self._mind,
            [self._look(request, number, wanted) for number, wanted in enumerate(planned.looks, start=1)],
            missed=[picture.key for picture in planned.missed],
            tidy=self._tidy,
            keep=partial(self._keep, request.tenant),
            ask=_asker(request),
        )

    def _look(self, request: Request, number: int, wanted: Wanted) -> Look:
        """Begin a look, or remember one."""
        picture, focus = wanted.picture, self._wording.focus(wanted.question)
        known = self.memory.recall(request.tenant, picture.key, focus)
        if known is not None:
            return Look(picture, focus, text=known)
        id = f"{request.id}/look {number}"
        looking = Request(
            id,
            (Message("user", self._wording.ask(wanted.question), (picture,)),),
            Sampling(max_new_tokens=self.look_tokens),
            tenant=request.tenant,
            # A later look at the same picture begins like this one.
            cache_scope=f"{request.cache_scope}/{picture.key}" if request.cache_scope else "",
            person=request.person,
            deadline_s=request.deadline_s,
        )
        return Look(picture, focus, id, self._eyes.submit(looking))

    def _keep(self, tenant: str, look: Look, text: str) -> None:
        self.memory.keep(tenant, look.picture.key, look.focus, text)

    def _tidy(self, text: str, cut: bool) -> str:
        """No longer than what `count_tokens` promised for it."""
        return shortened(text, cut, self.look_tokens, lambda words: self._mind.count_tokens(Message("user", words)))

    def _room(self, request: Request) -> int:
        """How many further looks fit beside the conversation and the answer."""
        context = self._mind.context_tokens
        taken = sum(map(self.count_tokens, request.messages)) + min(request.sampling.max_new_tokens, context // 2)
        look = self.count_tokens(Message("user", "", (), (Observation("", "", ""),))) + self.look_tokens
        return (context - taken) // look


def _asker(request: Request) -> Callable[[tuple[Observation, ...]], Request]:
    def ask(observations: tuple[Observation, ...]) -> Request:
        *earlier, last = request.messages
        now = replace(last, observations=(*last.observations, *observations))
        return replace(request, messages=in_words([*earlier, now]), about=())

    return ask


def _failed(error: InferenceError) -> Events:
    """A stream that only raises."""
    mailbox = Mailbox()
    mailbox.fail(error)
    return EventStream(mailbox, lambda: None)
