"""What admins write while they review, as far as their scope allows."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from core.errors import NotFound, RequestError, WrongParameter
from core.reviewing import (
    CORRECTION_MAX_CHARS,
    MOST_NOTES,
    NOTE_MAX_CHARS,
    REASON_MAX_CHARS,
    ReviewState,
    Verdict,
    checked_text,
    folded,
)
from core.store.admin_tables import Admin
from core.store.models import Conversation, Turn
from core.store.review.scope import ReadScope
from core.store.review_tables import Correction, Judgement, Label, TurnFlag, TurnLabel, TurnNote
from core.store.upsert import insert_if_new, insert_or_update
from core.values import ACTIVE_STATES, new_id

_AS_IT_IS: dict[str, Any] = {"synchronize_session": False}


class ReviewingRepository:
    """One admin's remarks. A turn or conversation beyond his scope looks as if it did not exist (`NotFound`).

    Whatever he does in a conversation that is `new` begins its review.
    """

    def __init__(self, session: Session, scope: ReadScope, admin_id: str) -> None:
        self._session = session
        self._scope = scope
        self._admin_id = admin_id

    def flag(self, turn_id: str, reason: str, now: datetime) -> Turn:
        """Flag a turn, or change why.

        Raises:
            WrongParameter: the reason is too long.
        """
        reason = checked_text("reason", reason, REASON_MAX_CHARS, empty=True)
        turn = self._turn(turn_id)
        self._put(TurnFlag, ("turn_id", "admin_id"), turn_id=turn_id, reason=reason, at=now)
        return turn

    def unflag(self, turn_id: str) -> Turn:
        """Take this admin's flag back."""
        turn = self._turn(turn_id)
        self._run(delete(TurnFlag).where(TurnFlag.turn_id == turn_id, TurnFlag.admin_id == self._admin_id))
        return turn

    def put_label(self, turn_id: str, name: str, now: datetime) -> Turn:
        """Put a label on a turn, by its name.

        Raises:
            WrongParameter: there is no such label (any more).
        """
        turn = self._turn(turn_id)
        label = self._session.scalars(select(Label).where(Label.folded == folded(name))).first()
        if label is None or label.retired_at is not None:
            raise WrongParameter("label", "There is no such label (any more). Choose one that is offered.")
        values = {"id": new_id(), "turn_id": turn_id, "label_id": label.id, "admin_id": self._admin_id, "at": now}
        insert_if_new(self._session, TurnLabel, values, ("turn_id", "label_id", "admin_id"))
        return turn

    def take_label(self, turn_id: str, name: str) -> Turn:
        """Take this admin's label off, by its name."""
        turn = self._turn(turn_id)
        label = select(Label.id).where(Label.folded == folded(name)).scalar_subquery()
        mine = (TurnLabel.turn_id == turn_id, TurnLabel.label_id == label, TurnLabel.admin_id == self._admin_id)
        self._run(delete(TurnLabel).where(*mine))
        return turn

    def note(self, turn_id: str, text: str, now: datetime) -> Turn:
        """Add a note.

        Raises:
            WrongParameter: it is empty or too long.
            RequestError: there are too many.
        """
        text = checked_text("note", text, NOTE_MAX_CHARS)
        turn = self._turn(turn_id)
        mine = select(func.count()).where(TurnNote.turn_id == turn_id, TurnNote.admin_id == self._admin_id)
        if self._session.scalar(mine) >= MOST_NOTES:  # type: ignore[operator]  # a count is never None
            raise RequestError(user_message=f"You have {MOST_NOTES} notes here already. Change one of them.")
        self._session.add(TurnNote(turn_id=turn_id, admin_id=self._admin_id, text=text, at=now))
        self._session.flush()
        return turn

    def change_note(self, note_id: str, text: str, now: datetime) -> Turn:
        """Change a note of this admin's; an empty text removes it.

        Raises:
            WrongParameter: it is too long.
        """
        text = checked_text("note", text, NOTE_MAX_CHARS, empty=True)
        note = self._session.get(TurnNote, note_id)
        if note is None or note.admin_id != self._admin_id:
            raise NotFound(user_message="There is no such note of yours.")
        turn = self._turn(note.turn_id)
        if text:
            note.text, note.edited_at = text, now
        else:
            self._session.delete(note)
        self._session.flush()
        return turn

    def correct(self, turn_id: str, text: str, now: datetime) -> Turn:
        """Say what the answer should have been; empty: it was right after all. The same again adds nothing.

        Raises:
            WrongParameter: it is too long.
            RequestError: the answer is not over yet.
        """
        text = checked_text("corrected answer", text, CORRECTION_MAX_CHARS, empty=True)
        turn = self._ended(turn_id)
        latest = select(Correction.text).where(Correction.turn_id == turn_id).order_by(Correction.id.desc()).limit(1)
        if text != (self._session.scalar(latest) or ""):
            self._session.add(Correction(turn_id=turn_id, admin_id=self._admin_id, text=text, at=now))
            self._session.flush()
        return turn

    def judge(self, turn_id: str, verdict: str, now: datetime) -> Turn:
        """Say what this admin thinks of the answer; empty takes it back.

        Raises:
            WrongParameter: there is no such verdict.
            RequestError: the answer is not over yet.
        """
        if verdict and verdict not in set(Verdict):
            raise WrongParameter("verdict", f"There is no verdict “{verdict}”.")
        turn = self._ended(turn_id)
        if verdict:
            self._put(Judgement, ("turn_id", "admin_id"), turn_id=turn_id, verdict=verdict, at=now)
        else:
            self._run(delete(Judgement).where(Judgement.turn_id == turn_id, Judgement.admin_id == self._admin_id))
        return turn

    def set_state(self, conversation_id: str, state: str) -> None:
        """Say how far the review of a conversation is.

        Raises:
            WrongParameter: there is no such state.
        """
        if state not in set(ReviewState):
            raise WrongParameter("state", f"There is no state “{state}”.")
        conversation = self._conversation(conversation_id)
        seen = conversation.last_seq if state == ReviewState.DONE else 0
        self._set(conversation_id, review_state=state, reviewed_seq=seen)

    def assign(self, conversation_id: str, name: str) -> str:
        """Give a conversation to an admin to review, by his name; empty: to nobody. Returns who he is.

        Raises:
            WrongParameter: no such admin may sign in.
        """
        self._conversation(conversation_id)
        admin = self._session.scalars(select(Admin).where(Admin.name == name, Admin.disabled_at.is_(None))).first()
        if name and admin is None:
            raise WrongParameter("to", f"There is no admin “{name}” who may sign in.")
        self._set(conversation_id, assigned_to=None if admin is None else admin.id)
        if admin is not None:
            self._begin(conversation_id)
        return "" if admin is None else admin.id

    def _turn(self, turn_id: str) -> Turn:
        allowed = select(Turn).join(Conversation, Conversation.id == Turn.conversation_id)
        turn = self._session.scalars(allowed.where(Turn.id == turn_id, self._scope.allows())).one_or_none()
        if turn is None:
            raise NotFound(user_message="There is no such turn, or none that you may read.")
        self._begin(turn.conversation_id)
        return turn

    def _ended(self, turn_id: str) -> Turn:
        turn = self._turn(turn_id)
        if turn.state in ACTIVE_STATES:
            raise RequestError(user_message="This answer is still being written. Wait until it has ended.")
        return turn

    def _conversation(self, conversation_id: str) -> Conversation:
        allowed = select(Conversation).where(Conversation.id == conversation_id, self._scope.allows())
        conversation = self._session.scalars(allowed).one_or_none()
        if conversation is None:
            raise NotFound(user_message="There is no such conversation, or none that you may read.")
        return conversation

    def _begin(self, conversation_id: str) -> None:
        is_new = (Conversation.id == conversation_id, Conversation.review_state == ReviewState.NEW.value)
        self._run(update(Conversation).where(*is_new).values(review_state=ReviewState.IN_REVIEW.value))

    def _set(self, conversation_id: str, **values: object) -> None:
        self._run(update(Conversation).where(Conversation.id == conversation_id).values(**values))

    def _put(self, table: type[TurnFlag] | type[Judgement], key: tuple[str, ...], **values: Any) -> None:
        changes = tuple(name for name in values if name not in key)
        row = {"id": new_id(), "admin_id": self._admin_id, **values}
        insert_or_update(self._session, table, row, key, changes)

    def _run(self, statement: Any) -> None:
        self._session.execute(statement, execution_options=_AS_IT_IS)
