"""The rules of a turn's life once more, in plain Python and one thread: what the SQL must agree with."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.values import ACTIVE_STATES, FINAL_STATES, TurnState

ENDED = (TurnState.ANSWERED, TurnState.FAILED, TurnState.CANCELLED)


@dataclass
class ModelTurn:
    """One turn as it should be."""

    id: str
    thread: str
    person: str
    seq: int
    state: TurnState
    ready_at: datetime | None
    attempt: int = 0
    failures: int = 0
    owner: str = ""
    lease_until: datetime | None = None
    not_before: datetime | None = None
    again_at: datetime | None = None
    cancel_requested: bool = False
    error: str = ""

    @property
    def is_suspect(self) -> bool:
        return self.failures > 0 and self.error == "worker_lost"

    @property
    def is_open(self) -> bool:
        return self.state in ACTIVE_STATES

    @property
    def seen(self) -> tuple[str, int, int, str, bool]:
        """What is compared with the row after every step."""
        return (self.state.value, self.attempt, self.failures, self.owner, self.cancel_requested)


@dataclass
class TurnModel:
    """All turns, and the answers to every question that the repository is asked."""

    turns: dict[str, ModelTurn] = field(default_factory=dict)
    # Threads that a human answers, and turns that were asked there: nobody delivers anything of those.
    handed_over: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)

    def add(self, turn: ModelTurn) -> None:
        if turn.thread in self.handed_over:
            turn.state, turn.ready_at = TurnState.HANDED_OVER, None
            self.silent.add(turn.id)
        self.turns[turn.id] = turn

    def of(self, thread: str) -> list[ModelTurn]:
        return [turn for turn in self.turns.values() if turn.thread == thread]

    def is_head(self, turn: ModelTurn) -> bool:
        return not any(other.is_open and other.seq < turn.seq for other in self.of(turn.thread))

    def claimable(self, turn: ModelTurn, now: datetime) -> bool:
        rested = turn.not_before is None or turn.not_before <= now
        alone = not turn.is_suspect or not any(
            other.is_suspect and other.state is TurnState.RUNNING for other in self.turns.values()
        )
        return turn.state is TurnState.READY and rested and self.is_head(turn) and alone

    def claim(self, turn: ModelTurn, owner: str, lease_until: datetime) -> None:
        turn.state, turn.owner, turn.lease_until = TurnState.RUNNING, owner, lease_until
        turn.attempt += 1
        turn.again_at = None

    def held(self, turn: ModelTurn, owner: str, attempt: int) -> bool:
        return turn.state is TurnState.RUNNING and (turn.owner, turn.attempt) == (owner, attempt)

    def end(self, turn: ModelTurn, state: TurnState) -> None:
        turn.state, turn.owner, turn.lease_until = state, "", None

    def release(self, turn: ModelTurn, not_before: datetime | None, *, error: str = "") -> TurnState:
        turn.failures += bool(error)
        turn.error = error or turn.error
        turn.not_before, turn.again_at = not_before, None
        self.end(turn, TurnState.CANCELLED if turn.cancel_requested else TurnState.READY)
        return turn.state

    def expired(self, now: datetime) -> set[str]:
        return {turn.id for turn in self.turns.values() if turn.lease_until is not None and turn.lease_until < now}

    def cancel(self, turn: ModelTurn) -> TurnState:
        if turn.is_open:
            turn.cancel_requested = True
            if turn.state is not TurnState.RUNNING:
                turn.state = TurnState.CANCELLED
        return turn.state

    def hand_over(self, thread: str) -> list[str]:
        """What waits in the thread is a human's; the ids, in order."""
        self.handed_over.add(thread)
        left = [turn for turn in self.of(thread) if turn.state in (TurnState.GATHERING, TurnState.READY)]
        for turn in left:
            turn.state = TurnState.HANDED_OVER
        return [turn.id for turn in left]

    def reopen(self, turn: ModelTurn, now: datetime) -> bool:
        is_last = turn.seq == max(other.seq for other in self.of(turn.thread))
        if turn.thread in self.handed_over:
            return False
        if turn.state not in (TurnState.FAILED, TurnState.CANCELLED) or not is_last:
            return False
        turn.state, turn.ready_at, turn.failures, turn.cancel_requested = TurnState.READY, now, 0, False
        turn.not_before = turn.again_at = None
        turn.error = ""
        return True

    def deliver(self, turn: ModelTurn) -> None:
        if turn.state is TurnState.ANSWERED:
            turn.state = TurnState.DELIVERED

    def dispatchable(self, now: datetime, per_person: int) -> list[str]:
        """By the words of the contract, one person and one turn after the other."""

        def waits(turn: ModelTurn) -> tuple[datetime, str]:
            assert turn.ready_at is not None
            return turn.ready_at, turn.id

        announced = [
            t for t in self.turns.values() if t.state is TurnState.READY and t.again_at is not None and t.again_at > now
        ]
        all_free = [turn for turn in self.turns.values() if self.claimable(turn, now) and turn not in announced]
        suspects = sorted((turn for turn in all_free if turn.is_suspect), key=waits)
        held_back = suspects if any(turn.is_suspect for turn in announced) else suspects[1:]
        shares: list[tuple[int, tuple[datetime, str]]] = []
        for person in {turn.person for turn in self.turns.values()}:
            theirs = [turn for turn in self.turns.values() if turn.person == person]
            share = sum(turn.state is TurnState.RUNNING or turn in announced for turn in theirs)
            free = [turn for turn in theirs if turn in all_free and turn not in held_back]
            for turn in sorted(free, key=waits):
                share += 1
                if share <= per_person:
                    shares.append((share, waits(turn)))
        return [turn_id for _, (_, turn_id) in sorted(shares)]


def soon(now: datetime, seconds: float) -> datetime:
    """So many seconds after `now`."""
    return now + timedelta(seconds=seconds)


def is_final(state: str) -> bool:
    """Nothing more is computed for it."""
    return state in FINAL_STATES
