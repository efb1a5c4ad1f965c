"""Searching questions and answers, and listing conversations of everybody by their last change.

What is searched for are the words of `core/store/words.py`. Triggers keep them in step, whoever writes a turn. The
tables of words are not in `core.store.models`: each database has its own kind.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0007"
branch_labels = None
depends_on = None

_SQLITE = (
    # A turn's implicit row number may change, so its words hang on a number of their own, which grows with time.
    "CREATE TABLE turn_words_at (id INTEGER PRIMARY KEY, turn_id VARCHAR(32) NOT NULL UNIQUE)",
    # The words come with spaces between them already, so the tokenizer that knows least is right.
    "CREATE VIRTUAL TABLE turn_words USING fts5(words, tokenize='ascii', detail='none', columnsize=0)",
    "INSERT INTO turn_words_at (turn_id) SELECT id FROM turns ORDER BY id",
    "INSERT INTO turn_words (rowid, words) SELECT a.id, glimt_words(t.question || char(10) || t.answer) "
    "FROM turn_words_at a JOIN turns t ON t.id = a.turn_id",
    "CREATE TRIGGER turn_words_insert AFTER INSERT ON turns BEGIN "
    "INSERT INTO turn_words_at (turn_id) VALUES (new.id); "
    "INSERT INTO turn_words (rowid, words) SELECT id, glimt_words(new.question || char(10) || new.answer) "
    "FROM turn_words_at WHERE turn_id = new.id; END",
    "CREATE TRIGGER turn_words_update AFTER UPDATE OF question, answer ON turns "
    "WHEN old.question IS NOT new.question OR old.answer IS NOT new.answer BEGIN "
    "UPDATE turn_words SET words = glimt_words(new.question || char(10) || new.answer) "
    "WHERE rowid = (SELECT id FROM turn_words_at WHERE turn_id = new.id); END",
    "CREATE TRIGGER turn_words_delete AFTER DELETE ON turns BEGIN "
    "DELETE FROM turn_words WHERE rowid = (SELECT id FROM turn_words_at WHERE turn_id = old.id); "
    "DELETE FROM turn_words_at WHERE turn_id = old.id; END",
)
_PAIRED = (
    r"\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
    r"\U00020000-\U0003ffff"
)
_SPACED = r"0-9a-z\u00aa\u00b5\u00ba\u00c0-\u0dff\u0f00-\u177f\u1800-\u1fff\u2c00-\u2dff\ua000-\uabff"
_POSTGRESQL = (
    f"""CREATE FUNCTION glimt_words(said text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT array_to_tsvector(coalesce(array_agg(word), '{{}}')) FROM (
            SELECT left(run[1], 64) AS word
                FROM regexp_matches(lower(normalize(said, NFKC)), '[{_SPACED}]+', 'g') AS run
            UNION
            SELECT c || coalesce(lead(c) OVER (PARTITION BY nth ORDER BY n), '') AS word
                FROM regexp_matches(lower(normalize(said, NFKC)), '[{_PAIRED}]+', 'g')
                    WITH ORDINALITY AS runs (run, nth),
                regexp_split_to_table(run[1], '') WITH ORDINALITY AS characters (c, n)
            LIMIT 20000
        ) AS words
    $$""",
    "CREATE TABLE turn_words ("
    "turn_id VARCHAR(32) CONSTRAINT pk_turn_words PRIMARY KEY REFERENCES turns (id) ON DELETE CASCADE, "
    "words tsvector NOT NULL)",
    r"INSERT INTO turn_words SELECT id, glimt_words(question || E'\n' || answer) FROM turns",
    "CREATE INDEX ix_turn_words_words ON turn_words USING gin (words)",
    r"""CREATE FUNCTION glimt_index_turn() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO turn_words (turn_id, words)
                VALUES (NEW.id, glimt_words(NEW.question || E'\n' || NEW.answer))
                ON CONFLICT (turn_id) DO UPDATE SET words = EXCLUDED.words;
            RETURN NULL;
        END
    $$""",
    "CREATE TRIGGER turn_words_insert AFTER INSERT ON turns FOR EACH ROW EXECUTE FUNCTION glimt_index_turn()",
    "CREATE TRIGGER turn_words_update AFTER UPDATE OF question, answer ON turns FOR EACH ROW "
    "WHEN (OLD.question IS DISTINCT FROM NEW.question OR OLD.answer IS DISTINCT FROM NEW.answer) "
    "EXECUTE FUNCTION glimt_index_turn()",
)
_LISTS = {
    "ix_conversations_updated_at_id": ["updated_at", "id"],
    "ix_conversations_workspace_id_updated_at_id": ["workspace_id", "updated_at", "id"],
    "ix_conversations_place_id_updated_at_id": ["place_id", "updated_at", "id"],
}
_TURNS = {
    "ix_turns_failed": (["conversation_id"], "state = 'failed'"),
    "ix_turns_ended_person": (["person_id", "conversation_id"], "state NOT IN ('gathering', 'ready', 'running')"),
}


def upgrade() -> None:
    connection = op.get_bind()
    for statement in _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL:
        connection.exec_driver_sql(statement)
    for name, columns in _LISTS.items():
        op.create_index(name, "conversations", columns)
    for name, (columns, condition) in _TURNS.items():
        where = sa.text(condition)
        op.create_index(name, "turns", columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    connection = op.get_bind()
    on = "" if connection.dialect.name == "sqlite" else " ON turns"
    for when in ("insert", "update", *(["delete"] if not on else [])):
        connection.exec_driver_sql(f"DROP TRIGGER turn_words_{when}{on}")
    connection.exec_driver_sql("DROP TABLE turn_words")
    if on:
        connection.exec_driver_sql("DROP FUNCTION glimt_index_turn")
        connection.exec_driver_sql("DROP FUNCTION glimt_words")
    else:
        connection.exec_driver_sql("DROP TABLE turn_words_at")
    for name in _TURNS:
        op.drop_index(name, "turns")
    for name in _LISTS:
        op.drop_index(name, "conversations")
