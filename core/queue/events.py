"""What a reader of a turn is told. `cursor` is where to go on after a broken connection."""

from dataclasses import dataclass
from typing import Any, Literal

from core.store.models import Turn


@dataclass(frozen=True, slots=True)
class Reset:
    """A new attempt begins: forget the text so far."""

    cursor: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Text:
    """More text, directly behind what came before."""

    cursor: str
    text: str
    kind: Literal["text", "think"]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the eyes saw in a picture: {"picture": key, "model": …, "text": …}, as the turn's row will hold it."""

    cursor: str
    observation: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Retrying:
    """The attempt failed; another follows. `message` is for the user."""

    cursor: str
    message: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Not begun yet; `position` turns of other conversations are before it."""

    cursor: str
    position: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The turn is final; `turn` is its row, whose answer is the truth even where it differs from the text so far."""

    cursor: str
    turn: Turn


FollowEvent = Reset | Seen | Text | Retrying | Waiting | Ended
