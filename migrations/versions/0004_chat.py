"""What chat platforms need: places, languages, hand-over, where answers go and by which messages, erasures."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "places",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("workspace_id", sa.String(32), nullable=False),
        sa.Column("external_id", sa.String(255), nullable=False),
        sa.Column("persona", sa.String(32), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name="fk_places_workspace_id_workspaces", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_places"),
        sa.UniqueConstraint("workspace_id", "external_id", name="uq_places_workspace_id_external_id"),
    )
    op.create_table(
        "posts",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("delivery_id", sa.String(32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.String(255), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.id"], name="fk_posts_delivery_id_deliveries", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_posts"),
        sa.UniqueConstraint("delivery_id", "position", name="uq_posts_delivery_id_position"),
    )
    op.create_index("ix_posts_external_id", "posts", ["external_id"])
    op.create_table(
        "erasures",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("workspace_id", sa.String(32), nullable=False),
        sa.Column("person_id", sa.String(32), nullable=False),
        sa.Column("turns", sa.Integer(), nullable=False),
        sa.Column("conversations", sa.Integer(), nullable=False),
        sa.Column("pictures", sa.Integer(), nullable=False),
        sa.Column("blobs_left", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_erasures"),
    )
    op.create_index("ix_erasures_done_at", "erasures", ["done_at"])
    # The defaults are for the rows that are there, and for a process of the version before that still runs.
    op.add_column("people", sa.Column("language", sa.String(16), nullable=False, server_default=""))
    op.add_column("deliveries", sa.Column("target", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("conversations", sa.Column("handed_over_at", sa.DateTime(timezone=True)))
    op.add_column("conversations", sa.Column("place_id", sa.String(32)))


def downgrade() -> None:
    op.drop_column("conversations", "place_id")
    op.drop_column("conversations", "handed_over_at")
    op.drop_column("deliveries", "target")
    op.drop_column("people", "language")
    for table in ("erasures", "posts", "places"):
        op.drop_table(table)
