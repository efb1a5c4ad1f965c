"""Pictures in groups that were not sent to us, for the moment in which we may be asked about them.

Kept in memory only, for a minute, as references that nobody fetches: who does not turn to us leaves no trace here.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from bots.telegram.message import Said
from core.conversation.inbound import Pending

KEPT_S = 60.0
KEPT = 2_000


@dataclass(frozen=True, slots=True)
class _Heard:
    at: float
    album: str
    files: tuple[Pending, ...]


class Overheard:
    """What one process has heard. `clock` tells seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._by: OrderedDict[tuple[str, int], list[_Heard]] = OrderedDict()

    def hear(self, said: Said) -> None:
        """A picture that is not for us."""
        if not said.files:
            return
        who = said.place, said.user_id
        self._by.setdefault(who, []).append(_Heard(self._clock(), said.album, said.files))
        self._by.move_to_end(who)
        # One person's album at the most.
        del self._by[who][:-10]
        if len(self._by) > KEPT:
            self._by.popitem(last=False)

    def earlier_of_album(self, said: Said) -> tuple[Pending, ...]:
        """What was heard of the album that `said`, which is for us, is a part of."""
        return self._files(said, lambda heard: bool(said.album) and heard.album == said.album)

    def just_sent(self, said: Said) -> tuple[Pending, ...]:
        """What the same person sent last at the same place: a picture, or an album."""
        heard = self._fresh(said)
        last = heard[-1] if heard else None
        return self._files(said, lambda one: one is last or bool(one.album and last and one.album == last.album))

    def _fresh(self, said: Said) -> list[_Heard]:
        oldest = self._clock() - KEPT_S
        return [heard for heard in self._by.get((said.place, said.user_id), ()) if heard.at >= oldest]

    def _files(self, said: Said, wanted: Callable[[_Heard], bool]) -> tuple[Pending, ...]:
        return tuple(file for heard in self._fresh(said) if wanted(heard) for file in heard.files)
