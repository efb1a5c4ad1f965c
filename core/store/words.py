"""How text becomes words that are searched for, the same on both databases.

Writing that puts no space between words (Chinese, Japanese, Korean, Thai …) is cut into overlapping pairs of
characters, so that a word of two characters is found, which an index of trigrams cannot do. The same rules stand in SQL
in `migrations/versions/0010_search.py`, as PostgreSQL's function `glimt_words`; SQLite calls `index_words`.
"""

import re
import unicodedata
from typing import NamedTuple

# Thai, Lao, Khmer, kana, ideographs, hangul.
PAIRED = (
    "\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
# Every other letter, mark and digit, roughly: explicit, because each database has its own idea of them.
SPACED = "0-9a-z\u00aa\u00b5\u00ba\u00c0-\u0dff\u0f00-\u177f\u1800-\u1fff\u2c00-\u2dff\ua000-\uabff"
# Of characters; a longer one is found by its beginning.
LONGEST = 64
# Of different words of one turn; the others are not found.
MOST = 20_000
# Shorter words must be there as they are, longer ones may go on: `shape` finds `shapes`.
MAY_GO_ON = 3
MOST_ASKED = 20
# What tables, indexes and triggers of words are called; they are in no model.
TABLES = "turn_words"
_RUNS = re.compile(f"([{PAIRED}]+)|([{SPACED}]+)")


class Sought(NamedTuple):
    """A word of a search; `open` where it may be the beginning of a longer one."""

    word: str
    open: bool


def index_words(text: str) -> str:
    """The words of `text`, each once, with a space between."""
    words: dict[str, None] = {}
    for paired, spaced in _RUNS.findall(_folded(text)):
        if spaced:
            words[spaced[:LONGEST]] = None
        else:
            # The last character stands alone, so that it begins a word, too.
            words.update((paired[i : i + 2], None) for i in range(len(paired)))
        if len(words) >= MOST:
            break
    return " ".join(list(words)[:MOST])


def sought_words(text: str) -> list[Sought]:
    """The words that a turn must have, all of them, to be found by `text`; none: `text` has nothing to search for."""
    sought: dict[Sought, None] = {}
    for paired, spaced in _RUNS.findall(_folded(text)):
        if spaced:
            sought[Sought(spaced[:LONGEST], len(spaced) >= MAY_GO_ON)] = None
        elif len(paired) == 1:
            sought[Sought(paired, True)] = None
        else:
            sought.update((Sought(paired[i : i + 2], False), None) for i in range(len(paired) - 1))
    return list(sought)[:MOST_ASKED]


def runs_of(text: str) -> list[str]:
    """The parts of a search that are shown as found, in the words of whoever searches."""
    return [paired or spaced for paired, spaced in _RUNS.findall(_folded(text))]


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()
