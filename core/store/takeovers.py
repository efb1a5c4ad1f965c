"""Taking over: which admin answers in which conversation, and what is said there about it.

A conversation is handed over (`handed_over_at`) by the person or by an admin who takes over (`taken_by`); one that was
handed over and not taken waits. Every change is one guarded UPDATE of the conversation's row, which so also keeps apart
whoever writes in it at the same moment.
"""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal_column, select, update
from sqlalchemy.orm import Session

from core.store.models import Conversation, Delivery, Turn, Workspace
from core.store.turn_guards import FRESH
from core.store.turn_rows import ANSWER
from core.values import PULL_PLATFORMS, DeliveryState, Notice, Platform, TurnState, new_id

# Word for word the condition of `ix_conversations_taken`.
IS_TAKEN = Conversation.taken_by != literal_column("''")
# Among so many of the last deliveries of a conversation there is one that says where its chat is.
_LOOK_BACK = 20


@dataclass(frozen=True, slots=True)
class Said:
    """A notice in a chat, at a turn; see `comes_first`."""

    turn_id: str
    notice: Notice
    delivery: Delivery


class TakeoverRepository:
    """What admins do in conversations."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def take(self, conversation_id: str, admin_id: str, instead_of: str, now: datetime) -> Conversation | None:
        """This admin answers from now on, instead of the admin `instead_of` (empty: of nobody). None: it is not (any
        more) as that says, or there is none."""
        return self._change(
            and_(Conversation.id == conversation_id, Conversation.taken_by == instead_of),
            handed_over_at=func.coalesce(Conversation.handed_over_at, now),
            taken_by=admin_id,
            taken_at=now,
            operator_at=now,
            updated_at=now,
        )

    def act(self, conversation_id: str, admin_id: str, now: datetime) -> Conversation | None:
        """The admin who has taken over does something; nobody else does until the commit. None: he has not."""
        return self._change(
            and_(Conversation.id == conversation_id, Conversation.taken_by == admin_id),
            operator_at=now,
            updated_at=now,
        )

    def hand_back(self, conversation_id: str, taken_by: str, now: datetime) -> bool:
        """The model answers again. False: that admin (empty: nobody, it waits) has not taken over (any more)."""
        waits = Conversation.handed_over_at.is_not(None)
        return self._release(and_(Conversation.id == conversation_id, Conversation.taken_by == taken_by, waits), now)

    def idle(self, before: datetime, limit: int) -> list[str]:
        """Conversations whose admin has done nothing since `before`, longest ago first."""
        statement = (
            select(Conversation.id)
            .where(IS_TAKEN, Conversation.operator_at < before)
            .order_by(Conversation.operator_at)
            .limit(limit)
        )
        return list(self._session.scalars(statement).all())

    def end_idle(self, conversation_id: str, before: datetime, now: datetime) -> bool:
        """The model answers again. False: its admin has done something since `before`, or it is over."""
        return self._release(and_(Conversation.id == conversation_id, IS_TAKEN, Conversation.operator_at < before), now)

    def platform_of(self, conversation_id: str) -> Platform | None:
        """Where a conversation takes place; None: there is none (any more)."""
        statement = (
            select(Workspace.platform)
            .join(Conversation, Conversation.workspace_id == Workspace.id)
            .where(Conversation.id == conversation_id)
        )
        platform = self._session.scalar(statement)
        return Platform(platform) if platform is not None else None

    def target_of(self, conversation_id: str) -> Mapping[str, Any]:
        """Where its last answers went, in the adapter's own words; empty: they are fetched, or nobody knows."""
        statement = (
            select(Delivery.target)
            .join(Turn, Turn.id == Delivery.turn_id)
            .where(Turn.conversation_id == conversation_id, Delivery.kind == ANSWER)
            .order_by(Turn.seq.desc())
            .limit(_LOOK_BACK)
        )
        return next((target for target in self._session.scalars(statement) if target), {})

    def last_said(self, conversation_id: str) -> str | None:
        """The last notice or human's answer that is not brought yet: what is said next comes behind it."""
        statement = (
            select(Delivery.id)
            .join(Turn, Turn.id == Delivery.turn_id)
            .where(
                Turn.conversation_id == conversation_id,
                Delivery.state.in_([DeliveryState.PENDING, DeliveryState.SENDING]),
                (Delivery.kind != ANSWER) | (Turn.answered_by != ""),
            )
            .order_by(Delivery.created_at.desc(), Delivery.id.desc())
            .limit(1)
        )
        return self._session.scalar(statement)

    def open(
        self, turn_id: str, platform: Platform, target: Mapping[str, Any], now: datetime, after_id: str | None
    ) -> None:
        """A human's words, to no question, will be brought behind the delivery `after_id`."""
        self._add(turn_id, ANSWER, platform, target, now, after_id)

    def say(self, conversation_id: str, notice: Notice, now: datetime) -> str | None:
        """Say this in the chat, behind what is still to be said there; the delivery. None: nothing was asked there
        (any more), or nobody knows where."""
        turn_id = self._session.scalar(
            select(Turn.id).where(Turn.conversation_id == conversation_id).order_by(Turn.seq.desc()).limit(1)
        )
        platform, target = self.platform_of(conversation_id), self.target_of(conversation_id)
        if turn_id is None or platform is None or not (target or platform in PULL_PLATFORMS):
            return None
        # The same may be said more than once at one turn.
        kind = f"{notice}.{secrets.token_hex(3)}"
        return self._add(turn_id, kind, platform, target, now, self.last_said(conversation_id))

    def notices(self, turn_ids: Collection[str]) -> list[Said]:
        """What was said at these turns, in order."""
        statement = (
            select(Delivery)
            .where(Delivery.turn_id.in_(turn_ids), Delivery.kind.like("%.%"))
            .order_by(Delivery.created_at, Delivery.id)
        )
        found = self._session.scalars(statement).all() if turn_ids else []
        return [Said(one.turn_id, notice, one) for one in found if (notice := notice_of(one.kind)) is not None]

    def _add(
        self,
        turn_id: str,
        kind: str,
        platform: Platform,
        target: Mapping[str, Any],
        now: datetime,
        after_id: str | None,
    ) -> str:
        # A notice is fetched with the conversation, so nobody has to bring it.
        fetched = platform in PULL_PLATFORMS and kind != ANSWER
        delivery = Delivery(
            id=new_id(),
            turn_id=turn_id,
            platform=platform,
            kind=kind,
            target=dict(target),
            state=DeliveryState.SENT if fetched else DeliveryState.PENDING,
            sent_at=now if fetched else None,
            created_at=now,
            after_id=after_id,
        )
        self._session.add(delivery)
        self._session.flush()
        return delivery.id

    def _release(self, condition: ColumnElement[bool], now: datetime) -> bool:
        nobody = {"handed_over_at": None, "taken_by": "", "taken_at": None, "operator_at": None}
        return self._change(condition, **nobody, updated_at=now) is not None

    def _change(self, condition: ColumnElement[bool], **values: Any) -> Conversation | None:
        statement = update(Conversation).where(condition).values(**values).returning(Conversation)
        return self._session.scalars(statement, execution_options=FRESH).one_or_none()


def comes_first(notice: Delivery, turn: Turn) -> bool:
    """Whether a notice was said before the turn that it was said at was answered; else it stands below the answer."""
    if turn.state == TurnState.HANDED_OVER:
        return False
    if not turn.answered_by and turn.started_at is not None and turn.started_at <= notice.created_at:
        # The model was at it.
        return False
    return turn.finished_at is None or notice.created_at < turn.finished_at


def notice_of(kind: str) -> Notice | None:
    """What a delivery of this kind says about who answers; None: it brings an answer."""
    word, dot, _ = kind.partition(".")
    return Notice(word) if dot and word in set(Notice) else None
