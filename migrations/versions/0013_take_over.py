"""Taking over: who answers in a conversation, which answers are a human's, and the pictures that belong to them."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# All of them have a constant default, so that no row is rewritten.
_COLUMNS: tuple[tuple[str, sa.Column[object]], ...] = (
    ("conversations", sa.Column("taken_by", sa.String(32), nullable=False, server_default="")),
    ("conversations", sa.Column("taken_at", sa.DateTime(timezone=True))),
    ("conversations", sa.Column("operator_at", sa.DateTime(timezone=True))),
    ("turns", sa.Column("answered_by", sa.String(32), nullable=False, server_default="")),
    ("attachments", sa.Column("of_answer", sa.Boolean(), nullable=False, server_default=sa.false())),
    ("deliveries", sa.Column("after_id", sa.String(32))),
)
_INDEXES = (
    ("ix_conversations_handed_over", "conversations", ["handed_over_at", "id"], "handed_over_at IS NOT NULL"),
    ("ix_conversations_taken", "conversations", ["operator_at"], "taken_by <> ''"),
    ("ix_attachments_pending", "attachments", ["turn_id"], "state = 'pending'"),
)


def upgrade() -> None:
    for table, column in _COLUMNS:
        op.add_column(table, column)
    for name, table, columns, condition in _INDEXES:
        where = sa.text(condition)
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name, table, _, _ in _INDEXES:
        op.drop_index(name, table)
    for table, column in reversed(_COLUMNS):
        op.drop_column(table, column.name)
