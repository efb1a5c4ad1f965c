"""Which rows are to go by the rules, as conditions. Dry runs and runs ask by the same ones."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, false, select

from core.errors import PictureRemoved
from core.store.admin_tables import AuditEntry
from core.store.models import Attachment, Conversation, ConversationHold, InboundEvent, Turn, Usage
from core.store.retention.rules import Rules, What
from core.store.turn_guards import HAS_ENDED
from core.values import AttachmentState

HELD = select(ConversationHold.conversation_id)
IS_STORED = Attachment.state == AttachmentState.STORED
# Of a turn that has ended nothing is fetched any more.
IS_UNREAD = and_(Attachment.state != AttachmentState.STORED, Attachment.error_code != PictureRemoved.code)


@dataclass(frozen=True, slots=True)
class Going:
    """By these rules, at this moment."""

    rules: Rules
    now: datetime

    def turns(self, what: What = What.TURNS) -> ColumnElement[bool]:
        """The turn, joined with its conversation, is old enough, has ended and is not held."""
        latest = self.rules.latest(what, self.now)
        if latest is None:
            return false()
        old = self.rules.is_over(what, self.now, Conversation.workspace_id, Turn.created_at)
        # The first one is what the index is asked for.
        return and_(Turn.created_at < latest, old, HAS_ENDED, Turn.conversation_id.not_in(HELD))

    def turns_with(self, what: What) -> ColumnElement[bool]:
        """The turn stays and has something that goes."""
        return and_(self.turns(what), ~self.turns(), self._has(what))

    def files(self, what: What) -> ColumnElement[bool]:
        """The attachment, joined with turn and conversation, goes, and its turn does not."""
        return and_(self.turns(what), ~self.turns(), IS_STORED if what is What.PICTURES else IS_UNREAD)

    def usage(self) -> ColumnElement[bool]:
        """The row of `Usage` is to lose its person."""
        old = self.rules.is_over(What.USAGE, self.now, Usage.workspace_id, Usage.created_at)
        held = select(Turn.id).where(Turn.conversation_id.in_(HELD))
        return and_(Usage.person_id != "", old, Usage.turn_id.not_in(held))

    def events(self) -> ColumnElement[bool]:
        """The inbound event goes."""
        latest = self.rules.latest(What.EVENTS, self.now)
        return and_(InboundEvent.turn_id.is_(None), InboundEvent.received_at < latest) if latest else false()

    def entries(self) -> ColumnElement[bool]:
        """The entry of the audit log goes."""
        latest = self.rules.latest(What.AUDIT, self.now)
        return AuditEntry.at < latest if latest is not None else false()

    def _has(self, what: What) -> ColumnElement[bool]:
        if what is What.THINKING:
            return Turn.thinking != ""
        file = IS_STORED if what is What.PICTURES else IS_UNREAD
        return select(Attachment.id).where(Attachment.turn_id == Turn.id, file).correlate(Turn).exists()
