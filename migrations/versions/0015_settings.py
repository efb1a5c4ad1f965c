"""What admins decide in the console, and what counts a person's questions and tokens quickly."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# Always true, so that only the query that says it takes this index.
_ASKED = "seq > 0"


def upgrade() -> None:
    op.create_table(
        "settings_versions",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("target_id", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("admin_id", sa.String(32), nullable=False),
        sa.Column("admin_name", sa.String(100), nullable=False),
        sa.Column("comment", sa.String(300), nullable=False),
        sa.Column("undone_from", sa.Integer()),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_settings_versions"),
        sa.UniqueConstraint("level", "target_id", "version", name="uq_settings_versions_level_target_id_version"),
    )
    where = sa.text(_ASKED)
    op.create_index("ix_turns_asked", "turns", ["person_id", "created_at"], sqlite_where=where, postgresql_where=where)
    op.create_index("ix_usage_person_id_created_at", "usage", ["person_id", "created_at"])
    op.create_index("ix_usage_workspace", "usage", ["workspace_id", "created_at", "prompt_tokens", "completion_tokens"])
    op.drop_index("ix_usage_workspace_id_created_at", "usage")


def downgrade() -> None:
    op.create_index("ix_usage_workspace_id_created_at", "usage", ["workspace_id", "created_at"])
    op.drop_index("ix_usage_workspace", "usage")
    op.drop_index("ix_usage_person_id_created_at", "usage")
    op.drop_index("ix_turns_asked", "turns")
    op.drop_table("settings_versions")
