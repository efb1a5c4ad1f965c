"""Counting turns: the same rules for what is kept of a day, for today, and for what is erased."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import Session

from core.store.columns_sql import seconds_between
from core.store.models import Conversation, Feedback, Turn, Usage
from core.store.numbers.histogram import Histogram
from core.values import TurnState

_ANSWERED = (TurnState.ANSWERED, TurnState.DELIVERED)
SUMS = (
    "questions",
    "answered",
    "failed",
    "cancelled",
    "handed_over",
    "good",
    "bad",
    "prompt_tokens",
    "picture_tokens",
    "cached_tokens",
    "completion_tokens",
    "engine_s",
)
LATENCIES = ("queue", "first", "total")
# The one that tables of parts show.
TOTAL = ("total",)
_SUMS = attrgetter(*SUMS)
OF_PERSON = ("questions", "answered", "failed", "prompt_tokens", "completion_tokens")


@dataclass(slots=True)
class Numbers:
    """Counts of turns and of tokens, engine seconds, and histograms of the answered turns' latencies."""

    questions: int = 0
    answered: int = 0
    failed: int = 0
    cancelled: int = 0
    handed_over: int = 0
    good: int = 0
    bad: int = 0
    prompt_tokens: int = 0
    picture_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    engine_s: float = 0.0
    queue: Histogram = field(default_factory=Histogram)
    first: Histogram = field(default_factory=Histogram)
    total: Histogram = field(default_factory=Histogram)

    def add(self, other: "Numbers", latencies: Sequence[str] = LATENCIES) -> None:
        """All of other turns, or only these of their latencies."""
        self.add_sums(_SUMS(other))
        for name in latencies:
            getattr(self, name).merge(getattr(other, name))

    def add_sums(self, values: Any) -> None:
        """Counts and sums in the order of `SUMS`, without latencies."""
        for name, value in zip(SUMS, values, strict=True):
            setattr(self, name, getattr(self, name) + value)

    def row(self) -> dict[str, Any]:
        """Columns of a row."""
        sums = {name: getattr(self, name) for name in SUMS}
        return sums | {name: getattr(self, name).stored() for name in LATENCIES}

    @property
    def other(self) -> int:
        """Questions that have neither been answered nor ended in another way."""
        return self.questions - self.answered - self.failed - self.cancelled - self.handed_over


class Key(NamedTuple):
    """Where turns were asked, by whom, and which model answered; empty: none."""

    workspace_id: str
    place_id: str
    person_id: str
    model: str


Counted = dict[Key, Numbers]
_KEY = (Conversation.workspace_id, func.coalesce(Conversation.place_id, ""), Turn.person_id, Turn.model)


class Asked(NamedTuple):
    """One turn; durations in seconds, None unless it was answered."""

    key: Key
    state: str
    queue_s: float | None
    first_s: float | None
    total_s: float | None


def asked(session: Session, condition: ColumnElement[bool]) -> Iterator[Asked]:
    """Every turn that meets `condition`, which is on turns joined with their conversations."""
    done = Turn.state.in_(_ANSWERED)
    durations = [
        case((done, seconds_between(start, end)))
        for start, end in (
            (Turn.ready_at, Turn.started_at),
            (Turn.created_at, Turn.first_token_at),
            (Turn.created_at, Turn.finished_at),
        )
    ]
    rows = session.execute(_of_turns(condition, *_KEY, Turn.state, *durations).execution_options(yield_per=5000))
    for row in rows:
        yield Asked(Key(*row[:4]), row[4], *(None if value is None else max(0.0, float(value)) for value in row[5:]))


def spent(session: Session, condition: ColumnElement[bool]) -> Iterator[tuple[Key, tuple[float, ...]]]:
    """What all attempts at those turns cost: prompt, picture, cached and completion tokens, engine seconds."""
    columns = (
        Usage.prompt_tokens,
        Usage.picture_tokens,
        Usage.cached_tokens,
        Usage.completion_tokens,
    )
    sums = [*(func.sum(column) for column in columns), func.sum(Usage.engine_s)]
    statement = _of_turns(condition, *_KEY, *sums).join(Usage, Usage.turn_id == Turn.id).group_by(*_KEY)
    for row in session.execute(statement):
        yield Key(*row[:4]), (*(int(value) for value in row[4:8]), float(row[8]))


def judged(session: Session, condition: ColumnElement[bool]) -> Iterator[tuple[Key, int, int]]:
    """How many good and bad verdicts those turns have."""
    good, bad = (func.sum(case((sign, 1), else_=0)) for sign in (Feedback.rating > 0, Feedback.rating < 0))
    statement = _of_turns(condition, *_KEY, good, bad).join(Feedback, Feedback.turn_id == Turn.id).group_by(*_KEY)
    for row in session.execute(statement):
        yield Key(*row[:4]), int(row[4]), int(row[5])


def count(session: Session, condition: ColumnElement[bool]) -> Counted:
    """Numbers of the turns that meet `condition`, by place, person and model."""
    counted: Counted = {}
    for turn in asked(session, condition):
        numbers = counted.get(turn.key) or counted.setdefault(turn.key, Numbers())
        note_state(numbers, turn.state)
        for histogram, seconds in zip(
            (numbers.queue, numbers.first, numbers.total), (turn.queue_s, turn.first_s, turn.total_s), strict=True
        ):
            if seconds is not None:
                histogram.add(seconds)
    note_rest(session, condition, counted)
    return counted


def note_state(numbers: Numbers, state: str) -> None:
    """Count one turn."""
    numbers.questions += 1
    if state in _ANSWERED:
        numbers.answered += 1
    elif state == TurnState.FAILED:
        numbers.failed += 1
    elif state == TurnState.CANCELLED:
        numbers.cancelled += 1
    elif state == TurnState.HANDED_OVER:
        numbers.handed_over += 1


def note_rest(session: Session, condition: ColumnElement[bool], counted: Counted) -> None:
    """Add what the turns cost and how they were judged."""
    for key, costs in spent(session, condition):
        numbers = counted.setdefault(key, Numbers())
        numbers.prompt_tokens, numbers.picture_tokens, numbers.cached_tokens = map(int, costs[:3])
        numbers.completion_tokens, numbers.engine_s = int(costs[3]), costs[4]
    for key, good, bad in judged(session, condition):
        numbers = counted.setdefault(key, Numbers())
        numbers.good, numbers.bad = good, bad


def _of_turns(condition: ColumnElement[bool], *columns: Any) -> Select[Any]:
    return (
        select(*columns).select_from(Turn).join(Conversation, Conversation.id == Turn.conversation_id).where(condition)
    )


def sums_of(row: Sequence[Any]) -> list[Any]:
    """What SQL has summed up, as numbers of ours: PostgreSQL's sums of large integers are decimals."""
    return [float(value) if name == "engine_s" else int(value) for name, value in zip(SUMS, row, strict=True)]
