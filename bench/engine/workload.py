"""What is asked. The same questions, pictures and times of arrival for every side.

Workload W: 32 questions at once, each with a picture of its own; 190 tokens of which 144 are the picture, 64 new ones.
Poisson: the same questions, arriving one by one whether or not the ones before are answered.
Workload M: one conversation about one picture; each turn knows what was answered before.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

from PIL import Image

QUESTIONS = 32
NEW_TOKENS = 64
TURNS = 6
TURN_TOKENS = 32
# Pixels; 144 tokens for a Qwen2-VL.
SIDE = 336
FOLLOW_UP = "And what else is there?"


@dataclass(frozen=True, slots=True)
class Say:
    """One message. `picture` is the number of the picture that stands before the text."""

    role: str
    text: str
    picture: int | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """One answer to compute: exactly `new_tokens` tokens, asked for `at_s` seconds after the round began.

    What is computed may be used again for a later ask of the same `conversation`, and what is seen in its pictures
    within `pictures_of`; not at all where they are empty. Engines that always look for what they have computed before
    find nothing, because no picture is asked about twice except in a conversation.
    """

    messages: tuple[Say, ...]
    new_tokens: int
    at_s: float = 0.0
    conversation: str = ""
    pictures_of: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Seconds are since the round began. `cached` of the prompt's tokens were not computed; None: nobody counted."""

    first_s: float
    end_s: float
    tokens: int
    text: str
    prompt_tokens: int | None = None
    cached: int | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """Answers in the order of the asks, which arrived at `arrived_s`; `seconds` until the last one was complete."""

    answers: list[Answer]
    arrived_s: list[float]
    seconds: float
    counters: dict[str, float] = field(default_factory=dict)

    @property
    def answers_per_s(self) -> float:
        """Throughput."""
        return len(self.answers) / self.seconds


def ask_from(data: dict[str, Any]) -> Ask:
    """The inverse of `asdict`, for what came through a pipe."""
    return Ask(**(data | {"messages": tuple(Say(**say) for say in data["messages"])}))


def round_from(data: dict[str, Any]) -> Round:
    """The inverse of `asdict`, for what came through a pipe."""
    return Round(**(data | {"answers": [Answer(**answer) for answer in data["answers"]]}))


def ask_data(asks: Sequence[Ask]) -> list[dict[str, Any]]:
    """What goes through a pipe."""
    return [asdict(ask) for ask in asks]


class Pictures:
    """Noise, a new picture for every number; PNG files in `folder`, made when they are first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._next = 0

    def new(self) -> int:
        """The number of a picture that nobody has seen."""
        number = self._next
        self._next += 1
        pixels = random.Random(number).randbytes(SIDE * SIDE * 3)
        Image.frombytes("RGB", (SIDE, SIDE), pixels).save(picture_file(self._folder, number), "PNG", compress_level=0)
        return number


def picture_file(folder: Path, number: int) -> Path:
    """Where picture `number` is."""
    return folder / f"{number}.png"


def first_question(picture: int) -> Say:
    """A question of W; always the same number of tokens."""
    return Say("user", f"Question {picture % 100:2}: what is this?", picture)


def together(pictures: Pictures, count: int, new_tokens: int) -> list[Ask]:
    """`count` questions at once."""
    return [Ask((first_question(pictures.new()),), new_tokens) for _ in range(count)]


def poisson(pictures: Pictures, count: int, new_tokens: int, per_s: float, seed: int) -> list[Ask]:
    """`count` questions, one at each of the `arrivals`."""
    return [Ask((first_question(pictures.new()),), new_tokens, at_s=at) for at in arrivals(count, per_s, seed)]


def arrivals(count: int, per_s: float, seed: int) -> list[float]:
    """Seconds at which `count` questions arrive independently of each other, `per_s` a second on average, from 0 on."""
    generator = random.Random(seed)
    waits = (generator.expovariate(per_s) for _ in range(count - 1))
    return [0.0, *accumulate(waits)]


class Conversation:
    """M: asks turn by turn; what was answered is part of what is asked next."""

    def __init__(self, picture: int) -> None:
        self.messages: tuple[Say, ...] = (first_question(picture),)

    def ask(self, new_tokens: int, *, conversation: str = "", pictures_of: str = "") -> Ask:
        """The turn that is next."""
        return Ask(self.messages, new_tokens, conversation=conversation, pictures_of=pictures_of)

    def answered(self, text: str) -> None:
        """Go on to the turn behind this answer."""
        self.messages = (*self.messages, Say("assistant", text), Say("user", FOLLOW_UP))

    def turns(self) -> Iterator[tuple[Say, ...]]:
        """The messages of every turn so far."""
        for end in range(1, len(self.messages) + 1, 2):
            yield self.messages[:end]
