"""Conversations: who may see which, and how they are listed."""

from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, select, tuple_, update
from sqlalchemy.orm import Session

from core.store.models import Conversation, Person, Place, Turn
from core.store.turn_guards import FRESH, NOW
from core.store.upsert import insert_if_new
from core.values import new_id

_BY_NAME = select(Conversation).where(
    Conversation.workspace_id == bindparam("workspace_id"), Conversation.external_id == bindparam("external_id")
)
_GO_ON = (
    update(Conversation)
    .where(Conversation.id == bindparam("conversation_id"), Conversation.last_seq == bindparam("seq"))
    .values(updated_at=NOW)
    .returning(Conversation)
    .execution_options(**FRESH)
)
_TITLE_CHARS = 200


class ConversationRepository:
    """Turns are added through `TurnRepository.add`, which also keeps `last_seq` and `updated_at`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, conversation_id: str) -> Conversation | None:
        """One conversation, as it is now."""
        return self._session.get(Conversation, conversation_id, populate_existing=True)

    def get_or_create(
        self,
        workspace_id: str,
        external_id: str,
        person_id: str,
        *,
        title: str = "",
        system_prompt: str = "",
        place_id: str | None = None,
    ) -> Conversation:
        """The conversation that the workspace knows by this id; all the rest counts only for a new one."""
        known = {"workspace_id": workspace_id, "external_id": external_id}
        conversation = self._session.scalars(_BY_NAME, known).one_or_none()
        if conversation is None:
            conversation = insert_if_new(
                self._session,
                Conversation,
                {
                    "id": new_id(),
                    **known,
                    "person_id": person_id,
                    "title": title[:_TITLE_CHARS],
                    "system_prompt": system_prompt,
                    "place_id": place_id,
                },
                ("workspace_id", "external_id"),
            )
            conversation = conversation or self._session.scalars(_BY_NAME, known).one()
        return conversation

    def go_on_behind(self, conversation_id: str, seq: int, now: datetime) -> Conversation | None:
        """The conversation, if turn `seq` is its last; nobody else can add a turn to it before our commit.

        Others who try the same wait here for that commit, and then get None.
        """
        parameters = {"conversation_id": conversation_id, "seq": seq, "now": now}
        return self._session.scalars(_GO_ON, parameters).one_or_none()

    def owned(self, conversation_id: str, person_id: str) -> Conversation | None:
        """The conversation, if this person started it."""
        return self._session.scalars(
            select(Conversation).where(Conversation.id == conversation_id, Conversation.person_id == person_id)
        ).one_or_none()

    def list_for(self, person_id: str, *, limit: int, before: tuple[datetime, str] | None = None) -> list[Conversation]:
        """This person's conversations, latest change first; `before` is (updated_at, id) of the last one seen."""
        statement = (
            select(Conversation)
            .where(Conversation.person_id == person_id)
            .order_by(Conversation.updated_at.desc(), Conversation.id.desc())
            .limit(limit)
        )
        if before is not None:
            statement = statement.where(tuple_(Conversation.updated_at, Conversation.id) < tuple_(*before))
        return list(self._session.scalars(statement).all())

    def latest_asked(self, workspace_id: str, place: str, person: str) -> str | None:
        """The platform's name of the conversation at a place in which a person asked last; None: nowhere there."""
        statement = (
            select(Conversation.external_id)
            .join(Turn, Turn.conversation_id == Conversation.id)
            .join(Person, Person.id == Turn.person_id)
            .join(Place, Place.id == Conversation.place_id)
            .where(
                Place.workspace_id == workspace_id,
                Place.external_id == place,
                Person.workspace_id == workspace_id,
                Person.external_id == person,
            )
            .order_by(Turn.id.desc())
            .limit(1)
        )
        return self._session.scalar(statement)

    def set_title(self, conversation_id: str, title: str) -> bool:
        """Rename; False: no such conversation."""
        statement = (
            update(Conversation)
            .where(Conversation.id == conversation_id)
            .values(title=title[:_TITLE_CHARS])
            .returning(Conversation.id)
            .execution_options(synchronize_session=False)
        )
        return self._session.execute(statement).first() is not None

    def by_name(self, workspace_id: str, external_id: str) -> Conversation | None:
        """The conversation that the workspace knows by this id, as it is now; writes nothing."""
        known = {"workspace_id": workspace_id, "external_id": external_id}
        return self._session.scalars(_BY_NAME, known, execution_options={"populate_existing": True}).one_or_none()

    def hand_over(self, conversation_id: str, now: datetime) -> bool:
        """From now on a human answers here: new turns are not for the model. False: so it is already, or there is none.

        `TurnRepository.hand_over` takes what waits, in the next transaction.
        """
        return self._hand(conversation_id, Conversation.handed_over_at.is_(None), now)

    def release(self, conversation_id: str) -> bool:
        """The model answers here again, what is asked from now on. False: so it does already, or there is none."""
        return self._hand(conversation_id, Conversation.handed_over_at.is_not(None), None)

    def _hand(self, conversation_id: str, condition: ColumnElement[bool], at: datetime | None) -> bool:
        statement = (
            update(Conversation)
            .where(Conversation.id == conversation_id, condition)
            # Whoever has taken over (`TakeoverRepository`) has nothing to do here any more, or not yet.
            .values(handed_over_at=at, taken_by="", taken_at=None, operator_at=None)
            .returning(Conversation.id)
            .execution_options(synchronize_session=False)
        )
        return self._session.execute(statement).first() is not None
