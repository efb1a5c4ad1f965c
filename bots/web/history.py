"""Reading turns for a visitor: only his own, and with what he said of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from bots.chat.spoken import notice_text
from bots.chat.texts import texts_for
from bots.web.auth import Visitor
from core.errors import NotFound
from core.store.database import Repositories, Store
from core.store.models import Conversation, Feedback, Person, Turn
from core.store.takeovers import comes_first
from core.values import TurnState

# An unread end of one of these is noted when it is shown.
_ENDED = (TurnState.ANSWERED, TurnState.FAILED, TurnState.CANCELLED)


@dataclass(frozen=True, slots=True)
class NoticeShown:
    """What is said at a turn about who answers: `early`, above its answer."""

    turn_id: str
    text: str
    early: bool


@dataclass(frozen=True, slots=True)
class Remembered:
    """One conversation: its turns in order, the visitor's ratings by turn id, and what was said besides."""

    conversation: Conversation
    turns: list[Turn]
    ratings: dict[str, int]
    notices: list[NoticeShown]


class History:
    """Synchronous; routes call it through a thread. What is not the visitor's does not exist."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def turn(self, visitor: Visitor, turn_id: str) -> tuple[Turn, int]:
        """One turn and the visitor's rating of it.

        Raises:
            NotFound: there is none, or it is somebody else's.
        """
        with self._store.read() as repositories:
            turn = repositories.turns.get(turn_id)
            if turn is None or repositories.conversations.owned(turn.conversation_id, visitor.person_id) is None:
                raise NotFound
            return turn, _ratings(repositories, [turn], visitor).get(turn_id, 0)

    def conversation(self, visitor: Visitor, conversation_id: str) -> Remembered:
        """One conversation.

        Raises:
            NotFound: there is none, or it is somebody else's.
        """
        with self._store.read() as repositories:
            conversation = repositories.conversations.owned(conversation_id, visitor.person_id)
            if conversation is None:
                raise NotFound
            turns = repositories.turns.of_conversation(conversation_id)
            person = repositories.session.get(Person, visitor.person_id)
            texts = texts_for((person.language or person.locale) if person is not None else "")
            by_id = {turn.id: turn for turn in turns}
            said = repositories.takeovers.notices(list(by_id))
            notices = [
                NoticeShown(one.turn_id, notice_text(one.notice, texts), comes_first(one.delivery, by_id[one.turn_id]))
                for one in said
            ]
            return Remembered(conversation, turns, _ratings(repositories, turns, visitor), notices)

    def version(self, visitor: Visitor, conversation_id: str) -> str:
        """What changes with everything that is said in a conversation, or about who answers there.

        Raises:
            NotFound: there is none, or it is somebody else's.
        """
        with self._store.read() as repositories:
            conversation = repositories.conversations.owned(conversation_id, visitor.person_id)
            if conversation is None:
                raise NotFound
            return version_of(conversation)


def version_of(conversation: Conversation) -> str:
    """See `History.version`."""
    return conversation.updated_at.isoformat()


def unread(turn: Turn) -> bool:
    """Whether nobody was shown yet how this turn ended."""
    return turn.state in _ENDED and turn.delivered_at is None


def _ratings(repositories: Repositories, turns: Sequence[Turn], visitor: Visitor) -> dict[str, int]:
    rows = repositories.session.execute(
        select(Feedback.turn_id, Feedback.rating)
        .join(Turn, Turn.id == Feedback.turn_id)
        .where(
            Turn.conversation_id.in_({turn.conversation_id for turn in turns}),
            Feedback.person_id == visitor.person_id,
        )
    )
    return {row.turn_id: row.rating for row in rows}
