"""`glimt ask`: one question straight through the inference core. No queue, no database; nothing is stored."""

import asyncio
import json
import sys
import time
from contextlib import aclosing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

from core.errors import NotFound, PictureError
from core.inference.create import create_engine
from core.inference.port import Delta, Engine, Finished, Message, Observation, Picture, Request, Sampling, Started
from core.media.limits import PictureLimits
from core.media.pictures import read_pictures
from core.settings import Settings
from core.values import new_id


def ask(
    pictures: list[Path],
    question: str,
    *,
    settings: Settings,
    as_json: bool = False,
    out: TextIO = sys.stdout,
    notes: TextIO = sys.stderr,
) -> None:
    """Ask about `pictures` and print the answer to `out` as it comes; what else is said goes to `notes`.

    That is progress, thinking, and what other eyes saw. With `as_json` `out` gets one JSON object instead: answer,
    thinking, observations, model, finish_reason, tokens and timings.

    Raises:
        NotFound: no such file.
        PictureError: a file is no picture that can be used; the message names it.
        ConfigurationError, InferenceError: as the engine raises them.
    """
    safe = [picture for path in pictures for picture in read_picture(path, PictureLimits.of(settings))]
    began = time.monotonic()
    doing = f"Asking {settings.backend_url}" if settings.backend == "openai" else f"Loading {settings.model}"
    print(f"{doing} …", file=notes, flush=True)
    engine = create_engine(settings)
    try:
        told = _Told(load_s=time.monotonic() - began, out=None if as_json else out, notes=None if as_json else notes)
        asyncio.run(_tell(engine, _request(safe, question, settings), told))
        print(json.dumps(told.summary(engine.model_name), ensure_ascii=False) if as_json else "", file=out, flush=True)
    finally:
        engine.close()


def read_picture(path: Path, limits: PictureLimits) -> list[Picture]:
    """The picture in a file, or those of its pages, made safe. Raises NotFound or PictureError; both name the file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NotFound(f"{path}: {error.strerror}") from None
    try:
        return [Picture(safe.key, safe.data, safe.width, safe.height) for safe in read_pictures(data, limits)]
    except PictureError as error:
        raise type(error)(f"{path}: {error.user_message}", user_message=error.user_message) from None


def _request(pictures: list[Picture], question: str, settings: Settings) -> Request:
    messages = [Message("user", question, tuple(pictures))]
    if settings.system_prompt:
        messages.insert(0, Message("system", settings.system_prompt))
    sampling = Sampling(max_new_tokens=settings.max_new_tokens, temperature=settings.temperature)
    return Request(new_id(), tuple(messages), sampling, settings.reasoning, deadline_s=settings.turn_deadline_s)


@dataclass
class _Told:
    """What the engine said, printed as it comes unless `out` and `notes` are None."""

    load_s: float
    out: TextIO | None
    notes: TextIO | None
    asked: float = field(default_factory=time.monotonic)
    first_s: float | None = None
    answer: str = ""
    thinking: str = ""
    observations: list[Observation] = field(default_factory=list)
    started: Started | None = None
    finished: Finished | None = None

    def see(self, observation: Observation) -> None:
        self.observations.append(observation)
        if self.notes is not None:
            saw = observation.text or "The picture could not be looked at."
            print(f"[{observation.model}] {saw}", file=self.notes, flush=True)

    def add(self, delta: Delta) -> None:
        if self.first_s is None:
            self.first_s = time.monotonic() - self.asked
        if delta.kind == "thinking":
            self.thinking += delta.text
            target = self.notes
        else:
            if self.thinking and not self.answer and self.notes is not None:
                print(file=self.notes, flush=True)
            self.answer += delta.text
            target = self.out
        if target is not None:
            print(delta.text, end="", file=target, flush=True)

    def summary(self, model: str) -> dict[str, Any]:
        assert self.started is not None
        assert self.finished is not None
        return {
            "answer": self.answer,
            "thinking": self.thinking,
            "observations": [asdict(observation) for observation in self.observations],
            "model": model,
            "finish_reason": self.finished.reason,
            "tokens": {
                "prompt": self.started.prompt_tokens,
                "picture": self.started.picture_tokens,
                "cached": self.started.cached_tokens,
                "completion": self.finished.completion_tokens,
            },
            "timings": {
                "load_s": round(self.load_s, 3),
                "first_token_s": None if self.first_s is None else round(self.first_s, 3),
                "engine_s": round(self.finished.engine_s, 3),
                "total_s": round(time.monotonic() - self.asked, 3),
            },
        }


async def _tell(engine: Engine, request: Request, told: _Told) -> None:
    async with aclosing(engine.submit(request)) as events:
        async for event in events:
            if isinstance(event, Started):
                told.started = event
            elif isinstance(event, Finished):
                told.finished = event
                told.started = event.recount or told.started
            elif isinstance(event, Observation):
                told.see(event)
            else:
                told.add(event)
