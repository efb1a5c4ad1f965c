"""Which key lets whom in, and whether none is needed."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic

from bots.web.keys import person_of_key
from bots.web.reach import beyond_loopback
from core.errors import NotSignedIn, TooManyTries
from core.settings import Settings
from core.store.database import Store
from core.values import utc_now
from serving.secrets import hash_secret
from serving.throttle import Throttle

# How long a looked-up key is believed; a revoked one works for at most so long.
BELIEVED_S = 1.0
REMEMBERED_KEYS = 10_000
USED_AGAIN_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who a key belongs to."""

    key_id: str
    name: str

    @property
    def person(self) -> str:
        """External id of the holder in the workspaces of this channel."""
        return person_of_key(self.name)


class Gate:
    """Looks keys up by their hash and believes the answer for a second, so that a busy client costs no SQL."""

    def __init__(
        self, settings: Settings, store: Store, throttle: Throttle, clock: Callable[[], float] = monotonic
    ) -> None:
        self._store = store
        self._throttle = throttle
        self._clock = clock
        self._closed_to_strangers = beyond_loopback(settings)
        self._keyless_until = 0.0
        # By hash: the holder, and until when that is believed.
        self._holders: OrderedDict[str, tuple[Holder, float]] = OrderedDict()

    async def keyless(self) -> bool:
        """Whether everybody is let in: nobody but this machine reaches us, and no key was ever made."""
        if self._closed_to_strangers:
            return False
        if self._clock() < self._keyless_until:
            return True
        if await asyncio.to_thread(self._any_key_ever):
            # Keys are revoked but never forgotten, so this cannot change back.
            self._closed_to_strangers = True
            return False
        self._keyless_until = self._clock() + BELIEVED_S
        return True

    async def holder(self, secret: str, address: str) -> Holder:
        """Who holds the key `secret`, sent from `address`.

        Raises:
            NotSignedIn: the key is wrong or revoked.
            TooManyTries: the key is wrong or revoked, like too many before from this address.
        """
        key_hash = hash_secret(secret)
        known = self._holders.get(key_hash)
        if known is not None and self._clock() < known[1]:
            return known[0]
        # A right key always opens: its user may share the address with whoever guesses, and nobody guesses 256 bits.
        holder = await asyncio.to_thread(self._look_up, key_hash)
        if holder is None:
            self._holders.pop(key_hash, None)
            if self._throttle.closed(address):
                raise TooManyTries
            self._throttle.wrong(address)
            raise NotSignedIn(user_message="The key is wrong or was revoked. Check it or ask your admin for a new one.")
        self._holders[key_hash] = (holder, self._clock() + BELIEVED_S)
        if len(self._holders) > REMEMBERED_KEYS:
            self._holders.popitem(last=False)
        return holder

    def _any_key_ever(self) -> bool:
        # Revoked ones count: taking the last key away must not open the door to everybody.
        with self._store.read() as repositories:
            return len(repositories.keys.list()) > 0

    def _look_up(self, key_hash: str) -> Holder | None:
        now = utc_now()
        with self._store.read() as repositories:
            key = repositories.keys.by_hash(key_hash)
        if key is None:
            return None
        if key.last_used_at is None or now - key.last_used_at > USED_AGAIN_AFTER:
            with self._store.write() as repositories:
                repositories.keys.touch(key.id, now)
        return Holder(key.id, key.name)
