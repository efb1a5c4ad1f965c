"""What a corrected answer changed, word by word."""

import re
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

# Of words; comparing more takes longer than anybody wants to wait for a page.
MOST = 600
_WORDS = re.compile(r"[^\W\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]+|\s+|.", re.DOTALL)


class Change(NamedTuple):
    """A stretch of text: in both, only in the old one, or only in the new one."""

    kind: Literal["same", "old", "new"]
    text: str


def changes(old: str, new: str) -> list[Change]:
    """How `new` is made of `old`; nothing where they are too long to compare, or one is empty."""
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    if not before or not after or max(len(before), len(after)) > MOST:
        return []
    found = []
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            found.append(Change("same", "".join(before[i1:i2])))
            continue
        if i2 > i1:
            found.append(Change("old", "".join(before[i1:i2])))
        if j2 > j1:
            found.append(Change("new", "".join(after[j1:j2])))
    return found
