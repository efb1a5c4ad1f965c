"""Admins of the review console, what they may read, their sessions, and the audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# The database itself keeps the audit log: it refuses to change or remove what is in it.
_SQLITE = [
    f"CREATE TRIGGER audit_log_no_{word.lower()} BEFORE {word} ON audit_log "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
    for word in ("UPDATE", "DELETE")
]
_POSTGRESQL = [
    "CREATE FUNCTION glimt_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$",
    "CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log "
    "FOR EACH STATEMENT EXECUTE FUNCTION glimt_append_only()",
]


def upgrade() -> None:
    op.create_table(
        "admins",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("email", sa.String(255), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("everywhere", sa.Boolean(), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("issuer", sa.String(255), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True)),
        sa.Column("signed_in_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_admins"),
        sa.UniqueConstraint("name", name="uq_admins_name"),
    )
    _partial("uq_admins_email", "admins", ["email"], "email <> ''", unique=True)
    _partial("uq_admins_subject", "admins", ["issuer", "subject"], "subject <> ''", unique=True)
    op.create_table(
        "admin_grants",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("admin_id", sa.String(32), nullable=False),
        sa.Column("workspace_id", sa.String(32), nullable=False),
        sa.Column("place_id", sa.String(32)),
        _of_admin("admin_grants"),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name="fk_admin_grants_workspace_id_workspaces", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["place_id"], ["places.id"], name="fk_admin_grants_place_id_places", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_admin_grants"),
        sa.UniqueConstraint(
            "admin_id", "workspace_id", "place_id", name="uq_admin_grants_admin_id_workspace_id_place_id"
        ),
    )
    op.create_table(
        "admin_sessions",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("admin_id", sa.String(32), nullable=False),
        sa.Column("method", sa.String(16), nullable=False),
        sa.Column("browser", sa.String(200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        _of_admin("admin_sessions"),
        sa.PrimaryKeyConstraint("id", name="pk_admin_sessions"),
        sa.UniqueConstraint("token_hash", name="uq_admin_sessions_token_hash"),
    )
    op.create_index("ix_admin_sessions_admin_id", "admin_sessions", ["admin_id"])
    op.create_table(
        "admin_links",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("admin_id", sa.String(32), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        _of_admin("admin_links"),
        sa.PrimaryKeyConstraint("id", name="pk_admin_links"),
        sa.UniqueConstraint("token_hash", name="uq_admin_links_token_hash"),
    )
    op.create_table(
        "admin_pending",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_admin_pending"),
        sa.UniqueConstraint("token_hash", name="uq_admin_pending_token_hash"),
    )
    op.create_table(
        "audit_log",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("admin_id", sa.String(32), nullable=False),
        sa.Column("admin_name", sa.String(100), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("conversation_id", sa.String(32), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_log"),
    )
    op.create_index("ix_audit_log_admin_name_id", "audit_log", ["admin_name", "id"])
    op.create_index("ix_audit_log_action_id", "audit_log", ["action", "id"])
    _partial("ix_audit_log_conversation", "audit_log", ["conversation_id", "id"], "conversation_id <> ''")
    connection = op.get_bind()
    for statement in _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    for table in ("audit_log", "admin_pending", "admin_links", "admin_sessions", "admin_grants", "admins"):
        op.drop_table(table)
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql("DROP FUNCTION glimt_append_only")


def _of_admin(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["admin_id"], ["admins.id"], name=f"fk_{table}_admin_id_admins", ondelete="CASCADE")


def _partial(name: str, table: str, columns: list[str], condition: str, *, unique: bool = False) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)
