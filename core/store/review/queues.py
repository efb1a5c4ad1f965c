"""Review queues as an admin sees them: only what waits in conversations that he may read, and what was said there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, false, func, literal, or_, select, true
from sqlalchemy.orm import Session

from core.agreement import Agreement, agreement, disagree
from core.reviewing import Rule, said
from core.store.admin_tables import Admin
from core.store.models import Conversation, Place, Turn, Workspace
from core.store.review.scope import ReadScope
from core.store.review_tables import Judgement, Label, QueueItem, ReviewQueue, TurnLabel

# Agreement is told of so many of the turns that were done last.
LATEST = 2000
MOST_DISAGREEMENTS = 50
# Counted further, a number would only tell that it is large.
MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A queue in the list. `oldest` is since when its oldest open turn waits; None: none waits."""

    queue: ReviewQueue
    workspace: Workspace | None
    rule: str
    open: int
    done: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A turn about which judges said different things: (name, what)."""

    conversation_id: str
    seq: int
    title: str
    verdicts: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class QueueView:
    """A queue by itself; agreement on verdicts, and on each label, over the turns that were done last."""

    row: QueueRow
    verdicts: Agreement | None
    labels: list[tuple[str, Agreement]]
    disagreements: list[Disagreement]


@dataclass(frozen=True, slots=True)
class AtWork:
    """The item that an admin has before him in a queue. `others`: how many turns of it are open beside this one."""

    queue: ReviewQueue
    item: QueueItem
    others: int


def list_queues(session: Session, scope: ReadScope) -> list[QueueRow]:
    """The queues that concern workspaces which may be read."""
    return [_row(session, scope, queue, workspace) for queue, workspace in session.execute(_seen(scope)).all()]


def view_queue(session: Session, scope: ReadScope, queue_id: str, admin_id: str) -> QueueView | None:
    """One queue for an admin; None: no such queue, or none that concerns him.

    What others said about turns that he is still to judge by himself is not told.
    """
    found = session.execute(_seen(scope).where(ReviewQueue.id == queue_id)).one_or_none()
    if found is None:
        return None
    row = _row(session, scope, found[0], found[1])
    judged = _judged(session, scope, queue_id)
    things = list(judged.values())
    return QueueView(row, agreement(things), _labels(session, judged), _disagreements(session, judged, admin_id))


def is_seen(session: Session, scope: ReadScope, queue_id: str) -> bool:
    """Whether the queue concerns what may be read."""
    return session.execute(_seen(scope).where(ReviewQueue.id == queue_id)).first() is not None


def at_work(session: Session, scope: ReadScope, queue_id: str, turn_id: str) -> AtWork | None:
    """A turn as an item of a queue; None: it is none that may be read."""
    found = session.execute(
        select(ReviewQueue, QueueItem)
        .join(QueueItem, QueueItem.queue_id == ReviewQueue.id)
        .join(Turn, Turn.id == QueueItem.turn_id)
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .where(ReviewQueue.id == queue_id, QueueItem.turn_id == turn_id, scope.allows())
    ).one_or_none()
    if found is None:
        return None
    queue, item = found
    others = _items(scope, queue_id).where(QueueItem.done_at.is_(None), QueueItem.id != item.id)
    return AtWork(queue, item, _count(session, others))


def _seen(scope: ReadScope) -> Select[ReviewQueue, Workspace]:
    places = select(Place.workspace_id).where(Place.id.in_(sorted(scope.places)))
    mine = or_(false(), ReviewQueue.workspace_id.in_(sorted(scope.workspaces)), ReviewQueue.workspace_id.in_(places))
    allowed = true() if scope.everywhere else or_(ReviewQueue.workspace_id.is_(None), mine)
    statement = select(ReviewQueue, Workspace).outerjoin(Workspace, Workspace.id == ReviewQueue.workspace_id)
    return statement.where(allowed).order_by(ReviewQueue.folded)


def _row(session: Session, scope: ReadScope, queue: ReviewQueue, workspace: Workspace | None) -> QueueRow:
    label = session.get(Label, queue.parameters["label"]) if queue.kind == Rule.LABELLED else None
    rule = said(queue.kind, queue.parameters, label.name if label is not None else "?")
    items = _items(scope, queue.id)
    waiting = items.where(QueueItem.done_at.is_(None))
    oldest = session.scalar(waiting.with_only_columns(QueueItem.added_at).order_by(QueueItem.id).limit(1))
    done = _count(session, items.where(QueueItem.done_at.is_not(None)))
    return QueueRow(queue, workspace, rule, _count(session, waiting), done, oldest)


def _items(scope: ReadScope, queue_id: str) -> Select[str]:
    items = select(QueueItem.id).where(QueueItem.queue_id == queue_id)
    if scope.everywhere:
        return items
    # Looked up for each item: joined, PostgreSQL reads all turns there are.
    turn = select(literal(1)).join_from(Turn, Conversation, Conversation.id == Turn.conversation_id)
    readable = turn.where(Turn.id == QueueItem.turn_id, scope.allows()).correlate(QueueItem).scalar_subquery()
    return items.where(readable == 1)


def _count(session: Session, items: Select[str]) -> int:
    return session.scalar(select(func.count()).select_from(items.limit(MOST_COUNTED).subquery())) or 0


def _judged(session: Session, scope: ReadScope, queue_id: str) -> dict[str, dict[str, str]]:
    """Turn → admin → verdict, of turns that are done; the latest first."""
    latest = _items(scope, queue_id).where(QueueItem.done_at.is_not(None)).with_only_columns(QueueItem.turn_id)
    turn_ids = list(session.scalars(latest.order_by(QueueItem.done_at.desc()).limit(LATEST)))
    judged: dict[str, dict[str, str]] = {turn_id: {} for turn_id in turn_ids}
    verdicts = select(Judgement.turn_id, Judgement.admin_id, Judgement.verdict)
    for turn_id, admin_id, verdict in session.execute(verdicts.where(Judgement.turn_id.in_(turn_ids))):
        judged[turn_id][admin_id] = verdict
    return {turn_id: by for turn_id, by in judged.items() if len(by) > 1}


def _labels(session: Session, judged: dict[str, dict[str, str]]) -> list[tuple[str, Agreement]]:
    """On each label that was put on one of the turns: whether whoever judged put it there."""
    put: dict[str, set[tuple[str, str]]] = {}
    labels = select(Label.name, TurnLabel.turn_id, TurnLabel.admin_id).join(Label, Label.id == TurnLabel.label_id)
    for name, turn_id, admin_id in session.execute(labels.where(TurnLabel.turn_id.in_(list(judged)))):
        put.setdefault(name, set()).add((turn_id, admin_id))
    found = []
    for name in sorted(put):
        by_turn = [{admin: (turn_id, admin) in put[name] for admin in by} for turn_id, by in judged.items()]
        told = agreement(by_turn)
        if told is not None and any(any(by.values()) for by in by_turn):
            found.append((name, told))
    return found


def _disagreements(session: Session, judged: dict[str, dict[str, str]], admin_id: str) -> list[Disagreement]:
    turn_ids = [turn_id for turn_id, by in judged.items() if disagree(by)]
    hidden = set(session.scalars(still_to_judge(turn_ids, admin_id)))
    shown = [turn_id for turn_id in turn_ids if turn_id not in hidden][:MOST_DISAGREEMENTS]
    names = dict(session.execute(select(Admin.id, Admin.name)).all())
    where = select(Turn.id, Turn.conversation_id, Turn.seq, Conversation.title, Turn.question)
    rows = session.execute(where.join(Conversation, Conversation.id == Turn.conversation_id).where(Turn.id.in_(shown)))
    at = {
        turn_id: (conversation_id, seq, title or question[:200])
        for turn_id, conversation_id, seq, title, question in rows
    }
    return [
        Disagreement(*at[turn_id], sorted((names[admin], verdict) for admin, verdict in judged[turn_id].items()))
        for turn_id in shown
        if turn_id in at
    ]


def still_to_judge(turn_ids: Sequence[str], admin_id: str) -> Select[str]:
    """Those of the turns that several are to judge by themselves, and that this admin has not judged."""
    mine = select(Judgement.id).where(Judgement.turn_id == QueueItem.turn_id, Judgement.admin_id == admin_id)
    waiting: list[ColumnElement[bool]] = [QueueItem.turn_id.in_(turn_ids), QueueItem.done_at.is_(None)]
    several = select(QueueItem.turn_id).join(ReviewQueue, ReviewQueue.id == QueueItem.queue_id)
    return several.where(*waiting, ReviewQueue.judges > 1, ~mine.correlate(QueueItem).exists())
