"""What the row of a conversation tells of its turns, so that the list finds those of some kind without reading turns.

Triggers add to it (`migrations/versions/0018_fast_lists.py`), and nothing takes from it: a conversation that has such a
turn says so, one that says so has one, or had one that was tried again or erased. Whoever reads it looks at the turns
afterwards.
"""

from bisect import bisect_right
from collections.abc import Iterable

# Bits of `Conversation.facts`: there is a turn in this state, with a picture, with such feedback.
STATES = {"failed": 1, "cancelled": 2, "handed_over": 4}
PICTURES = 8
THUMBS = {"good": 16, "bad": 32}
# `Conversation.slowness` is the number of these seconds that its slowest turn has reached.
PACES = (1, 2, 3, 5, 7, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1800, 3600, 86400)
# Those that have an index; most conversations have a picture.
RARE = sum(STATES.values()) + sum(THUMBS.values())
# From this slowness on there is an index.
SLOW = 9
# `Conversation.models` has a model on each line, in the order of their first use; or this: too many to be named.
ANY_MODEL = "*"
MODELS_CHARS = 500


def slowness_of(seconds: float) -> int:
    """The least slowness of a conversation with a turn that took so long."""
    return bisect_right(PACES, seconds)


def models_of(models: Iterable[str]) -> str:
    """What a conversation says that was answered by these, the first one first."""
    said = "\n".join(dict.fromkeys(filter(None, models)))
    return said if len(said) <= MODELS_CHARS or "\n" not in said else ANY_MODEL


def has_model(said: str, model: str) -> bool:
    """Whether a conversation that says so may have a turn of this model."""
    return said == ANY_MODEL or f"\n{model}\n" in f"\n{said}\n"
