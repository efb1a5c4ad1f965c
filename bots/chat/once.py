"""Things that are said once: of each of the latest it is remembered, in this process, that it was said."""

from collections import OrderedDict
from collections.abc import Hashable

KEPT = 1_000


class Once:
    """Remembers the `kept` latest."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._said: OrderedDict[Hashable, None] = OrderedDict()

    def first(self, what: Hashable) -> bool:
        """Whether this was not asked for lately; from now on it was."""
        if what in self._said:
            return False
        self._said[what] = None
        if len(self._said) > self._kept:
            self._said.popitem(last=False)
        return True
