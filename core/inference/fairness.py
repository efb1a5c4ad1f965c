"""Who is computed next, when not everything can be computed at once.

Admission follows the virtual token counters of Sheng et al., "Fairness in Serving Large Language Models" (OSDI 2024,
arXiv 2401.00588): of the people who wait, the one that was served the least goes first, whoever came earlier.
"""

from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)

# A token of an answer takes a place in a whole step, one of a prompt a place among hundreds.
ANSWER_WEIGHT = 2
# So many others may overtake what does not fit; then room is made for it.
PATIENCE = 16
# Of what is read in one step, the part that is kept for the prompt that has been read for the longest time.
_OLDEST_SHARE = 4


class FairQueue(Generic[T]):
    """What waits to be admitted, by person. Not thread-safe.

    `charge` counts the tokens that people are served. `take` gives the first item of the person with the lowest count.
    Whoever begins to wait starts at the count of those who wait already: nobody saves up time in which he asked
    nothing, and nobody is overtaken for ever by ones who are new. Between two people who wait all the time the counts
    differ by at most what can run at once.
    """

    def __init__(self, patience: int = PATIENCE) -> None:
        self._patience = patience
        self._waiting: dict[str, deque[T]] = {}
        self._arrival: dict[T, int] = {}
        self._overtaken: dict[T, int] = {}
        self._served: dict[str, int] = {}
        self._arrivals = 0
        self._level = 0
        self._last = ""

    def __len__(self) -> int:
        return len(self._arrival)

    def __contains__(self, item: T) -> bool:
        return item in self._arrival

    def add(self, item: T, person: str) -> None:
        """`item` waits, behind what waits of the same person already."""
        if person not in self._waiting:
            self._raise_level()
            self._served[person] = max(self._served.get(person, 0), self._level)
            self._waiting[person] = deque()
        self._waiting[person].append(item)
        self._arrivals += 1
        self._arrival[item] = self._arrivals

    def remove(self, item: T) -> bool:
        """Forget an item; whether it waited."""
        if self._arrival.pop(item, None) is None:
            return False
        self._overtaken.pop(item, None)
        person = next(person for person, items in self._waiting.items() if item in items)
        self._waiting[person].remove(item)
        if not self._waiting[person]:
            del self._waiting[person]
            self._last = person
        return True

    def take(self, fits: Callable[[T], bool]) -> T | None:
        """The next item, which no longer waits then; None if there is none that may go now.

        One that does not fit lets others go first, but only so many: after that nothing behind it is taken.
        """
        overtaken: list[T] = []
        for person in sorted(self._waiting, key=lambda name: (self._served[name], self._arrival[self._head(name)])):
            for item in self._waiting[person]:
                if fits(item):
                    for other in overtaken:
                        self._overtaken[other] = self._overtaken.get(other, 0) + 1
                    self._raise_level()
                    self.remove(item)
                    return item
                if self._overtaken.get(item, 0) >= self._patience:
                    return None
                overtaken.append(item)
        return None

    def charge(self, person: str, tokens: int) -> None:
        """`person` was served so many tokens, those of answers times `ANSWER_WEIGHT`."""
        self._served[person] = self._served.get(person, self._level) + tokens

    def _head(self, person: str) -> T:
        return self._waiting[person][0]

    def _raise_level(self) -> None:
        """Set where whoever comes now begins: at the count of the person who has waited for the longest time, so that
        this one is not overtaken, or at that of the last to wait."""
        waits = min(self._waiting, key=lambda name: self._arrival[self._head(name)], default=self._last)
        self._level = max(self._level, self._served.get(waits, 0))
        # A count below the level says nothing any more.
        self._served = {
            name: count for name, count in self._served.items() if count > self._level or name in self._waiting
        }


def share_whole(lefts: Sequence[int], tokens: int) -> list[tuple[int, int]]:
    """As `share_chunk` for prompts that cannot be read in parts: the oldest first, as many as `tokens` allow for, and
    at least one."""
    shares: list[tuple[int, int]] = []
    for index, left in enumerate(lefts):
        if shares and left > tokens:
            break
        shares.append((index, left))
        tokens -= left
    return shares


def share_chunk(lefts: Sequence[int], tokens: int) -> list[tuple[int, int]]:
    """Divide `tokens` tokens among prompts of which `lefts` tokens are to be read, the oldest first.

    The shortest rest is read first, which is best for the mean; a quarter is kept for the oldest, so that a long
    prompt goes on whatever comes. Gives (index, tokens) of those that are read.
    """
    if not lefts:
        return []
    shares = dict.fromkeys(range(len(lefts)), 0)
    shares[0] = min(lefts[0], -(-tokens // _OLDEST_SHARE))
    room = tokens - shares[0]
    for index in sorted(shares, key=lambda index: lefts[index] - shares[index]):
        more = min(lefts[index] - shares[index], room)
        shares[index] += more
        room -= more
    return [(index, share) for index, share in shares.items() if share]
