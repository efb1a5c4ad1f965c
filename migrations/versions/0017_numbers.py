"""Numbers of the overview: what was counted of each day, and triggers that say which days to count again.

A day is counted half an hour after its end at the earliest, with all that its turns have become by then. Whatever
happens to a turn within a quarter of an hour after it was asked is therefore counted anyway; later changes, whoever
makes them, leave a mark in `numbers_stale`.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_LATE = "created_at < strftime('%Y-%m-%d %H:%M:%f', 'now', '-15 minutes')"
_QUARTER = "strftime('%Y-%m-%d %H:', {at}) || printf('%02d:00.000000', CAST(strftime('%M', {at}) AS INTEGER) / 15 * 15)"


def _sqlite_mark(at: str) -> str:
    quarter = _QUARTER.format(at=at)
    return (
        f"INSERT INTO numbers_stale (at) SELECT {quarter} "
        f"WHERE NOT EXISTS (SELECT 1 FROM numbers_stale WHERE at = {quarter})"
    )


def _sqlite_of_feedback(row: str) -> str:
    quarter = _QUARTER.format(at="t.created_at")
    return (
        f"INSERT INTO numbers_stale (at) SELECT {quarter} FROM turns t WHERE t.id = {row}.turn_id AND t.{_LATE} "
        f"AND NOT EXISTS (SELECT 1 FROM numbers_stale WHERE at = {quarter})"
    )


_SQLITE = {
    "numbers_turn_insert": f"AFTER INSERT ON turns WHEN new.{_LATE} BEGIN {_sqlite_mark('new.created_at')}; END",
    "numbers_turn_update": f"AFTER UPDATE OF state ON turns WHEN old.state IS NOT new.state AND new.{_LATE} "
    f"BEGIN {_sqlite_mark('new.created_at')}; END",
    "numbers_turn_delete": f"AFTER DELETE ON turns WHEN old.{_LATE} BEGIN {_sqlite_mark('old.created_at')}; END",
    "numbers_feedback_insert": f"AFTER INSERT ON feedback BEGIN {_sqlite_of_feedback('new')}; END",
    "numbers_feedback_update": "AFTER UPDATE OF rating ON feedback WHEN old.rating IS NOT new.rating "
    f"BEGIN {_sqlite_of_feedback('new')}; END",
    "numbers_feedback_delete": f"AFTER DELETE ON feedback BEGIN {_sqlite_of_feedback('old')}; END",
}
_FUNCTIONS = {
    # Two that mark the same at once leave two marks, which does no harm; nobody waits for anybody.
    "glimt_numbers_mark(asked timestamptz)": """RETURNS void LANGUAGE plpgsql AS $$
        DECLARE quarter timestamptz := to_timestamp(floor(extract(epoch FROM asked) / 900) * 900);
        BEGIN
            IF asked < now() - interval '15 minutes'
                AND NOT EXISTS (SELECT 1 FROM numbers_stale WHERE at = quarter) THEN
                INSERT INTO numbers_stale (at) VALUES (quarter);
            END IF;
        END
    $$""",
    "glimt_numbers_turn()": """RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' THEN
                PERFORM glimt_numbers_mark(OLD.created_at);
            ELSE
                PERFORM glimt_numbers_mark(NEW.created_at);
            END IF;
            RETURN NULL;
        END
    $$""",
    "glimt_numbers_feedback()": """RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE judged varchar;
        BEGIN
            IF TG_OP = 'DELETE' THEN judged := OLD.turn_id; ELSE judged := NEW.turn_id; END IF;
            PERFORM glimt_numbers_mark(created_at) FROM turns WHERE id = judged;
            RETURN NULL;
        END
    $$""",
}
_NOW = "now() - interval '15 minutes'"
_POSTGRESQL = {
    ("turns", "numbers_turn_insert"): f"AFTER INSERT ON turns FOR EACH ROW WHEN (NEW.created_at < {_NOW})",
    ("turns", "numbers_turn_update"): "AFTER UPDATE OF state ON turns FOR EACH ROW "
    f"WHEN (OLD.state IS DISTINCT FROM NEW.state AND NEW.created_at < {_NOW})",
    ("turns", "numbers_turn_delete"): f"AFTER DELETE ON turns FOR EACH ROW WHEN (OLD.created_at < {_NOW})",
    ("feedback", "numbers_feedback_insert"): "AFTER INSERT ON feedback FOR EACH ROW",
    ("feedback", "numbers_feedback_update"): "AFTER UPDATE OF rating ON feedback FOR EACH ROW "
    "WHEN (OLD.rating IS DISTINCT FROM NEW.rating)",
    ("feedback", "numbers_feedback_delete"): "AFTER DELETE ON feedback FOR EACH ROW",
}
_COUNTS = ("questions", "answered", "failed", "cancelled", "handed_over", "good", "bad")
_TOKENS = ("prompt_tokens", "picture_tokens", "cached_tokens", "completion_tokens")
_TABLES = ("numbers_stale", "numbers_people", "numbers_daily", "numbers_days", "numbers_zone")


def upgrade() -> None:
    op.create_table(
        "numbers_zone",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_numbers_zone"),
    )
    op.create_table(
        "numbers_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_numbers_days"),
    )
    op.create_table(
        "numbers_daily",
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kept", sa.Boolean(), nullable=False),
        sa.Column("workspace_id", sa.String(32), nullable=False),
        sa.Column("place_id", sa.String(32), nullable=False),
        sa.Column("model", sa.String(255), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _COUNTS),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in _TOKENS),
        sa.Column("engine_s", sa.Double(), nullable=False),
        *(sa.Column(name, sa.JSON(), nullable=False) for name in ("queue", "first", "total")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name="fk_numbers_daily_workspace_id_workspaces", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("whole", "day", "kept", "workspace_id", "place_id", "model", name="pk_numbers_daily"),
    )
    op.create_table(
        "numbers_people",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("workspace_id", sa.String(32), nullable=False),
        sa.Column("person_id", sa.String(32), nullable=False),
        sa.Column("place_id", sa.String(32), nullable=False),
        sa.Column("model", sa.String(255), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _COUNTS[:3]),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in (_TOKENS[0], _TOKENS[3])),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name="fk_numbers_people_person_id_people", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("day", "workspace_id", "person_id", "place_id", "model", name="pk_numbers_people"),
    )
    op.create_index("ix_numbers_people_person_id", "numbers_people", ["person_id"])
    op.create_table(
        "numbers_stale",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_numbers_stale"),
    )
    op.create_index("ix_numbers_stale_at", "numbers_stale", ["at"])
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        for name, body in _SQLITE.items():
            connection.exec_driver_sql(f"CREATE TRIGGER {name} {body}")
        return
    for name, body in _FUNCTIONS.items():
        connection.exec_driver_sql(f"CREATE FUNCTION {name} {body}")
    for (table, name), body in _POSTGRESQL.items():
        connection.exec_driver_sql(f"CREATE TRIGGER {name} {body} EXECUTE FUNCTION glimt_numbers_{table.rstrip('s')}()")


def downgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        for name in _SQLITE:
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
    else:
        for table, name in _POSTGRESQL:
            connection.exec_driver_sql(f"DROP TRIGGER {name} ON {table}")
        for name in reversed(_FUNCTIONS):
            connection.exec_driver_sql(f"DROP FUNCTION {name.partition('(')[0]}")
    for table in _TABLES:
        op.drop_table(table)
