"""Reviewing: flags, labels, notes, corrections, judgements, states, and queues that rules fill."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_TABLES = (
    "review_queue_claims",
    "review_queue_items",
    "review_queues",
    "judgements",
    "corrections",
    "turn_notes",
    "turn_labels",
    "labels",
    "turn_flags",
)
# On tables that were there: name → (table, columns, condition).
_INDEXES: dict[str, tuple[str, list[str], str]] = {
    # Nearly all are new, and an index of those would only cost.
    "ix_conversations_reviewed": ("conversations", ["review_state", "updated_at", "id"], "review_state <> 'new'"),
    "ix_conversations_assigned": ("conversations", ["assigned_to", "updated_at", "id"], "assigned_to IS NOT NULL"),
    "ix_turns_finished": ("turns", ["finished_at"], "finished_at IS NOT NULL"),
    "ix_feedback_bad": ("feedback", ["created_at"], "rating < 0"),
}


def upgrade() -> None:
    op.add_column("conversations", sa.Column("review_state", sa.String(16), nullable=False, server_default="new"))
    op.add_column("conversations", sa.Column("reviewed_seq", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("conversations", sa.Column("assigned_to", sa.String(32)))
    for name, (table, columns, condition) in _INDEXES.items():
        _index(name, table, columns, condition)
    _of_turn("turn_flags", _text("reason"), _time("at"), unique=["turn_id", "admin_id"])
    op.create_index("ix_turn_flags_at", "turn_flags", ["at"])
    op.create_table(
        "labels",
        _id(),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("folded", sa.String(128), nullable=False),
        _time("created_at"),
        _time("retired_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_labels"),
        sa.UniqueConstraint("folded", name="uq_labels_folded"),
    )
    _of_turn(
        "turn_labels",
        sa.Column("label_id", sa.String(32), nullable=False),
        _time("at"),
        sa.ForeignKeyConstraint(["label_id"], ["labels.id"], name="fk_turn_labels_label_id_labels"),
        unique=["turn_id", "label_id", "admin_id"],
    )
    op.create_index("ix_turn_labels_label_id_at", "turn_labels", ["label_id", "at"])
    _of_turn("turn_notes", _text("text"), _time("at"), _time("edited_at", nullable=True))
    _of_turn("corrections", _text("text"), _time("at"))
    for table in ("turn_notes", "corrections"):
        op.create_index(f"ix_{table}_turn_id_id", table, ["turn_id", "id"])
    verdict = sa.Column("verdict", sa.String(16), nullable=False)
    _of_turn("judgements", verdict, _time("at"), unique=["turn_id", "admin_id"])
    _queues()


def _queues() -> None:
    op.create_table(
        "review_queues",
        _id(),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("folded", sa.String(128), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("workspace_id", sa.String(32)),
        sa.Column("judges", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        _time("created_at"),
        _time("since"),
        _time("filled_until"),
        _to("review_queues", "workspace_id", "workspaces", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_review_queues"),
        sa.UniqueConstraint("folded", name="uq_review_queues_folded"),
    )
    items = "review_queue_items"
    op.create_table(
        items,
        _id(),
        sa.Column("queue_id", sa.String(32), nullable=False),
        sa.Column("turn_id", sa.String(32), nullable=False),
        sa.Column("why", sa.String(200), nullable=False),
        _time("added_at"),
        _time("done_at", nullable=True),
        _to(items, "queue_id", "review_queues", ondelete="CASCADE"),
        _to(items, "turn_id", "turns", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_review_queue_items"),
        sa.UniqueConstraint("queue_id", "turn_id", name="uq_review_queue_items_queue_id_turn_id"),
    )
    op.create_index("ix_review_queue_items_turn_id", items, ["turn_id"])
    _index("ix_review_queue_items_open", items, ["queue_id", "id"], "done_at IS NULL")
    op.create_index("ix_review_queue_items_queue_id_done_at", items, ["queue_id", "done_at"])
    claims = "review_queue_claims"
    op.create_table(
        claims,
        sa.Column("item_id", sa.String(32), nullable=False),
        sa.Column("admin_id", sa.String(32), nullable=False),
        _time("until"),
        _time("done_at", nullable=True),
        _to(claims, "item_id", items, ondelete="CASCADE"),
        _to(claims, "admin_id", "admins"),
        sa.PrimaryKeyConstraint("item_id", "admin_id", name="pk_review_queue_claims"),
    )


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)
    for name, (table, _, _) in _INDEXES.items():
        op.drop_index(name, table)
    for column in ("review_state", "reviewed_seq", "assigned_to"):
        op.drop_column("conversations", column)


def _of_turn(table: str, *more: Any, unique: list[str] | None = None) -> None:
    """Something that an admin says about a turn."""
    names = [sa.UniqueConstraint(*unique, name=f"uq_{table}_{'_'.join(unique)}")] if unique else []
    op.create_table(
        table,
        _id(),
        sa.Column("turn_id", sa.String(32), nullable=False),
        sa.Column("admin_id", sa.String(32), nullable=False),
        *more,
        _to(table, "turn_id", "turns", ondelete="CASCADE"),
        _to(table, "admin_id", "admins"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        *names,
    )


def _id() -> sa.Column[Any]:
    return sa.Column("id", sa.String(32), nullable=False)


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=False)


def _time(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _to(table: str, column: str, other: str, *, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk_{table}_{column}_{other}", ondelete=ondelete)


def _index(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition) if condition else None
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
