"""Fitting a conversation into the model's context: the newest is kept, and what the question is about before that.

Works on counts alone, so that no picture is read that will not be sent.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.errors import PromptTooLong
from core.inference.port import Message, Observation, Picture

# "the second picture", "image 2", "photo #3": which of the conversation's pictures is meant.
_NUMBER_WORDS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_PICTURE = r"(?:picture|image|photo|screenshot|pic)"
_ORDINAL = re.compile(rf"\b({'|'.join(_NUMBER_WORDS)}|\d{{1,2}}(?:st|nd|rd|th))\s+{_PICTURE}\b", re.IGNORECASE)
_NUMBERED = re.compile(rf"\b{_PICTURE}\s*(?:no\.?|number|#)?\s*(\d{{1,2}})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PastExchange:
    """An earlier turn as the prompt may show it. `seq` names it in what was left out.

    Without an answer (it failed) its question is not shown, but its pictures go with the next question. What was seen
    of its own pictures stays or goes with them, what was seen of earlier ones with its text.
    """

    seq: int
    question: str
    answer: str
    pictures: tuple[Picture, ...] = ()
    observations: tuple[Observation, ...] = ()


@dataclass(frozen=True, slots=True)
class Fitted:
    """The prompt and what it does not contain: `[{"seq": 3, "what": "text" | "pictures"}, …]`, oldest first.

    "pictures": not all of that turn's pictures are shown. `about`: keys of the earlier pictures, among those shown,
    that the question is about, most important first.
    """

    messages: tuple[Message, ...]
    left_out: list[dict[str, Any]]
    about: tuple[str, ...] = ()


@dataclass(slots=True)
class _Kept:
    text: bool = False
    # Positions within the exchange's pictures.
    pictures: set[int] = field(default_factory=set)


def fit(
    system: str,
    past: Sequence[PastExchange],
    question: str,
    pictures: tuple[Picture, ...],
    budget: int,
    count: Callable[[Message], int],
) -> Fitted:
    """Choose what of the conversation goes into a prompt of at most `budget` tokens.

    The system prompt and the question with its pictures always stay. Then, in this order while there is room: the
    pictures that the question refers to (named by number, else the latest ones if it brings none of its own), the
    texts from the newest to the oldest, and the other pictures from the newest to the oldest. Texts stop at the first
    that does not fit, so that the history has no holes.

    Raises:
        PromptTooLong: what always stays is too long already.
    """
    ask = Message("user", question, pictures)
    room = budget - count(ask) - (count(Message("system", system)) if system else 0)
    if room < 0:
        raise PromptTooLong(f"question alone exceeds the budget of {budget} tokens by {-room}")
    kept = {exchange.seq: _Kept() for exchange in past}
    named, latest = _named(past, question), [] if pictures else _latest(past)
    room = _keep_pictures(named + latest, kept, room, count)
    for exchange in reversed(past):
        cost = _text_cost(exchange, count)
        if cost > room:
            break
        kept[exchange.seq].text = True
        room -= cost
    others = (pair for exchange in reversed(past) if kept[exchange.seq].text for pair in _each_picture(exchange))
    _keep_pictures(others, kept, room, count)
    about = dict.fromkeys(e.pictures[place].key for e, place in named or latest if place in kept[e.seq].pictures)
    return Fitted(_messages(system, past, kept, ask), _left_out(past, kept), tuple(about))


def _each_picture(exchange: PastExchange) -> list[tuple[PastExchange, int]]:
    return [(exchange, place) for place in range(len(exchange.pictures))]


def _named(past: Sequence[PastExchange], question: str) -> list[tuple[PastExchange, int]]:
    """The pictures (exchange, position) that the question names by number, as it names them."""
    numbers = [int(n) for n in _NUMBERED.findall(question)]
    for word in _ORDINAL.findall(question):
        lowered = word.lower()
        numbers.append(_NUMBER_WORDS.index(lowered) + 1 if lowered in _NUMBER_WORDS else int(lowered[:-2]))
    all_of_them = [pair for exchange in past for pair in _each_picture(exchange)]
    return [all_of_them[n - 1] for n in numbers if 1 <= n <= len(all_of_them)]


def _latest(past: Sequence[PastExchange]) -> list[tuple[PastExchange, int]]:
    """The pictures that came last: a question without any of its own is about them."""
    return next((pairs for exchange in reversed(past) if (pairs := _each_picture(exchange))), [])


def _keep_pictures(
    pictures: Iterable[tuple[PastExchange, int]], kept: dict[int, _Kept], room: int, count: Callable[[Message], int]
) -> int:
    for exchange, place in pictures:
        already = kept[exchange.seq].pictures
        more = already | {place}
        cost = _picture_cost(exchange, more, count) - _picture_cost(exchange, already, count)
        if cost <= room:
            kept[exchange.seq].pictures = more
            room -= cost
    return room


def _text_cost(exchange: PastExchange, count: Callable[[Message], int]) -> int:
    if not exchange.answer:
        return 0
    question = Message("user", exchange.question, observations=_seen_besides(exchange))
    return count(question) + count(Message("assistant", exchange.answer))


def _picture_cost(exchange: PastExchange, places: set[int], count: Callable[[Message], int]) -> int:
    if not places:
        return 0
    shown = _shown(exchange, places)
    return count(Message("user", "", shown, _seen_of(exchange, shown)))


def _shown(exchange: PastExchange, places: set[int]) -> tuple[Picture, ...]:
    return tuple(picture for place, picture in enumerate(exchange.pictures) if place in places)


def _seen_of(exchange: PastExchange, pictures: tuple[Picture, ...]) -> tuple[Observation, ...]:
    keys = {picture.key for picture in pictures}
    return tuple(seen for seen in exchange.observations if seen.picture in keys)


def _seen_besides(exchange: PastExchange) -> tuple[Observation, ...]:
    """What was seen for this exchange of pictures that are not its own."""
    own = {picture.key for picture in exchange.pictures}
    return tuple(seen for seen in exchange.observations if seen.picture not in own)


def _messages(system: str, past: Sequence[PastExchange], kept: dict[int, _Kept], ask: Message) -> tuple[Message, ...]:
    messages = [Message("system", system)] if system else []
    carried: tuple[Picture, ...] = ()
    carried_seen: tuple[Observation, ...] = ()
    for exchange in past:
        keep = kept[exchange.seq]
        # A picture whose own turn has no answer (it failed) or did not fit goes with the next question.
        carried += (shown := _shown(exchange, keep.pictures))
        carried_seen += _seen_of(exchange, shown)
        if keep.text and exchange.answer:
            carried_seen += _seen_besides(exchange)
            messages.append(Message("user", exchange.question, carried, carried_seen))
            messages.append(Message("assistant", exchange.answer))
            carried, carried_seen = (), ()
    return (*messages, replace(ask, pictures=carried + ask.pictures, observations=carried_seen))


def _left_out(past: Sequence[PastExchange], kept: dict[int, _Kept]) -> list[dict[str, Any]]:
    left_out = []
    for exchange in past:
        if exchange.answer and not kept[exchange.seq].text:
            left_out.append({"seq": exchange.seq, "what": "text"})
        if len(kept[exchange.seq].pictures) < len(exchange.pictures):
            left_out.append({"seq": exchange.seq, "what": "pictures"})
    return left_out
