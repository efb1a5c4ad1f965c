"""Short words for what the store's tests do again and again."""

from datetime import UTC, datetime, timedelta

from core.store.database import Store
from core.store.models import Delivery, Turn
from core.store.outcome import Outcome
from core.values import Platform, TurnState

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LEASE_S = 15.0


def after(seconds: float) -> datetime:
    """A moment so many seconds after the test's now."""
    return NOW + timedelta(seconds=seconds)


class Scene:
    """One store, and people who ask in it. Every call is one transaction."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def thread(self, name: str = "thread", person: str = "ann", platform: Platform = Platform.SLACK) -> str:
        """Id of a conversation that `person` started."""
        with self.store.write() as repositories:
            workspace = repositories.people.workspace(platform, "team")
            asker = repositories.people.person(workspace.id, person)
            return repositories.conversations.get_or_create(workspace.id, name, asker.id).id

    def person(self, name: str = "ann", platform: Platform = Platform.SLACK) -> str:
        """Id of a person."""
        with self.store.write() as repositories:
            return repositories.people.person(repositories.people.workspace(platform, "team").id, name).id

    def ask(
        self,
        thread: str,
        question: str = "What is this?",
        *,
        person: str = "ann",
        at: float = 0,
        state: TurnState = TurnState.READY,
        platform: Platform = Platform.SLACK,
    ) -> str:
        """Add a turn; its id."""
        person_id = self.person(person, platform)
        with self.store.write() as repositories:
            return repositories.turns.add(thread, person_id, question, state=state, now=after(at)).id

    def claim(self, turn_id: str, owner: str = "worker", at: float = 0, lease_s: float = LEASE_S) -> Turn | None:
        """Try to take a turn."""
        with self.store.write() as repositories:
            return repositories.turns.claim(turn_id, owner, after(at), after(at + lease_s))

    def run(self, turn_id: str, owner: str = "worker", at: float = 0) -> int:
        """Take a turn that must be free; its attempt."""
        turn = self.claim(turn_id, owner, at)
        assert turn is not None
        return turn.attempt

    def finish(
        self, turn_id: str, attempt: int, outcome: Outcome | None = None, owner: str = "worker", at: float = 1
    ) -> Turn:
        """End an attempt, with a plain answer unless told otherwise."""
        with self.store.write() as repositories:
            ended = outcome or Outcome(TurnState.ANSWERED, answer="A star.", finish_reason="stop")
            return repositories.turns.finish(turn_id, owner, attempt, ended, after(at))

    def answered(self, thread: str, at: float = 0, person: str = "ann") -> str:
        """A turn that went all the way; its id."""
        turn_id = self.ask(thread, at=at, person=person)
        self.finish(turn_id, self.run(turn_id, at=at), at=at + 1)
        return turn_id

    def turn(self, turn_id: str) -> Turn:
        """The turn as it is now."""
        with self.store.read() as repositories:
            turn = repositories.turns.get(turn_id)
        assert turn is not None
        return turn

    def state(self, turn_id: str) -> str:
        """The turn's state as it is now."""
        return self.turn(turn_id).state

    def deliveries(self, turn_id: str) -> list[Delivery]:
        """The outbox rows of a turn."""
        with self.store.read() as repositories:
            return list(repositories.session.query(Delivery).filter_by(turn_id=turn_id).all())

    def dispatchable(self, at: float = 0, limit: int = 100, per_person: int = 4) -> list[str]:
        """What the dispatcher would announce."""
        with self.store.read() as repositories:
            return repositories.turns.dispatchable(after(at), limit, per_person)

    def mark(self, turn_ids: list[str], at: float = 0, again_s: float = 10) -> list[str]:
        """Announce."""
        with self.store.write() as repositories:
            return repositories.turns.mark_dispatched(turn_ids, after(at), after(at + again_s))
