"""An engine without a model, for benches of the service and for tests that are about something else.

`GLIMT_MODEL=scripted:echo` answers every question with its own words. Options follow as in a URL:
`scripted:echo?tokens=64&pace=25` says 64 words at 25 words a second (`pace=0`, the default: all at once).

Markers in the question play a part, so that a test can choose what happens from outside the process:

    [[tokens N]]   answer with N words
    [[pace N]]     at N words a second
    [[slow N]]     take N seconds for the answer, evenly spread
    [[think]]      think aloud before the answer
    [[see]]        say first, as eyes do, what is seen in each picture of the question
    [[fail]]       fail for good (InferenceError)
    [[fail-once]]  fail the first time this question is asked of this process, retryable (OutOfMemory)
    [[hang]]       begin to answer, then wait until cancelled or past the deadline
    [[die]]        begin to answer, then end the whole process with SIGKILL
"""

import asyncio
import os
import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import takewhile
from urllib.parse import parse_qsl

import structlog

from core.errors import ConfigurationError, GlimtError, InferenceError, OutOfMemory, PromptTooLong
from core.inference.byte_lru import ByteLru
from core.inference.port import Delta, EngineStats, Event, Events, Message, Observation, Request, Started
from core.inference.request_loop import RequestLoop, RequestRun
from core.values import FinishReason

PREFIX = "scripted:"
PICTURE_TOKENS = 64
_PREFIX_BUDGET = 1 << 20
_MARKER = re.compile(r"\[\[([a-z-]+)(?: +(\d+(?:\.\d+)?))?\]\]")
_WORD = re.compile(r"\s*\S+")


@dataclass(frozen=True, slots=True)
class Script:
    """What to play for one request.

    `pace` is in tokens (words) a second, 0 for all at once. With `error` it is raised before any text; with `then`
    the first token comes, and then it waits for ever ("hang") or kills the process ("die").
    """

    answer: str
    thinking: str = ""
    observations: tuple[Observation, ...] = ()
    pace: float = 0.0
    error: GlimtError | None = None
    then: str = ""


def words(text: str) -> list[str]:
    """`text` cut into tokens: words with the white space before them; together they are `text` without its end."""
    return _WORD.findall(text)


class Echo:
    """Answers with the question, obeying the markers in it."""

    def __init__(self, tokens: int = 0, pace: float = 0.0) -> None:
        self._tokens = tokens
        self._pace = pace
        self._failed: set[str] = set()

    def __call__(self, request: Request) -> Script:
        message = request.messages[-1]
        marks = {name: float(value or 0) for name, value in _MARKER.findall(message.text)}
        count = int(marks.get("tokens", self._tokens))
        answer = " ".join(f"word{n}" for n in range(1, count + 1)) if count else self._echo(message)
        thinking = "Let me think." if "think" in marks else ""
        seen = [Observation(p.key, "scripted eyes", f"{p.width} × {p.height} pixels") for p in message.pictures]
        observations = tuple(seen) if "see" in marks else ()
        script = Script(answer, thinking, observations, pace=marks.get("pace", self._pace))
        if seconds := marks.get("slow"):
            script = replace(script, pace=max(len(words(answer)), 1) / seconds)
        if "fail" in marks:
            return replace(script, error=InferenceError("scripted failure"))
        if "fail-once" in marks and message.text not in self._failed:
            self._failed.add(message.text)
            return replace(script, error=OutOfMemory("scripted failure, first attempt only"))
        return replace(script, then=next((name for name in ("hang", "die") if name in marks), ""))

    @staticmethod
    def _echo(message: Message) -> str:
        pictures = f"[{len(message.pictures)} picture{'s' * (len(message.pictures) > 1)}]" if message.pictures else ""
        return f"{message.text.strip()} {pictures}".strip() or "(nothing)"


class ScriptedEngine:
    """The `Engine` port played from scripts: `answer` gives the `Script` of a request.

    One thread plays all requests. A token is a word; a picture takes 64 tokens. Like a real one it knows again those
    messages with which the prompt before began in its `cache_scope`.
    """

    def __init__(
        self, answer: Callable[[Request], Script], *, name: str = "scripted", context_tokens: int = 8192
    ) -> None:
        self._answer = answer
        self._name = name
        self._context_tokens = context_tokens
        self._prefixes: ByteLru[str, tuple[Message, ...]] = ByteLru(_PREFIX_BUDGET)
        self._stats = EngineStats(prefix_budget=_PREFIX_BUDGET)
        self._requests = RequestLoop(self._play, "scripted-engine")

    @property
    def model_name(self) -> str:
        return self._name

    @property
    def context_tokens(self) -> int:
        return self._context_tokens

    def count_tokens(self, message: Message) -> int:
        return 2 + len(words(message.text)) + PICTURE_TOKENS * len(message.pictures)

    def submit(self, request: Request) -> Events:
        return self._requests.submit(request)

    def cancel(self, request_id: str) -> bool:
        return self._requests.cancel(request_id)

    def stats(self) -> EngineStats:
        return replace(self._stats, running=self._requests.running)

    def close(self) -> None:
        self._requests.close()

    def _known(self, request: Request) -> int:
        """Tokens of the messages that are the same as before in this scope; remembers those of now."""
        before = self._prefixes.get(request.cache_scope) or ()
        same = takewhile(lambda pair: pair[0] == pair[1], zip(before, request.messages[:-1], strict=False))
        if request.cache_scope:
            self._prefixes.put(request.cache_scope, request.messages, sum(len(m.text) for m in request.messages))
        return sum(self.count_tokens(message) for message, _ in same)

    def _note(self, **more: int) -> None:
        """Count; on the engine's thread."""
        was, kept = self._stats, self._prefixes
        counted = {name: getattr(was, name) + number for name, number in more.items()}
        self._stats = replace(was, prefix_hits=kept.hits, prefix_misses=kept.misses, prefix_bytes=kept.bytes, **counted)

    async def _play(self, run: RequestRun) -> None:
        try:
            await self._say(run, run.request)
        finally:
            self._note(steps=run.tokens, completion_tokens=run.tokens)

    async def _say(self, run: RequestRun, request: Request) -> None:
        prompt_tokens = sum(map(self.count_tokens, request.messages))
        if prompt_tokens >= self._context_tokens:
            raise PromptTooLong(f"{prompt_tokens} tokens of {self._context_tokens}")
        script = self._answer(request)
        pictures = sum(len(message.pictures) for message in request.messages)
        cached_tokens = self._known(request)
        self._note(prompt_tokens=prompt_tokens, cached_tokens=cached_tokens)
        run.post(*script.observations, Started(prompt_tokens, PICTURE_TOKENS * pictures, cached_tokens))
        if script.error is not None:
            raise script.error
        tokens: list[Event] = [Delta(word, "thinking") for word in words(script.thinking)]
        tokens += [Delta(word) for word in words(script.answer)]
        reason = FinishReason.STOP if len(tokens) <= request.sampling.max_new_tokens else FinishReason.LENGTH
        tokens = tokens[: request.sampling.max_new_tokens]
        if script.pace == 0 and not script.then:
            run.tokens = len(tokens)
            run.post(*tokens, run.finished(reason))
            return
        for number, delta in enumerate(tokens, start=1):
            if script.pace:
                # From the start of the answer, not from the last token: delays do not add up.
                await asyncio.sleep(run.began + number / script.pace - time.monotonic())
            run.post(delta)
            run.tokens = number
            if script.then == "hang":
                await asyncio.Event().wait()
            if script.then == "die":
                os.kill(os.getpid(), signal.SIGKILL)
        run.post(run.finished(reason))


def read_script(model: str) -> Echo:
    """What a `scripted:…` model name asks for.

    Raises:
        ConfigurationError: unknown script or option.
    """
    script, _, query = model.removeprefix(PREFIX).partition("?")
    try:
        options = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
        tokens, pace = int(options.pop("tokens", "0")), float(options.pop("pace", "0"))
    except ValueError:
        options = {"?": query}
    if script != "echo" or options or tokens < 0 or pace < 0:
        raise ConfigurationError(f"GLIMT_MODEL={model!r}: the only script is 'scripted:echo?tokens=N&pace=N'")
    return Echo(tokens, pace)


def scripted_engine(model: str) -> ScriptedEngine:
    """The engine that a `scripted:…` model name asks for.

    Raises:
        ConfigurationError: unknown script or option.
    """
    script = read_script(model)
    structlog.get_logger(__name__).warning("answers_are_scripted", model=model, note="no model is loaded")
    return ScriptedEngine(script, name=model)
