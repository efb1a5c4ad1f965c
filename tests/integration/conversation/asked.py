"""Questions as adapters hand them in, and one look at what they became."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from core.conversation.inbound import Accepted, InboundQuestion, Named, PastTurn
from core.conversation.intake import Intake
from core.media.blobs import BlobStore
from core.media.safe_picture import SafePicture
from core.settings import load_settings
from core.store.database import Store
from core.store.models import Attachment, Base, Conversation, InboundEvent, Person, Turn
from core.store.outcome import Outcome
from core.values import Platform, TurnState, new_id, utc_now

TABLES: dict[str, type[Base]] = {
    "people": Person,
    "conversations": Conversation,
    "turns": Turn,
    "attachments": Attachment,
    "events": InboundEvent,
}


class CountingBlobs(BlobStore):
    """A blob store that remembers what it was given."""

    def __init__(self) -> None:
        super().__init__(f"memory://{new_id()}")
        self.given: list[bytes] = []

    def put(self, data: bytes) -> str:
        self.given.append(data)
        return super().put(data)


class Desk:
    """An intake on one database, with whatever limits the test sets."""

    def __init__(self, store: Store, **limits: Any) -> None:
        self.store = store
        self.blobs = CountingBlobs()
        self.intake = Intake(store, self.blobs, load_settings(_env_file=None, **limits))

    def accept(self, text: str = "What is it?", **fields: Any) -> Accepted:
        """Hand in a question of Ann's on the page, unless `fields` say otherwise."""
        return self.intake.accept(question(text, **fields))

    def turn(self, accepted: Accepted) -> Turn:
        """The row of what was accepted."""
        with self.store.read() as repositories:
            turn = repositories.turns.get(accepted.turn_id)
        assert turn is not None
        return turn

    def turns(self, conversation_id: str) -> list[Turn]:
        """All turns of a conversation."""
        with self.store.read() as repositories:
            return repositories.turns.of_conversation(conversation_id)

    def conversation(self, accepted: Accepted) -> Conversation:
        """The conversation that the question went to."""
        with self.store.read() as repositories:
            conversation = repositories.conversations.get(accepted.conversation_id)
        assert conversation is not None
        return conversation

    def answer(self, accepted: Accepted, answer: str, history_hash: str) -> None:
        """What a worker writes."""
        now = utc_now()
        with self.store.write() as repositories:
            claimed = repositories.turns.claim(accepted.turn_id, "worker", now, now)
            assert claimed is not None
            outcome = Outcome(state=TurnState.ANSWERED, answer=answer, history_hash=history_hash)
            repositories.turns.finish(accepted.turn_id, "worker", claimed.attempt, outcome, now)

    def rows(self) -> dict[str, int]:
        """How many rows there are of each kind."""
        with self.store.read() as repositories:
            return {
                name: repositories.session.scalar(select(func.count()).select_from(table)) or 0
                for name, table in TABLES.items()
            }


def question(text: str = "What is it?", **fields: Any) -> InboundQuestion:
    """A question of Ann's on the page, unless `fields` say otherwise."""
    given: dict[str, Any] = {
        "platform": Platform.WEB,
        "workspace": "local",
        "person": "ann",
        "event_key": new_id(),
        "question": text,
    }
    return InboundQuestion(**(given | fields))


def photo(name: str) -> Named:
    """A readable picture."""
    return Named(f"{name}.png", SafePicture.of(name.encode(), "image/png", 64, 48))


def past(*turns: tuple[str, str] | tuple[str, str, Sequence[Named]]) -> tuple[PastTurn, ...]:
    """History as a stateless client brings it."""
    return tuple(PastTurn(turn[0], turn[1], tuple(turn[2]) if len(turn) == 3 else ()) for turn in turns)
