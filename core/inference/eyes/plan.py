"""Which pictures the eyes look at for a request, and with which question in view."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from core.inference.port import Message, Picture, Request

# In one turn, whatever it asks for. More than pictures are allowed by default in one question.
MOST_LOOKS = 16


@dataclass(frozen=True, slots=True)
class Wanted:
    """A look at `picture` for somebody who asks `question`."""

    picture: Picture
    question: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The looks to take, and pictures of the last message for which there are too many."""

    looks: tuple[Wanted, ...]
    missed: tuple[Picture, ...] = ()


def plan(request: Request, *, steered: bool, room: Callable[[], int]) -> Plan:
    """Plan the looks for the last message of `request`.

    Every picture is looked at once, with the question that it came with in view (the present one, if that is about it);
    and again, where the eyes are `steered` by questions, when a later question is about it. For those further looks
    there must be room in the mind's prompt: `room` says for how many.
    """
    *earlier, last = request.messages
    seen = {o.picture for message in request.messages for o in message.observations if o.text}
    shown = {picture.key: picture for picture in _pictures(request.messages)}
    about = [shown[key] for key in request.about if key in shown]
    own = [Wanted(picture, last.text) for picture in last.pictures]
    asked = [Wanted(picture, last.text) for picture in about]
    others = [Wanted(picture, message.text) for message in earlier for picture in message.pictures]
    first = _once(wanted for wanted in (*own, *asked, *others) if wanted.picture.key not in seen)
    again = _once(wanted for wanted in (*own, *asked) if wanted.picture.key in seen) if steered else []
    looks = first[:MOST_LOOKS]
    if again and len(looks) < MOST_LOOKS:
        looks += again[: min(MOST_LOOKS - len(looks), max(0, room()))]
    keys = {picture.key for picture in last.pictures}
    missed = tuple(wanted.picture for wanted in first[MOST_LOOKS:] if wanted.picture.key in keys)
    return Plan(tuple(looks), missed)


def _pictures(messages: Sequence[Message]) -> Iterator[Picture]:
    for message in messages:
        yield from message.pictures


def _once(wanted: Iterator[Wanted]) -> list[Wanted]:
    """The first of each picture."""
    found: dict[str, Wanted] = {}
    for look in wanted:
        found.setdefault(look.picture.key, look)
    return list(found.values())
