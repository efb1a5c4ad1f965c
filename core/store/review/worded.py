"""Whether a turn has words, for whoever walks through turns anyway; `search.py` finds those that have them."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, column, select, table, text
from sqlalchemy.orm import Session

from core.store.ids_sql import is_sqlite
from core.store.models import Turn
from core.store.review.matches import fts_query, tsquery
from core.store.words import Sought

_AT = table("turn_words_at", column("id"), column("turn_id"))
_FTS = table("turn_words", column("rowid"))
_WORDS = table("turn_words", column("turn_id"), column("words"))


def has_words(session: Session, sought: Sequence[Sought]) -> ColumnElement[bool]:
    """The turn has all of these words: looked up for each turn."""
    if is_sqlite(session):
        found = select(_AT.c.id).join(_FTS, _FTS.c.rowid == _AT.c.id).where(_AT.c.turn_id == Turn.id)
        found = found.where(text("turn_words MATCH :worded").bindparams(worded=fts_query(sought)))
    else:
        matches = _WORDS.c.words.op("@@")(tsquery(sought))
        found = select(_WORDS.c.turn_id).where(_WORDS.c.turn_id == Turn.id, matches)
    return found.correlate(Turn).exists()
