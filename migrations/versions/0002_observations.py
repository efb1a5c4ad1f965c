"""What the eyes saw, with the turn that they looked for."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The default fills the rows that are there; it stays, since SQLite cannot drop one without copying the table.
    op.add_column("turns", sa.Column("observations", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("turns", "observations")
