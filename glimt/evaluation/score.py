"""How near an answer is to the accepted ones: exact match, and ANLS as document benchmarks use it."""

import re
from collections.abc import Iterable

# Below this likeness ANLS counts an answer as wrong (Biten et al., "Scene Text Visual Question Answering", 2019).
_THRESHOLD = 0.5


def normalise(text: str) -> str:
    """Lower case; no punctuation but what belongs to numbers, no English articles; single spaces."""
    words = re.sub(r"[^\w\s.$€£¥+×%-]", " ", text.lower()).split()
    stripped = (word.rstrip(".") for word in words)
    return " ".join(word for word in stripped if word not in ("a", "an", "the", ""))


def exact(said: str, answers: Iterable[str]) -> bool:
    """Whether `said` is one of `answers`, both normalised."""
    return normalise(said) in {normalise(answer) for answer in answers}


def anls(said: str, answers: Iterable[str]) -> float:
    """Average normalised Levenshtein similarity of one answer: that to the nearest of `answers`, 0 below a half."""
    likeness = max(_likeness(normalise(said), normalise(answer)) for answer in answers)
    return likeness if likeness >= _THRESHOLD else 0.0


def _likeness(one: str, two: str) -> float:
    if not one and not two:
        return 1.0
    row = list(range(len(two) + 1))
    for i, a in enumerate(one, start=1):
        before, row[0] = row[0], i
        for j, b in enumerate(two, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return 1 - row[-1] / max(len(one), len(two))
