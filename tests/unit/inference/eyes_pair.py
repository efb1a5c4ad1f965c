"""Eyes and a mind that are scripted, for tests of how the two are composed."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from core.errors import InferenceError
from core.inference.eyes.engine import EyesAndMind
from core.inference.port import Event, Message, Observation, Picture, Request
from core.inference.scripted import Script, ScriptedEngine
from tests.unit.inference.asking import collect


class Played:
    """A scripted engine that notes what it is asked; `heard` is set once it was asked `await_requests` times."""

    def __init__(self, name: str, script: Callable[[Request], Script], context_tokens: int = 8192) -> None:
        self.requests: list[Request] = []
        self.script = script
        self.await_requests = 1
        self.heard = threading.Event()
        self.engine = ScriptedEngine(self._answer, name=name, context_tokens=context_tokens)

    def _answer(self, request: Request) -> Script:
        self.requests.append(request)
        if len(self.requests) >= self.await_requests:
            self.heard.set()
        return self.script(request)

    def prompts(self) -> list[str]:
        """The last message of each request."""
        return [request.messages[-1].text for request in self.requests]


@dataclass
class Pair:
    """The two and what they are together."""

    eyes: Played
    mind: Played
    engine: EyesAndMind

    def collect(self, request: Request) -> list[Event]:
        """All events of a request."""
        return collect(self.engine, request)


Make = Callable[..., Pair]


def make_pair(
    eyes: Callable[[Request], Script] | None = None,
    mind: Callable[[Request], Script] | None = None,
    *,
    eyes_name: str = "eyes",
    context_tokens: int = 8192,
) -> Pair:
    """Eyes that say what is in a picture's bytes, and a mind that says "Hm."."""
    see = Played(eyes_name, eyes or look)
    think = Played("mind", mind or (lambda _: Script("Hm.")), context_tokens)
    return Pair(see, think, EyesAndMind(see.engine, think.engine))


def look(request: Request) -> Script:
    """What the eyes say: the picture's bytes; "broken" breaks them."""
    (message,) = request.messages
    (picture,) = message.pictures
    seen = picture.data.decode()
    if seen == "broken":
        return Script("", error=InferenceError("this picture is broken"))
    return Script(seen, thinking="Let me look.")


def picture(name: str) -> Picture:
    """A picture whose bytes are its name."""
    return Picture(f"key of {name}", name.encode(), 64, 48)


def asked(text: str, *names: str, id: str = "r1", tenant: str = "t", deadline_s: float = 60.0) -> Request:
    """One question about these pictures."""
    pictures = tuple(picture(name) for name in names)
    return Request(id, (Message("user", text, pictures),), tenant=tenant, cache_scope="talk", deadline_s=deadline_s)


def seen(events: list[Event]) -> list[tuple[str, str]]:
    """(name of the picture, text) of each observation."""
    return [(e.picture.removeprefix("key of "), e.text) for e in events if isinstance(e, Observation)]
