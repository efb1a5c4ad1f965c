"""Review queues: their rules, and who has which turn before him."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from core.errors import NotFound, RequestError, WrongParameter
from core.reviewing import MOST_JUDGES, Rule, checked_name, folded
from core.store.models import Conversation, Turn, Workspace
from core.store.review.scope import ReadScope
from core.store.review_tables import Judgement, Label, QueueClaim, QueueItem, ReviewQueue
from core.store.upsert import insert_if_new, insert_or_update
from core.values import new_id

# So long nobody else is given what an admin has before him; everything he does with it begins this anew.
CLAIM_LASTS = timedelta(minutes=15)
MOST_QUEUES = 100
# How often somebody else may be faster before there is nothing for him now.
_TRIES = 5
_AS_IT_IS: dict[str, Any] = {"synchronize_session": False}


@dataclass(frozen=True, slots=True)
class Next:
    """The item that an admin is to look at, and where its turn stands."""

    item_id: str
    conversation_id: str
    turn_id: str
    seq: int


class QueueRepository:
    """Rules are an owner's and not limited; items are handed out within a scope."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(
        self,
        name: str,
        rule: Rule,
        parameters: dict[str, Any],
        *,
        workspace_id: str | None,
        judges: int,
        since: datetime,
        now: datetime,
    ) -> ReviewQueue:
        """Make a queue for what happened after `since`.

        Raises:
            WrongParameter: no such name, label or workspace, or too many judges.
            RequestError: there is one of this name, or there are too many.
        """
        name = self._checked(name, rule, parameters, judges)
        if workspace_id is not None and self._session.get(Workspace, workspace_id) is None:
            raise WrongParameter("workspace", "There is no such workspace.")
        if (self._session.scalar(select(func.count()).select_from(ReviewQueue)) or 0) >= MOST_QUEUES:
            raise RequestError(user_message=f"There are {MOST_QUEUES} queues already. Remove one first.")
        values: dict[str, Any] = {"id": new_id(), "name": name, "folded": folded(name), "created_at": now}
        values |= {
            "kind": rule.value,
            "parameters": parameters,
            "workspace_id": workspace_id,
            "judges": judges,
            "enabled": True,
        }
        made = insert_if_new(self._session, ReviewQueue, {**values, "since": since, "filled_until": since}, ("folded",))
        if made is None:
            raise RequestError(user_message=f"There is a queue “{name}” already.")
        return made

    def change(
        self, queue_id: str, name: str, parameters: dict[str, Any], *, judges: int, enabled: bool, now: datetime
    ) -> ReviewQueue:
        """Change a queue; its kind of rule and its workspace stay. What is in it stays, too.

        With other parameters the rule is applied once more from its beginning.

        Raises:
            NotFound: there is no such queue.
            WrongParameter: no such name or label, or too many judges.
            RequestError: another one has this name.
        """
        queue = self.existing(queue_id)
        name = self._checked(name, Rule(queue.kind), parameters, judges)
        same = select(ReviewQueue.id).where(ReviewQueue.folded == folded(name), ReviewQueue.id != queue_id)
        if self._session.scalar(same) is not None:
            raise RequestError(user_message=f"There is another queue “{name}”.")
        if parameters != queue.parameters:
            queue.filled_until = queue.since
        queue.name, queue.folded, queue.parameters = name, folded(name), parameters
        queue.judges, queue.enabled = judges, enabled
        self._session.flush()
        waiting = (QueueItem.queue_id == queue_id, QueueItem.done_at.is_(None))
        self._run(update(QueueItem).where(*waiting, _done_claims() >= judges).values(done_at=now))
        return queue

    def remove(self, queue_id: str) -> ReviewQueue:
        """Remove a queue and its items; what was said about their turns stays with those.

        Raises:
            NotFound: there is no such queue.
        """
        queue = self.existing(queue_id)
        self._run(delete(ReviewQueue).where(ReviewQueue.id == queue_id))
        return queue

    def take_next(
        self, queue_id: str, scope: ReadScope, admin_id: str, now: datetime, *, skipped: str = ""
    ) -> Next | None:
        """Give an admin the oldest item that waits for him; the one that he has, unless that is what he `skipped`.

        None: nothing in his scope is free at the moment; behind a skipped one, nothing further.
        """
        if skipped:
            self._run(delete(QueueClaim).where(*_mine(skipped, admin_id), QueueClaim.done_at.is_(None)))
        has = exists().where(*_mine(QueueItem.id, admin_id), QueueClaim.done_at.is_(None), QueueClaim.until > now)
        finished = exists().where(*_mine(QueueItem.id, admin_id), QueueClaim.done_at.is_not(None))
        judges = select(ReviewQueue.judges).where(ReviewQueue.id == queue_id).scalar_subquery()
        waiting = (
            select(QueueItem.id, Turn.conversation_id, Turn.id, Turn.seq)
            .join(Turn, Turn.id == QueueItem.turn_id)
            .join(Conversation, Conversation.id == Turn.conversation_id)
            .where(QueueItem.queue_id == queue_id, QueueItem.done_at.is_(None), scope.allows())
            .order_by(QueueItem.id)
            .limit(1)
        )
        free = waiting.where(~finished, _taken(admin_id, now) < judges).with_for_update(of=QueueItem, skip_locked=True)
        if skipped:
            free = free.where(QueueItem.id > skipped)
        elif (row := self._session.execute(waiting.where(has)).first()) is not None:
            return self._claimed(Next(*row), admin_id, now)
        for _ in range(_TRIES):
            row = self._session.execute(free).first()
            if row is None:
                return None
            # The row is locked only now: somebody may have claimed it between the look and the lock.
            still = select(QueueItem.id).where(QueueItem.id == row[0], _taken(admin_id, now) < judges)
            if self._session.scalar(still) is not None:
                return self._claimed(Next(*row), admin_id, now)
        return None

    def finish(self, queue_id: str, item_id: str, scope: ReadScope, admin_id: str, now: datetime) -> Next:
        """This admin is done with an item of the queue.

        Raises:
            NotFound: there is no such item in his scope.
            RequestError: he has not judged its answer.
        """
        row = self._session.execute(
            select(QueueItem.id, Turn.conversation_id, Turn.id, Turn.seq)
            .join(Turn, Turn.id == QueueItem.turn_id)
            .join(Conversation, Conversation.id == Turn.conversation_id)
            .where(QueueItem.id == item_id, QueueItem.queue_id == queue_id, scope.allows())
            .with_for_update(of=QueueItem)
        ).one_or_none()
        if row is None:
            raise NotFound(user_message="This turn is no longer in the queue.")
        item = Next(*row)
        judged = select(Judgement.id).where(Judgement.turn_id == item.turn_id, Judgement.admin_id == admin_id)
        if self._session.scalar(judged) is None:
            raise RequestError(user_message="Judge the answer first: good, bad or unsure.")
        self._claim(item_id, admin_id, now, done_at=now)
        wanted = select(ReviewQueue.judges).where(ReviewQueue.id == QueueItem.queue_id).scalar_subquery()
        enough = (QueueItem.id == item_id, QueueItem.done_at.is_(None), _done_claims() >= wanted)
        self._run(update(QueueItem).where(*enough).values(done_at=now))
        return item

    def renew(self, turn_id: str, admin_id: str, now: datetime) -> None:
        """He is at work with this turn: nobody else is given it for a while."""
        items = select(QueueItem.id).where(QueueItem.turn_id == turn_id, QueueItem.done_at.is_(None))
        mine = (QueueClaim.item_id.in_(items), QueueClaim.admin_id == admin_id, QueueClaim.done_at.is_(None))
        self._run(update(QueueClaim).where(*mine).values(until=now + CLAIM_LASTS))

    def existing(self, queue_id: str) -> ReviewQueue:
        """One queue.

        Raises:
            NotFound: there is none.
        """
        queue = self._session.get(ReviewQueue, queue_id)
        if queue is None:
            raise NotFound(user_message="There is no such queue.")
        return queue

    def _checked(self, name: str, rule: Rule, parameters: dict[str, Any], judges: int) -> str:
        if not 1 <= judges <= MOST_JUDGES:
            raise WrongParameter("judges", f"1 to {MOST_JUDGES} admins can judge each turn.")
        if rule is Rule.LABELLED and self._session.get(Label, parameters["label"]) is None:
            raise WrongParameter("label", "There is no such label.")
        return checked_name("queue", name)

    def _claimed(self, item: Next, admin_id: str, now: datetime) -> Next:
        self._claim(item.item_id, admin_id, now, done_at=None)
        return item

    def _claim(self, item_id: str, admin_id: str, now: datetime, done_at: datetime | None) -> None:
        values = {"item_id": item_id, "admin_id": admin_id, "until": now + CLAIM_LASTS, "done_at": done_at}
        insert_or_update(self._session, QueueClaim, values, ("item_id", "admin_id"), ("until", "done_at"))

    def _run(self, statement: Any) -> None:
        self._session.execute(statement, execution_options=_AS_IT_IS)


def _mine(item: Any, admin_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return QueueClaim.item_id == item, QueueClaim.admin_id == admin_id


def _taken(admin_id: str, now: datetime) -> ColumnElement[int]:
    """How many others have the item before them or are done with it."""
    counts = or_(QueueClaim.done_at.is_not(None), QueueClaim.until > now)
    others = and_(QueueClaim.item_id == QueueItem.id, QueueClaim.admin_id != admin_id, counts)
    return select(func.count()).where(others).correlate(QueueItem).scalar_subquery()


def _done_claims() -> ColumnElement[int]:
    done = (QueueClaim.item_id == QueueItem.id, QueueClaim.done_at.is_not(None))
    return select(func.count()).where(*done).correlate(QueueItem).scalar_subquery()
