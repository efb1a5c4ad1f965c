"""Removal by age: rules, holds, runs, and the one way by which old entries leave the audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# What follows is the door: an entry goes only if it is older than what a row of audit_removals says, and no such row
# may name the last 30 days, or be changed or removed itself.
_SQLITE = [
    "DROP TRIGGER audit_log_no_delete",
    "CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log "
    "WHEN old.at >= coalesce((SELECT max(before) FROM audit_removals), '') "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
    "CREATE TRIGGER audit_removals_floor BEFORE INSERT ON audit_removals "
    "WHEN julianday(new.before) IS NULL OR julianday(new.before) > julianday('now') - 30 "
    "BEGIN SELECT RAISE(ABORT, 'the last 30 days of the audit log cannot be removed'); END",
    *(
        f"CREATE TRIGGER audit_removals_no_{word.lower()} BEFORE {word} ON audit_removals "
        "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
        for word in ("UPDATE", "DELETE")
    ),
]
_POSTGRESQL = [
    "DROP TRIGGER audit_log_append_only ON audit_log",
    "CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR TRUNCATE ON audit_log "
    "FOR EACH STATEMENT EXECUTE FUNCTION glimt_append_only()",
    """CREATE FUNCTION glimt_audit_door() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (SELECT FROM audit_removals WHERE before > OLD.at) THEN
                RETURN OLD;
            END IF;
            RAISE EXCEPTION 'the audit log is append-only';
        END
    $$""",
    "CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION glimt_audit_door()",
    """CREATE FUNCTION glimt_audit_floor() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.before > now() - interval '30 days' THEN
                RAISE EXCEPTION 'the last 30 days of the audit log cannot be removed';
            END IF;
            RETURN NEW;
        END
    $$""",
    "CREATE TRIGGER audit_removals_floor BEFORE INSERT ON audit_removals "
    "FOR EACH ROW EXECUTE FUNCTION glimt_audit_floor()",
    "CREATE TRIGGER audit_removals_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_removals "
    "FOR EACH STATEMENT EXECUTE FUNCTION glimt_append_only()",
]
_BACK_SQLITE = [
    "DROP TRIGGER audit_log_no_delete",
    "CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
]
_BACK_POSTGRESQL = [
    "DROP TRIGGER audit_log_no_delete ON audit_log",
    "DROP TRIGGER audit_log_append_only ON audit_log",
    "CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log "
    "FOR EACH STATEMENT EXECUTE FUNCTION glimt_append_only()",
    "DROP FUNCTION glimt_audit_door",
]


def upgrade() -> None:
    op.create_table(
        "retention_rules",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("workspace_id", sa.String(32)),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("days", sa.Integer()),
        sa.Column("set_by", sa.String(100), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("shown", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name="fk_retention_rules_workspace_id_workspaces", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_retention_rules"),
        sa.UniqueConstraint("workspace_id", "what", name="uq_retention_rules_workspace_id_what"),
    )
    _partial("uq_retention_rules_default", "retention_rules", ["what"], "workspace_id IS NULL", unique=True)
    op.create_table(
        "conversation_holds",
        sa.Column("conversation_id", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("held_by", sa.String(100), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name="fk_conversation_holds_conversation_id_conversations",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("conversation_id", name="pk_conversation_holds"),
    )
    op.create_table(
        "retention_runs",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("running", sa.String(4)),
        sa.Column("asked_by", sa.String(100), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("lease_owner", sa.String(64), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("cursor", sa.String(100), nullable=False),
        sa.Column("removed", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_retention_runs"),
        sa.UniqueConstraint("running", name="uq_retention_runs_running"),
    )
    op.create_index("ix_retention_runs_finished_at", "retention_runs", ["finished_at"])
    op.create_table(
        "audit_removals",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("admin_name", sa.String(100), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_removals"),
    )
    # The defaults are for the rows that are there, and for a process of the version before that still runs.
    op.add_column("audit_log", sa.Column("person_id", sa.String(32), nullable=False, server_default=""))
    _partial("ix_audit_log_person", "audit_log", ["person_id", "id"], "person_id <> ''")
    op.add_column("erasures", sa.Column("kind", sa.String(16), nullable=False, server_default="person"))
    op.add_column("erasures", sa.Column("conversation_id", sa.String(32), nullable=False, server_default=""))
    op.create_index("ix_turns_created_at_id", "turns", ["created_at", "id"])
    _partial("ix_inbound_events_forgotten", "inbound_events", ["received_at", "id"], "turn_id IS NULL")
    _run(_SQLITE, _POSTGRESQL)


def downgrade() -> None:
    _run(_BACK_SQLITE, _BACK_POSTGRESQL)
    op.drop_index("ix_inbound_events_forgotten", "inbound_events")
    op.drop_index("ix_turns_created_at_id", "turns")
    op.drop_column("erasures", "conversation_id")
    op.drop_column("erasures", "kind")
    op.drop_index("ix_audit_log_person", "audit_log")
    op.drop_column("audit_log", "person_id")
    for table in ("audit_removals", "retention_runs", "conversation_holds", "retention_rules"):
        op.drop_table(table)
    _run([], ["DROP FUNCTION glimt_audit_floor"])


def _run(sqlite: list[str], postgresql: list[str]) -> None:
    connection = op.get_bind()
    for statement in sqlite if connection.dialect.name == "sqlite" else postgresql:
        connection.exec_driver_sql(statement)


def _partial(name: str, table: str, columns: list[str], condition: str, *, unique: bool = False) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)
