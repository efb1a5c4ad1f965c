"""How turns stand, for the many who wait for them: few columns, and one query for all of them."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import BindParameter, bindparam, func, literal_column, select

from core.store.columns import UtcDateTime
from core.store.models import Attachment, Conversation, Turn, Workspace
from core.store.turn_guards import IS_GATHERING, IS_OPEN, IS_READY, TAKES_FILES
from core.store.turn_rows import TurnRows
from core.values import FINAL_STATES, Platform, TurnState

_TURN_IDS: BindParameter[list[str]] = bindparam("turn_ids", expanding=True)
_STANDINGS = select(Turn.id, Turn.state, Turn.attempt).where(Turn.id.in_(_TURN_IDS))
_QUEUE = (
    select(Turn.id, (func.row_number().over(order_by=(Turn.ready_at, Turn.id)) - 1).label("position"))
    .where(IS_READY)
    .subquery("queue")
)
_POSITIONS = select(_QUEUE.c.id, _QUEUE.c.position).where(_QUEUE.c.id.in_(_TURN_IDS))
_GATHERING_ON = (
    select(Turn.id)
    .join(Conversation, Conversation.id == Turn.conversation_id)
    .join(Workspace, Workspace.id == Conversation.workspace_id)
    .where(IS_GATHERING, Workspace.platform == bindparam("platform"))
    .order_by(Turn.id)
)
_UNSEEN_FILES_ON = (
    select(Turn.id)
    .join(Conversation, Conversation.id == Turn.conversation_id)
    .join(Workspace, Workspace.id == Conversation.workspace_id)
    .where(
        Turn.id.in_(select(Attachment.turn_id).where(Attachment.state == literal_column("'pending'"))),
        TAKES_FILES,
        Turn.created_at > bindparam("since", type_=UtcDateTime()),
        Workspace.platform == bindparam("platform"),
    )
    .order_by(Turn.id)
)
_OPEN_IN_WORKSPACE = (
    select(Turn.id)
    .join(Conversation, Conversation.id == Turn.conversation_id)
    .join(Workspace, Workspace.id == Conversation.workspace_id)
    .where(IS_OPEN, Workspace.platform == bindparam("platform"), Workspace.external_id == bindparam("external_id"))
    .order_by(Turn.id)
)


class Standing(NamedTuple):
    """What a reader waits for, without the words: `attempt` is the last one, or the one that runs."""

    state: TurnState
    attempt: int

    @property
    def is_final(self) -> bool:
        return self.state in FINAL_STATES


class TurnWatch(TurnRows):
    """Reads only."""

    def standings(self, turn_ids: Collection[str]) -> dict[str, Standing]:
        """How those of the turns stand that exist."""
        rows = self._session.execute(_STANDINGS, {"turn_ids": list(turn_ids)})
        return {row.id: Standing(TurnState(row.state), row.attempt) for row in rows}

    def positions(self, turn_ids: Collection[str]) -> dict[str, int]:
        """How many ready turns have waited longer than each of these; without those that are not ready."""
        if not turn_ids:
            return {}
        return {row[0]: row[1] for row in self._session.execute(_POSITIONS, {"turn_ids": list(turn_ids)})}

    def gathering_on(self, platform: Platform) -> list[str]:
        """Turns of a platform whose files are still to be fetched, oldest first."""
        return list(self._session.scalars(_GATHERING_ON, {"platform": platform}).all())

    def unseen_files_on(self, platform: Platform, since: datetime) -> list[str]:
        """Turns of a platform, asked after `since`, whose files are still to be fetched for the model or a human,
        oldest first."""
        return list(self._session.scalars(_UNSEEN_FILES_ON, {"platform": platform, "since": since}).all())

    def open_in_workspace(self, platform: Platform, external_id: str) -> list[str]:
        """Turns of a workspace that have not ended, oldest first."""
        return list(self._session.scalars(_OPEN_IN_WORKSPACE, {"platform": platform, "external_id": external_id}).all())
