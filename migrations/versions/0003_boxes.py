"""Boxes that an answer points out."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The default is for the rows that are there, and for a process of the version before that still runs.
    op.add_column("turns", sa.Column("boxes", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("turns", "boxes")
