"""Facts of conversations that the console's list is filtered by, and an index of words by time.

Whether a conversation has a turn of some kind is noted on its row, so that the list reads an index of those in order,
however few or many there are. Notes are only ever added: that a turn is (still) of that kind is looked up in the turns.
Triggers keep them, whoever writes. What the numbers mean is `core/store/review/facts.py`.

People are found by any part of their name over pairs of its characters.

PostgreSQL's index of words gets a word more, the stretch of time that a turn is of, so that the latest turns with a
word are found without all the earlier ones.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_INDEXES: dict[str, tuple[list[str], str | None]] = {
    # Not in the list's order, which would have every turn write to it.
    "ix_conversations_models": (["models"], None),
    "ix_conversations_facts": (["facts", "updated_at", "id"], "facts & 55 > 0"),
    "ix_conversations_slowness": (["slowness", "updated_at", "id"], "slowness >= 9"),
}
# Seconds from question to answer from which on a turn is one step slower.
_PACES = (1, 2, 3, 5, 7, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1800, 3600, 86400)
_MODELS_CHARS = 500


def _slowness(seconds: str) -> str:
    steps = [f"WHEN {seconds} >= {pace} THEN {step}" for step, pace in reversed([*enumerate(_PACES, 1)])]
    return f"CASE {' '.join(steps)} ELSE 0 END"


def _facts(state: str) -> str:
    return f"CASE {state} WHEN 'failed' THEN 1 WHEN 'cancelled' THEN 2 WHEN 'handed_over' THEN 4 ELSE 0 END"


def _thumb(rating: str) -> str:
    return f"CASE WHEN {rating} > 0 THEN 16 ELSE 32 END"


def _models(model: str, line: str, find: str) -> str:
    return (
        f"CASE WHEN {model} = '' OR models = '*' OR {find} > 0 THEN models WHEN models = '' THEN {model} "
        f"WHEN length(models) + length({model}) > {_MODELS_CHARS} THEN '*' ELSE models || {line} || {model} END"
    )


def _add(facts: str, slowness: str, models: str, greatest: str) -> str:
    return (
        f"UPDATE conversations SET facts = facts | ({facts}), slowness = {greatest}(slowness, {slowness}), "
        f"models = {models} WHERE id = new.conversation_id "
        f"AND (facts | ({facts}) <> facts OR {slowness} > slowness OR {models} <> models);"
    )


def _add_bit(bit: str) -> str:
    return (
        f"UPDATE conversations SET facts = facts | {bit} "
        f"WHERE id = (SELECT conversation_id FROM turns WHERE id = new.turn_id) AND facts & {bit} = 0;"
    )


_STATE_SEES = "new.state IN ('failed', 'cancelled', 'handed_over')"
_INSERTED = f"{_STATE_SEES} OR new.model <> '' OR new.finished_at IS NOT NULL"
_CHANGED = (
    f"({_STATE_SEES} AND new.state <> old.state) OR (new.model <> '' AND new.model <> old.model) "
    "OR (new.finished_at IS NOT NULL AND new.finished_at {differs} old.finished_at)"
)
_SQLITE_ADD = _add(
    _facts("new.state"),
    _slowness("((julianday(new.finished_at) - julianday(new.created_at)) * 86400.0)"),
    _models(
        "new.model",
        "char(10)",
        "instr(char(10) || models || char(10), char(10) || new.model || char(10))",
    ),
    "max",
)
_SQLITE = (
    f"CREATE TRIGGER facts_turn_insert AFTER INSERT ON turns WHEN {_INSERTED} BEGIN {_SQLITE_ADD} END",
    "CREATE TRIGGER facts_turn_update AFTER UPDATE OF state, model, finished_at ON turns "
    f"WHEN {_CHANGED.format(differs='IS NOT')} BEGIN {_SQLITE_ADD} END",
    f"CREATE TRIGGER facts_file_insert AFTER INSERT ON attachments WHEN new.state = 'stored' BEGIN {_add_bit('8')} END",
    "CREATE TRIGGER facts_file_update AFTER UPDATE OF state ON attachments "
    f"WHEN new.state = 'stored' AND old.state <> 'stored' BEGIN {_add_bit('8')} END",
    f"CREATE TRIGGER facts_thumb_insert AFTER INSERT ON feedback BEGIN {_add_bit(_thumb('new.rating'))} END",
    f"CREATE TRIGGER facts_thumb_update AFTER UPDATE OF rating ON feedback BEGIN {_add_bit(_thumb('new.rating'))} END",
)
_POSTGRESQL_ADD = _add(
    _facts("new.state"),
    f"({_slowness('extract(epoch FROM (new.finished_at - new.created_at))')})",
    _models(
        "new.model",
        r"E'\n'",
        r"strpos(E'\n' || models || E'\n', E'\n' || new.model || E'\n')",
    ),
    "greatest",
)
_FUNCTIONS = {
    "glimt_facts_of_turn": _POSTGRESQL_ADD,
    "glimt_facts_of_file": _add_bit("8"),
    "glimt_facts_of_thumb": _add_bit(f"({_thumb('new.rating')})"),
}
_POSTGRESQL = (
    *(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$"
        for name, body in _FUNCTIONS.items()
    ),
    f"CREATE TRIGGER facts_turn_insert AFTER INSERT ON turns FOR EACH ROW WHEN ({_INSERTED}) "
    "EXECUTE FUNCTION glimt_facts_of_turn()",
    "CREATE TRIGGER facts_turn_update AFTER UPDATE OF state, model, finished_at ON turns FOR EACH ROW "
    f"WHEN ({_CHANGED.format(differs='IS DISTINCT FROM')}) EXECUTE FUNCTION glimt_facts_of_turn()",
    "CREATE TRIGGER facts_file_insert AFTER INSERT ON attachments FOR EACH ROW WHEN (new.state = 'stored') "
    "EXECUTE FUNCTION glimt_facts_of_file()",
    "CREATE TRIGGER facts_file_update AFTER UPDATE OF state ON attachments FOR EACH ROW "
    "WHEN (new.state = 'stored' AND old.state <> 'stored') EXECUTE FUNCTION glimt_facts_of_file()",
    "CREATE TRIGGER facts_thumb_insert AFTER INSERT ON feedback FOR EACH ROW EXECUTE FUNCTION glimt_facts_of_thumb()",
    "CREATE TRIGGER facts_thumb_update AFTER UPDATE OF rating ON feedback FOR EACH ROW "
    "EXECUTE FUNCTION glimt_facts_of_thumb()",
)
_PAIRS = {
    # A `with` stands in a trigger only inside of a select.
    "sqlite": "INSERT OR IGNORE INTO name_pairs (pair, person_id) "
    "SELECT substr(lower({row}.display_name), n, 2), {row}.id FROM {people} JOIN "
    "(WITH RECURSIVE at (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM at WHERE n < 254) SELECT n FROM at) "
    "WHERE n < length({row}.display_name)",
    "postgresql": "INSERT INTO name_pairs (pair, person_id) "
    "SELECT DISTINCT substr(lower({row}.display_name), n, 2), {row}.id "
    "FROM {people} generate_series(1, 254) AS n WHERE n < length({row}.display_name)",
}
_ALL_PAIRS = {
    "sqlite": _PAIRS["sqlite"].format(row="p", people="people p"),
    "postgresql": _PAIRS["postgresql"].format(row="p", people="people p,"),
}
_NEW_PAIRS = {
    "sqlite": _PAIRS["sqlite"].format(row="new", people="(SELECT 1)"),
    "postgresql": _PAIRS["postgresql"].format(row="new", people=""),
}
_NAMES = {
    "sqlite": (
        f"CREATE TRIGGER names_insert AFTER INSERT ON people WHEN new.display_name <> '' "
        f"BEGIN {_NEW_PAIRS['sqlite']}; END",
        "CREATE TRIGGER names_update AFTER UPDATE OF display_name ON people "
        "WHEN new.display_name <> old.display_name BEGIN DELETE FROM name_pairs WHERE person_id = new.id; "
        f"{_NEW_PAIRS['sqlite']}; END",
    ),
    "postgresql": (
        "CREATE FUNCTION glimt_pair_name() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"DELETE FROM name_pairs WHERE person_id = new.id; {_NEW_PAIRS['postgresql']}; RETURN NULL; END $$",
        "CREATE TRIGGER names_insert AFTER INSERT ON people FOR EACH ROW WHEN (new.display_name <> '') "
        "EXECUTE FUNCTION glimt_pair_name()",
        "CREATE TRIGGER names_update AFTER UPDATE OF display_name ON people FOR EACH ROW "
        "WHEN (new.display_name <> old.display_name) EXECUTE FUNCTION glimt_pair_name()",
    ),
}
_TRIGGERS = {"turn": "turns", "file": "attachments", "thumb": "feedback"}


def _backfill(slowness: str, joined: str) -> tuple[str, ...]:
    bit = "max(CASE WHEN {} THEN {} ELSE 0 END)".format
    states = " + ".join(
        bit(f"state = '{state}'", n) for n, state in ((1, "failed"), (2, "cancelled"), (4, "handed_over"))
    )
    thumbs = f"{bit('f.rating > 0', 16)} + {bit('f.rating < 0', 32)}"
    return (
        f"UPDATE conversations SET facts = t.facts, slowness = t.slowness FROM (SELECT conversation_id, {states} "
        f"AS facts, max({slowness}) AS slowness FROM turns GROUP BY conversation_id) AS t "
        "WHERE t.conversation_id = conversations.id AND (t.facts > 0 OR t.slowness > 0)",
        "UPDATE conversations SET facts = facts | 8 WHERE id IN (SELECT t.conversation_id FROM attachments a "
        "JOIN turns t ON t.id = a.turn_id WHERE a.state = 'stored')",
        "UPDATE conversations SET facts = conversations.facts | f.facts "
        f"FROM (SELECT t.conversation_id, {thumbs} AS facts "
        "FROM feedback f JOIN turns t ON t.id = f.turn_id GROUP BY 1) AS f "
        "WHERE f.conversation_id = conversations.id",
        f"UPDATE conversations SET models = CASE WHEN length(m.models) > {_MODELS_CHARS} THEN '*' ELSE m.models END "
        f"FROM (SELECT conversation_id, {joined} AS models FROM (SELECT DISTINCT conversation_id, model FROM turns "
        "WHERE model <> '') AS d GROUP BY conversation_id) AS m WHERE m.conversation_id = conversations.id",
    )


def upgrade() -> None:
    with op.batch_alter_table("conversations", recreate="never") as table:
        table.add_column(sa.Column("facts", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("models", sa.Text(), nullable=False, server_default=""))
        table.add_column(sa.Column("slowness", sa.Integer(), nullable=False, server_default="0"))
    connection = op.get_bind()
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        fill = _backfill(
            _slowness("((julianday(finished_at) - julianday(created_at)) * 86400.0)"), "group_concat(model, char(10))"
        )
    else:
        fill = _backfill(_slowness("extract(epoch FROM (finished_at - created_at))"), r"string_agg(model, E'\n')")
    for statement in (*fill, *(_SQLITE if sqlite else _POSTGRESQL)):
        connection.exec_driver_sql(statement)
    for name, (columns, condition) in _INDEXES.items():
        where = None if condition is None else sa.text(condition)
        op.create_index(name, "conversations", columns, sqlite_where=where, postgresql_where=where)
    op.create_table(
        "name_pairs",
        sa.Column("pair", sa.String(2), nullable=False),
        sa.Column("person_id", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name="fk_name_pairs_person_id_people", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pair", "person_id", name="pk_name_pairs"),
        sqlite_with_rowid=False,
    )
    for statement in (_ALL_PAIRS[connection.dialect.name], *_NAMES[connection.dialect.name]):
        connection.exec_driver_sql(statement)
    op.create_index("ix_name_pairs_person_id", "name_pairs", ["person_id"])
    op.create_index("ix_people_external_id", "people", ["external_id"])
    if not sqlite:
        connection.exec_driver_sql(
            "CREATE INDEX ix_turn_words_words_by_time ON turn_words "
            "USING gin ((words || array_to_tsvector(ARRAY['#' || left(turn_id, 6)])))"
        )
        connection.exec_driver_sql("DROP INDEX ix_turn_words_words")


def downgrade() -> None:
    connection = op.get_bind()
    sqlite = connection.dialect.name == "sqlite"
    for what, table in _TRIGGERS.items():
        for when in ("insert", "update"):
            connection.exec_driver_sql(f"DROP TRIGGER facts_{what}_{when}" + ("" if sqlite else f" ON {table}"))
    for when in ("insert", "update"):
        connection.exec_driver_sql(f"DROP TRIGGER names_{when}" + ("" if sqlite else " ON people"))
    op.drop_index("ix_people_external_id", "people")
    op.drop_table("name_pairs")
    for name in _INDEXES:
        op.drop_index(name, "conversations")
    with op.batch_alter_table("conversations", recreate="never") as batch:
        for column in ("facts", "models", "slowness"):
            batch.drop_column(column)
    if not sqlite:
        for function in (*_FUNCTIONS, "glimt_pair_name"):
            connection.exec_driver_sql(f"DROP FUNCTION {function}")
        connection.exec_driver_sql("CREATE INDEX ix_turn_words_words ON turn_words USING gin (words)")
        connection.exec_driver_sql("DROP INDEX ix_turn_words_words_by_time")
