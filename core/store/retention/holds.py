"""Rules as they are stored, and conversations that are held."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.store.models import Conversation, ConversationHold
from core.store.retention.figures import Figures, dry_run
from core.store.retention.going import Going
from core.store.retention.rules import Rules, What
from core.store.retention_tables import RetentionRule
from core.store.upsert import insert_or_update
from core.values import new_id

REASON_CHARS = 500


class Holds:
    """What is to be kept, and for how long."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def rules(self) -> Rules:
        """As they are now."""
        default: dict[What, int | None] = {}
        own: dict[str, dict[What, int | None]] = {}
        for rule in self.stored_rules():
            there = default if rule.workspace_id is None else own.setdefault(rule.workspace_id, {})
            there[What(rule.what)] = rule.days
        return Rules(default, own)

    def stored_rules(self) -> list[RetentionRule]:
        """The rows, those of all workspaces first."""
        statement = select(RetentionRule).order_by(RetentionRule.workspace_id, RetentionRule.what)
        known = [row for row in self._session.scalars(statement).all() if row.what in set(What)]
        return sorted(known, key=lambda row: row.workspace_id is not None)

    def set_rule(
        self,
        workspace_id: str | None,
        what: What,
        days: int | None,
        *,
        by: str,
        shown: Figures,
        now: datetime,
    ) -> None:
        """Keep it so long (None: for ever) in a workspace, or (None) in all that have no rule of their own."""
        self.drop_rule(workspace_id, what)
        values: dict[str, Any] = {"id": new_id(), "workspace_id": workspace_id, "what": what.value, "days": days}
        values |= {"set_by": by[:100], "set_at": now, "shown": shown.as_json()}
        key = ("workspace_id", "what")
        insert_or_update(self._session, RetentionRule, values, key, ("days", "set_by", "set_at", "shown"))

    def drop_rule(self, workspace_id: str | None, what: What) -> None:
        """From now on nothing is said about it there."""
        there = (
            RetentionRule.workspace_id.is_(None)
            if workspace_id is None
            else (RetentionRule.workspace_id == workspace_id)
        )
        self._session.execute(
            delete(RetentionRule)
            .where(there, RetentionRule.what == what.value)
            .execution_options(synchronize_session=False)
        )

    def dry_run(
        self, rules: Rules, what: What, workspace_id: str | None, now: datetime, *, everywhere: bool = False
    ) -> Figures:
        """What a run by these rules would remove of it now: in a workspace, or (None) wherever the default decides.

        `everywhere`: in all workspaces.
        """
        return dry_run(self._session, Going(rules, now), what, workspace_id, everywhere=everywhere)

    def hold(self, conversation_id: str) -> ConversationHold | None:
        """Why a conversation is held, as it is now; None: it is not."""
        return self._session.get(ConversationHold, conversation_id, populate_existing=True)

    def set_hold(self, conversation_id: str, reason: str, by: str, now: datetime) -> bool:
        """Keep a conversation whatever the rules say; again: for another reason. False: there is none (any more)."""
        # Whoever removes turns of it at this moment is waited for, and whoever comes later finds the hold.
        held = select(Conversation.id).where(Conversation.id == conversation_id).with_for_update()
        if self._session.scalar(held) is None:
            return False
        values = {"conversation_id": conversation_id, "reason": reason[:REASON_CHARS], "held_by": by, "held_at": now}
        changes = ("reason", "held_by", "held_at")
        insert_or_update(self._session, ConversationHold, values, ("conversation_id",), changes)
        return True

    def end_hold(self, conversation_id: str) -> bool:
        """Let it go by the rules again. False: it was not held."""
        statement = delete(ConversationHold).where(ConversationHold.conversation_id == conversation_id)
        ended = statement.returning(ConversationHold.conversation_id).execution_options(synchronize_session=False)
        return self._session.execute(ended).first() is not None

    def count_holds(self) -> int:
        """How many conversations are held."""
        return len(self._session.scalars(select(ConversationHold.conversation_id)).all())
