"""The first tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

OPEN_TURN = "state IN ('gathering', 'ready', 'running')"
# In the order in which they can be dropped.
TABLES = (
    "inbound_events",
    "feedback",
    "deliveries",
    "attachments",
    "web_sessions",
    "turns",
    "conversations",
    "api_keys",
    "people",
    "workspaces",
    "usage",
)


def text(name: str, length: int | None = None, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length) if length else sa.Text(), nullable=nullable)


def integer(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def time(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def primary_key(table: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}"))


def unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))


def belongs_to(table: str, column: str, other: str, **options: Any) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete="CASCADE", **options)


def only(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    op.create_table(
        "usage",
        text("id", 32),
        text("workspace_id", 32),
        text("person_id", 32),
        text("turn_id", 32),
        integer("attempt"),
        text("model", 255),
        integer("prompt_tokens"),
        integer("picture_tokens"),
        integer("cached_tokens"),
        integer("completion_tokens"),
        sa.Column("engine_s", sa.Double(), nullable=False),
        time("created_at"),
        primary_key("usage"),
        unique("usage", "turn_id", "attempt"),
    )
    op.create_index("ix_usage_workspace_id_created_at", "usage", ["workspace_id", "created_at"])
    op.create_table(
        "workspaces",
        text("id", 32),
        text("platform", 16),
        text("external_id", 255),
        text("name", 255),
        time("created_at"),
        primary_key("workspaces"),
        unique("workspaces", "platform", "external_id"),
    )
    op.create_table(
        "people",
        text("id", 32),
        text("workspace_id", 32),
        text("external_id", 255),
        text("display_name", 255),
        text("locale", 16),
        time("created_at"),
        belongs_to("people", "workspace_id", "workspaces"),
        primary_key("people"),
        unique("people", "workspace_id", "external_id"),
    )
    op.create_table(
        "api_keys",
        text("id", 32),
        text("name", 100),
        text("key_hash", 64),
        text("person_id", 32),
        time("created_at"),
        time("last_used_at", nullable=True),
        time("revoked_at", nullable=True),
        belongs_to("api_keys", "person_id", "people"),
        primary_key("api_keys"),
        unique("api_keys", "key_hash"),
        unique("api_keys", "name"),
    )
    op.create_table(
        "conversations",
        text("id", 32),
        text("workspace_id", 32),
        text("person_id", 32),
        text("external_id", 255),
        text("title", 200),
        text("system_prompt"),
        integer("last_seq"),
        time("created_at"),
        time("updated_at"),
        belongs_to("conversations", "person_id", "people"),
        belongs_to("conversations", "workspace_id", "workspaces"),
        primary_key("conversations"),
        unique("conversations", "workspace_id", "external_id"),
    )
    op.create_index("ix_conversations_person_id_updated_at_id", "conversations", ["person_id", "updated_at", "id"])
    op.create_table(
        "turns",
        text("id", 32),
        text("conversation_id", 32),
        text("person_id", 32),
        integer("seq"),
        text("state", 16),
        text("question"),
        text("answer"),
        text("thinking"),
        text("finish_reason", 16),
        text("error_code", 64),
        text("error_message"),
        sa.Column("options", sa.JSON(), nullable=False),
        text("history_hash", 64),
        integer("attempt"),
        integer("failures"),
        text("lease_owner", 64),
        time("lease_until", nullable=True),
        time("not_before", nullable=True),
        integer("dispatch_count"),
        time("dispatch_again_at", nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        time("created_at"),
        time("ready_at", nullable=True),
        time("started_at", nullable=True),
        time("first_token_at", nullable=True),
        time("finished_at", nullable=True),
        time("delivered_at", nullable=True),
        text("model", 255),
        integer("prompt_tokens"),
        integer("picture_tokens"),
        integer("cached_tokens"),
        integer("completion_tokens"),
        sa.Column("left_out", sa.JSON(), nullable=False),
        belongs_to("turns", "conversation_id", "conversations"),
        belongs_to("turns", "person_id", "people"),
        primary_key("turns"),
        unique("turns", "conversation_id", "seq"),
    )
    op.create_index("ix_turns_open", "turns", ["state", "ready_at", "id"], **only(OPEN_TURN))
    op.create_index("ix_turns_open_conversation", "turns", ["conversation_id", "seq"], **only(OPEN_TURN))
    op.create_index("ix_turns_open_person", "turns", ["person_id", "state"], **only(OPEN_TURN))
    op.create_index("ix_turns_history", "turns", ["person_id", "history_hash"], **only("history_hash <> ''"))
    op.create_index("uq_turns_one_running", "turns", ["conversation_id"], unique=True, **only("state = 'running'"))
    op.create_table(
        "web_sessions",
        text("id", 32),
        text("token_hash", 64),
        text("person_id", 32),
        text("api_key_id", 32, nullable=True),
        time("created_at"),
        time("expires_at"),
        belongs_to("web_sessions", "api_key_id", "api_keys"),
        belongs_to("web_sessions", "person_id", "people"),
        primary_key("web_sessions"),
        unique("web_sessions", "token_hash"),
    )
    op.create_table(
        "attachments",
        text("id", 32),
        text("turn_id", 32),
        integer("position"),
        text("state", 16),
        text("name", 255),
        sa.Column("source", sa.JSON(), nullable=False),
        text("blob_key", 64),
        text("media_type", 64),
        integer("width"),
        integer("height"),
        integer("byte_size"),
        text("error_code", 64),
        text("error_message"),
        belongs_to("attachments", "turn_id", "turns"),
        primary_key("attachments"),
        unique("attachments", "turn_id", "position"),
    )
    op.create_index("ix_attachments_blob_key", "attachments", ["blob_key"])
    op.create_table(
        "deliveries",
        text("id", 32),
        text("turn_id", 32),
        text("platform", 16),
        text("kind", 16),
        text("state", 16),
        integer("attempts"),
        text("lease_owner", 64),
        time("lease_until", nullable=True),
        time("not_before", nullable=True),
        text("external_id", 255),
        text("error_message"),
        time("created_at"),
        time("sent_at", nullable=True),
        belongs_to("deliveries", "turn_id", "turns"),
        primary_key("deliveries"),
        unique("deliveries", "turn_id", "kind"),
    )
    op.create_index(
        "ix_deliveries_open", "deliveries", ["platform", "created_at"], **only("state IN ('pending', 'sending')")
    )
    op.create_table(
        "feedback",
        text("id", 32),
        text("turn_id", 32),
        text("person_id", 32),
        integer("rating"),
        text("reason"),
        time("created_at"),
        belongs_to("feedback", "person_id", "people"),
        belongs_to("feedback", "turn_id", "turns"),
        primary_key("feedback"),
        unique("feedback", "turn_id", "person_id"),
    )
    op.create_table(
        "inbound_events",
        text("id", 32),
        text("platform", 16),
        text("event_key", 255),
        text("content_hash", 64),
        text("turn_id", 32, nullable=True),
        time("received_at"),
        belongs_to("inbound_events", "turn_id", "turns", deferrable=True, initially="DEFERRED"),
        primary_key("inbound_events"),
        unique("inbound_events", "platform", "event_key"),
    )
    op.create_index("ix_inbound_events_turn_id", "inbound_events", ["turn_id"])


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
