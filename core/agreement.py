"""How far several people who judged the same things agree.

Cohen's kappa where two judged everything (Cohen, 1960, Educational and Psychological Measurement 20:37), Fleiss's where
more did (Fleiss, 1971, Psychological Bulletin 76:378); the latter also where not all judged each thing, with the pairs
of each thing counting by themselves.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

# Judge → category, of one thing.
Judged = Mapping[str, Hashable]


@dataclass(frozen=True, slots=True)
class Agreement:
    """`share` of the pairs of judges that said the same (0 to 1); `kappa`: what chance does not explain of it (≤ 1).

    None for `kappa`: everybody always said the same, so that chance alone would explain all.
    """

    things: int
    judges: int
    share: float
    kappa: float | None
    method: Literal["Cohen", "Fleiss"]


def agreement(things: Sequence[Judged]) -> Agreement | None:
    """The agreement over all things that two or more have judged; None: there are none."""
    counted = [judged for judged in things if len(judged) > 1]
    if not counted:
        return None
    judges = {judge for judged in counted for judge in judged}
    share = sum(_same_pairs(judged) for judged in counted) / len(counted)
    by_two = len(judges) == 2
    chance = _cohen_chance(counted, sorted(judges)) if by_two else _fleiss_chance(counted)
    kappa = None if chance > 1 - 1e-12 else (share - chance) / (1 - chance)
    return Agreement(len(counted), len(judges), share, kappa, "Cohen" if by_two else "Fleiss")


def disagree(judged: Judged) -> bool:
    """Whether two judges said different things."""
    return len(set(judged.values())) > 1


def _same_pairs(judged: Judged) -> float:
    n = len(judged)
    return sum(k * (k - 1) for k in Counter(judged.values()).values()) / (n * (n - 1))


def _cohen_chance(things: Sequence[Judged], judges: Sequence[str]) -> float:
    first, second = (Counter(judged[judge] for judged in things) for judge in judges)
    return sum(first[category] * second[category] for category in first) / len(things) ** 2


def _fleiss_chance(things: Sequence[Judged]) -> float:
    # Each thing weighs the same, however many judged it.
    weights: dict[Hashable, float] = {}
    for judged in things:
        for category, count in Counter(judged.values()).items():
            weights[category] = weights.get(category, 0.0) + count / len(judged)
    return sum((weight / len(things)) ** 2 for weight in weights.values())
