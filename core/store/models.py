"""The tables. SQL is the truth (docs/adr/0001): whatever was acknowledged to a user is in one of these rows.

Here are people, conversations, turns and what is sent of them; the other tables are in `record_tables.py`,
`key_tables.py`, `retention_tables.py` and `slack_tables.py`, and some of them can be imported from here, too.
"""

from datetime import datetime
from typing import Any, cast

from sqlalchemy import ForeignKey, Index, String, Table, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.store.base import Base as Base
from core.store.base import Id, partial_index
from core.store.key_tables import ApiKey as ApiKey
from core.store.key_tables import WebSession as WebSession
from core.store.name_tables import NamePair as NamePair
from core.store.record_tables import Erasure as Erasure
from core.store.record_tables import Feedback as Feedback
from core.store.record_tables import Usage as Usage
from core.store.retention_tables import ConversationHold as ConversationHold
from core.values import new_id, utc_now


def table_of(row: type[Base]) -> Table:
    """The table of these rows, for statements that go past the session's objects."""
    return cast(Table, row.__table__)


# Conditions of the partial indexes over turns; the queries repeat them word for word (`turn_guards.py`).
OPEN_TURN = "state IN ('gathering', 'ready', 'running')"
HAS_HISTORY = "history_hash <> ''"
FAILED_TURN = "state = 'failed'"
# Conversations with more to tell than that there are pictures; and slow ones (core.store.review.facts).
RARE_FACTS = "facts & 55 > 0"
IS_SLOW = "slowness >= 9"
HANDED_OVER = "handed_over_at IS NOT NULL"
TAKEN = "taken_by <> ''"
PENDING_FILE = "state = 'pending'"
_FILES_OF = "and_(Turn.id == Attachment.turn_id, Attachment.of_answer.is_({}))"
ENDED_TURN = "state NOT IN ('gathering', 'ready', 'running')"
FINISHED_TURN = "finished_at IS NOT NULL"
# And over conversations.
ASSIGNED = "assigned_to IS NOT NULL"
REVIEWED = "review_state <> 'new'"
# Always true, so that only the query that says it takes that index.
ASKED_TURN = "seq > 0"


class Workspace(Base):
    """A Slack workspace, a Telegram bot, or this installation's own web channel: the border between tenants."""

    __tablename__ = "workspaces"
    __table_args__ = (UniqueConstraint("platform", "external_id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    platform: Mapped[str] = mapped_column(String(16))
    external_id: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(255), default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Person(Base):
    """Somebody who asks, as the platform knows them."""

    __tablename__ = "people"
    __table_args__ = (UniqueConstraint("workspace_id", "external_id"), Index(None, "external_id"))

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    external_id: Mapped[str] = mapped_column(String(255))
    display_name: Mapped[str] = mapped_column(String(255), default="")
    # As the platform tells it; `language` is what the person chose instead, if anything.
    locale: Mapped[str] = mapped_column(String(16), default="")
    language: Mapped[str] = mapped_column(String(16), default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Place(Base):
    """A channel, chat or topic of a platform, in which conversations take place, and what was chosen for it."""

    __tablename__ = "places"
    __table_args__ = (UniqueConstraint("workspace_id", "external_id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    external_id: Mapped[str] = mapped_column(String(255))
    # A name of core.conversation.personas.
    persona: Mapped[str] = mapped_column(String(32), default="")
    # Grows with every `new`: where the platform has no threads, it is part of the conversation's name.
    epoch: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Conversation(Base):
    """One thread of turns with one memory."""

    __tablename__ = "conversations"
    __table_args__ = (
        UniqueConstraint("workspace_id", "external_id"),
        Index(None, "person_id", "updated_at", "id"),
        # What the console lists: everything, a workspace, a place.
        Index(None, "updated_at", "id"),
        Index(None, "workspace_id", "updated_at", "id"),
        Index(None, "place_id", "updated_at", "id"),
        # Not in the order of the list: every turn would write to it.
        Index("ix_conversations_models", "models"),
        # Of few conversations, so that writers hardly ever touch them.
        Index("ix_conversations_facts", "facts", "updated_at", "id", **partial_index(RARE_FACTS)),
        Index("ix_conversations_slowness", "slowness", "updated_at", "id", **partial_index(IS_SLOW)),
        # What is asked for while reviewing.
        Index("ix_conversations_reviewed", "review_state", "updated_at", "id", **partial_index(REVIEWED)),
        Index("ix_conversations_assigned", "assigned_to", "updated_at", "id", **partial_index(ASSIGNED)),
        # Those that wait for a human, and those that one has taken over.
        Index("ix_conversations_handed_over", "handed_over_at", "id", **partial_index(HANDED_OVER)),
        Index("ix_conversations_taken", "operator_at", **partial_index(TAKEN)),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    # Who started it; turns name who asked each question.
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    # The platform's own name for the thread; ours where the platform has none.
    external_id: Mapped[str] = mapped_column(String(255))
    # No foreign key, which SQLite could not be given afterwards: places go with their workspace only.
    place_id: Mapped[str | None] = mapped_column(Id)
    title: Mapped[str] = mapped_column(String(200), default="")
    system_prompt: Mapped[str] = mapped_column(Text, default="")
    last_seq: Mapped[int] = mapped_column(default=0)
    # Since when a human answers here instead of the model.
    handed_over_at: Mapped[datetime | None]
    # A word of core.reviewing.ReviewState; when it became `done`, the conversation had so many turns.
    review_state: Mapped[str] = mapped_column(String(16), default="new", server_default="new")
    reviewed_seq: Mapped[int] = mapped_column(default=0, server_default="0")
    # The admin who reviews it. No foreign key, as above; admins are never deleted.
    assigned_to: Mapped[str | None] = mapped_column(Id)
    # The admin who has taken over, and since when; empty: nobody (yet). No foreign key, as above.
    taken_by: Mapped[str] = mapped_column(Id, default="", server_default="")
    taken_at: Mapped[datetime | None]
    # When whoever has taken over last did something here.
    operator_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
    # What its turns have been, for the console's list: see core.store.review.facts. Triggers add to it.
    facts: Mapped[int] = mapped_column(default=0, server_default="0")
    models: Mapped[str] = mapped_column(Text, default="", server_default="")
    slowness: Mapped[int] = mapped_column(default=0, server_default="0")


class Turn(Base):
    """A question and its answer. `state`, `attempt` and the lease change only by guarded updates (`turns.py`)."""

    __tablename__ = "turns"
    __table_args__ = (
        UniqueConstraint("conversation_id", "seq"),
        # The database itself keeps two answers of one conversation from being computed at once.
        Index(
            "uq_turns_one_running",
            "conversation_id",
            unique=True,
            **partial_index("state = 'running'"),
        ),
        # What the dispatcher, the reaper and the limits look at; finished turns are not in them.
        Index("ix_turns_open", "state", "ready_at", "id", **partial_index(OPEN_TURN)),
        Index("ix_turns_open_person", "person_id", "state", **partial_index(OPEN_TURN)),
        Index("ix_turns_open_conversation", "conversation_id", "seq", **partial_index(OPEN_TURN)),
        # Partial, so that no plan takes it for the index of a person's open turns.
        Index("ix_turns_history", "person_id", "history_hash", **partial_index(HAS_HISTORY)),
        Index("ix_turns_failed", "conversation_id", **partial_index(FAILED_TURN)),
        Index("ix_turns_ended_person", "person_id", "conversation_id", **partial_index(ENDED_TURN)),
        # What has ended since the rules of the review queues were applied last.
        Index("ix_turns_finished", "finished_at", **partial_index(FINISHED_TURN)),
        # What quotas count.
        Index("ix_turns_asked", "person_id", "created_at", **partial_index(ASKED_TURN)),
        # What is removed by age is walked through by it.
        Index(None, "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    seq: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    question: Mapped[str] = mapped_column(Text, default="")
    answer: Mapped[str] = mapped_column(Text, default="")
    # The admin whose words the answer is; empty: the model's.
    answered_by: Mapped[str] = mapped_column(Id, default="", server_default="")
    thinking: Mapped[str] = mapped_column(Text, default="")
    # What the eyes saw for this answer, of this turn's pictures and of earlier ones; empty text: they could not look.
    # [{"picture": "<key>", "model": "…", "text": "…"}, …]
    observations: Mapped[list[dict[str, Any]]] = mapped_column(default=list, server_default="[]")
    finish_reason: Mapped[str] = mapped_column(String(16), default="")
    error_code: Mapped[str] = mapped_column(String(64), default="")
    error_message: Mapped[str] = mapped_column(Text, default="")
    # Sampling and limits asked for with this turn: see core.inference.port.Sampling.
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # Digest of the conversation up to and with this answer; lets a stateless client find its conversation again.
    history_hash: Mapped[str] = mapped_column(String(64), default="")

    # `attempt` grows with every claim and fences writers; `failures` counts only what went wrong.
    attempt: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    lease_owner: Mapped[str] = mapped_column(String(64), default="")
    lease_until: Mapped[datetime | None]
    not_before: Mapped[datetime | None]
    dispatch_count: Mapped[int] = mapped_column(default=0)
    dispatch_again_at: Mapped[datetime | None]
    cancel_requested: Mapped[bool] = mapped_column(default=False)

    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    ready_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    first_token_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]

    model: Mapped[str] = mapped_column(String(255), default="")
    prompt_tokens: Mapped[int] = mapped_column(default=0)
    picture_tokens: Mapped[int] = mapped_column(default=0)
    cached_tokens: Mapped[int] = mapped_column(default=0)
    completion_tokens: Mapped[int] = mapped_column(default=0)
    # What the token budget left out of the prompt: [{"seq": 1, "what": "text" | "pictures"}, …].
    left_out: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    # What the answer points out in the pictures: see core.conversation.boxes.Box.
    boxes: Mapped[list[dict[str, Any]]] = mapped_column(default=list, server_default="[]")

    # Loaded only by the queries that say so: the queue's own work never looks at them.
    attachments: Mapped[list["Attachment"]] = relationship(
        primaryjoin=_FILES_OF.format(False), order_by="Attachment.position", lazy="raise"
    )
    # What a human answered with.
    answer_pictures: Mapped[list["Attachment"]] = relationship(
        primaryjoin=_FILES_OF.format(True), order_by="Attachment.position", lazy="raise", viewonly=True
    )


class Attachment(Base):
    """One file that came with a question, or a picture that a human answered with (`of_answer`)."""

    __tablename__ = "attachments"
    __table_args__ = (
        UniqueConstraint("turn_id", "position"),
        Index("ix_attachments_pending", "turn_id", **partial_index(PENDING_FILE)),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    turn_id: Mapped[str] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"))
    position: Mapped[int]
    of_answer: Mapped[bool] = mapped_column(default=False, server_default=false())
    state: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(255), default="")
    # Where to fetch it from, in the adapter's own words; empty once the bytes are here.
    source: Mapped[dict[str, Any]] = mapped_column(default=dict)
    blob_key: Mapped[str] = mapped_column(String(64), default="", index=True)
    media_type: Mapped[str] = mapped_column(String(64), default="")
    width: Mapped[int] = mapped_column(default=0)
    height: Mapped[int] = mapped_column(default=0)
    byte_size: Mapped[int] = mapped_column(default=0)
    error_code: Mapped[str] = mapped_column(String(64), default="")
    error_message: Mapped[str] = mapped_column(Text, default="")


class InboundEvent(Base):
    """A platform event that was taken in. Its key makes a repeated event harmless."""

    __tablename__ = "inbound_events"
    __table_args__ = (
        UniqueConstraint("platform", "event_key"),
        # Of those whose turn is gone, or that never were one.
        Index("ix_inbound_events_forgotten", "received_at", "id", **partial_index("turn_id IS NULL")),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    platform: Mapped[str] = mapped_column(String(16))
    event_key: Mapped[str] = mapped_column(String(255))
    # Digest of what the event said, where its sender chooses the keys and could use one twice; else empty.
    content_hash: Mapped[str] = mapped_column(String(64), default="")
    # Checked at the commit, so that the key can be taken before the turn exists.
    turn_id: Mapped[str | None] = mapped_column(
        ForeignKey("turns.id", ondelete="CASCADE", deferrable=True, initially="DEFERRED"), index=True
    )
    received_at: Mapped[datetime] = mapped_column(default=utc_now)


class Delivery(Base):
    """Outbox: something that a platform must be told exactly once."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("turn_id", "kind"),
        Index(
            "ix_deliveries_open",
            "platform",
            "created_at",
            **partial_index("state IN ('pending', 'sending')"),
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    turn_id: Mapped[str] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"))
    platform: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), default="pending")
    attempts: Mapped[int] = mapped_column(default=0)
    lease_owner: Mapped[str] = mapped_column(String(64), default="")
    lease_until: Mapped[datetime | None]
    not_before: Mapped[datetime | None]
    # Another delivery, which comes first: what is said in a chat keeps its order. No foreign key, as above.
    after_id: Mapped[str | None] = mapped_column(Id)
    # Where on the platform to answer, in the adapter's own words.
    target: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    # The platform's id of the message that shows the answer.
    external_id: Mapped[str] = mapped_column(String(255), default="")
    error_message: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    sent_at: Mapped[datetime | None]


class Post(Base):
    """A message of ours on a platform, which shows a part of an answer."""

    __tablename__ = "posts"
    __table_args__ = (UniqueConstraint("delivery_id", "position"), Index(None, "external_id"))

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    delivery_id: Mapped[str] = mapped_column(ForeignKey("deliveries.id", ondelete="CASCADE"))
    position: Mapped[int]
    # The platform's id; empty from the moment before it is sent until the platform has answered.
    external_id: Mapped[str] = mapped_column(String(255), default="")
    # The platform has shown all of this part.
    complete: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
