"""Puts questions together for training: a way to ask in a frame, so that hardly any wording comes twice.

The ways and the frames are in `composed/en.toml` and `composed/zh.toml`. What the exam asks is left out, also inside a
frame: `repeats` finds it.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from .lexicon import Language

# How often a way of each grammar is taken where there is a choice: a question of its own, a clause, a noun, an order,
# and a question about "it" behind its naming.
_SHARES = {"direct": 5, "indirect": 3, "nouns": 2, "orders": 4, "about": 1}
# Chinese knows no spaces: from so many characters on, what a question ends in counts as a wording.
_LONG = 5

Words = Mapping[str, Any]


@lru_cache
def words_of(language: Language) -> Words:
    """The ways (`ways`, by kind of question), `frames` and follow-ups (`follow`) of a language."""
    path = Path(__file__).with_name("composed") / f"{language}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def compose(language: Language, key: str, rng: random.Random) -> str | None:
    """A question of the kind `key` with its slots in braces; None where that kind is not composed."""
    words = words_of(language)
    follow, frames = words["follow"], words["frames"]
    if key in ("and", "no", "and_other", "no_other"):
        about = rng.choice(follow["other"]) if key.endswith("other") else "{ref}"
        if key.startswith("and"):
            return _filled(rng.choice(follow["and"]), about)
        return str(rng.choice(follow["no"])) + _filled(rng.choice(follow["meant"]), about)
    ways: Mapping[str, Sequence[str]] | None = words["ways"].get(key)
    if ways is None:
        return None
    how = rng.choices(tuple(ways), weights=[_SHARES[grammar] for grammar in ways])[0]
    what = rng.choice(ways[how])
    if how == "direct":
        frame = _english_frame(frames, rng) if language == "en" else _chinese_frame(frames, key, what, rng)
    else:
        frame = rng.choice(frames[how])
    return _filled(frame, what)


def _english_frame(frames: Words, rng: random.Random) -> str:
    return "{}?" if rng.random() < 0.45 else str(rng.choice(frames["direct"]))


def _chinese_frame(frames: Words, key: str, what: str, rng: random.Random) -> str:
    # A follow-up looks at the same picture: it says nothing of where.
    where = "" if key.startswith("it_") or rng.random() < 0.6 else rng.choice(frames["where"])
    before = "" if rng.random() < 0.35 else rng.choice(frames["before"])
    behind = "？" if what.endswith("吗") or rng.random() < 0.7 else rng.choice(frames["behind"])
    return f"{before}{where}{{}}{behind}"


def _filled(frame: str, what: str) -> str:
    """`frame` with `what` in its empty braces, as a sentence where it is one; slots with names stay."""
    before, after = frame.split("{}")
    if before.endswith((". ", "? ")):
        what = what[0].upper() + what[1:]
    return before + what + after


def plain(text: str) -> str:
    """`text` without what typing may change: case, punctuation, spelling, short forms."""
    text = text.lower().replace("color", "colour").replace("center", "centre")
    text = re.sub(r"\b(what|where)'s\b", r"\1 is", text)
    return " ".join(re.sub(r"[^\w\s{}']", " ", text).split())


def repeats(template: str, held: frozenset[str]) -> bool:
    """Whether `template` is one of the wordings `held`, which are given as `plain` makes them, or ends in one. In
    Chinese only longer ones count as an end, since much ends in 是什么."""
    words = plain(template)
    if words in held:
        return True
    return any(words.endswith(w if w[-1] > "\u3000" and len(w) >= _LONG else " " + w) for w in held)
