"""What every delivery has in common: each message is written down before it is sent, and errors say what follows
(docs/adr/0016)."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

import structlog

from bots.chat.platform import Address, ChatPlatform, Live, Part, PostGone, SendFailed, SendRefused
from bots.chat.texts import Texts, texts_for
from bots.services import Services
from core.errors import GlimtError, LostLease, NotFound, StoreError
from core.store.database import Repositories
from core.values import utc_now

log = structlog.get_logger(__name__)

Result = TypeVar("Result")
# What is on the platform must be noted; while the database is away nobody else can claim the delivery either.
KEEP_NOTE_S = 60.0
PAUSE_S = 0.5
# A platform that is away comes back; an answer of yesterday is of no use.
GIVE_UP_AFTER = timedelta(days=1)
FIRST_BACK_OFF_S, LONGEST_BACK_OFF_S = 0.5, 60.0


@dataclass(slots=True)
class KnownPost:
    """A message as SQL knows it: `external_id` is empty where it is not known whether it got out."""

    external_id: str
    complete: bool


@dataclass(slots=True)
class Bringing(ABC):
    """One claimed delivery. `stop` is set when this process must let go of it."""

    platform: ChatPlatform
    services: Services
    owner: str
    delivery_id: str
    attempts: int
    address: Address
    posts: dict[int, KnownPost]
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    @abstractmethod
    async def _bring(self) -> None:
        """Show it, and end the delivery."""

    async def run(self) -> None:
        """From the claim to the end of it: sent, to be tried again, given up, or let go."""
        try:
            if not self.address.target:
                raise SendRefused("nobody said where to answer")
            await self._bring()
        except NotFound:
            await self._erased()
        except LostLease:
            # A heartbeat may notice before anybody else that there is nothing to deliver any more.
            if await asyncio.to_thread(self._exists):
                log.warning("delivery_lost", delivery=self.delivery_id)
            else:
                await self._erased()
        except SendFailed as error:
            await self._failed(error)
        except GlimtError:
            raise
        except Exception as error:
            log.exception("delivery_error", delivery=self.delivery_id)
            await self._failed(SendFailed(type(error).__name__))

    async def _show_all(self, parts: Sequence[Part], live: Live | None = None) -> None:
        """Show these messages, the first one by `live` where there is one, and end the delivery."""
        shown: list[str] = []
        for part in parts:
            if shown:
                await self._noted(len(shown) - 1, shown[-1], complete=True)
            shown.append(await self._put(await self._whole(part), live if part.position == 0 else None))
        if not await self._note(lambda repositories: self._end(repositories, shown)):
            raise LostLease(f"delivery {self.delivery_id} is somebody else's")

    async def _whole(self, part: Part) -> Part:
        """The part with all that it takes to send it."""
        return part

    def _end(self, repositories: Repositories, shown: list[str]) -> bool:
        """The last message is complete, and with it the answer is sent; False: the lease was lost."""
        if not repositories.deliveries.sent(self.delivery_id, self.owner, shown[0] if shown else "", utc_now()):
            return False
        if shown:
            repositories.deliveries.note_post(self.delivery_id, len(shown) - 1, shown[-1], complete=True)
        return True

    async def _settle(self, position: int) -> str:
        """The id of the message at `position`, if there is one; asks the platform where nobody knows."""
        known = self.posts.get(position)
        if known is None or known.external_id:
            return known.external_id if known is not None else ""
        found = await self.platform.find(self.address, position)
        if not found:
            del self.posts[position]
            return ""
        return await self._noted(position, found, complete=False)

    async def _put(self, part: Part, live: Live | None) -> str:
        """Make the platform show this part, by the message that is there or by a new one; its id, not noted yet."""
        known = self.posts.get(part.position)
        if known is not None and known.complete:
            return known.external_id
        in_doubt = known is not None and not known.external_id
        post = await self._settle(part.position)
        if live is not None and not (in_doubt and post):
            if not post:
                # Nothing stands there: what begins now must not be somebody else's to begin, or nobody's any more.
                await self._begin(part.position)
            try:
                return await live.finish(part)
            except PostGone:
                log.info("live_view_over", delivery=self.delivery_id)
        if post:
            try:
                await self.platform.edit(self.address, post, part)
                return post
            except PostGone:
                log.info("post_gone", delivery=self.delivery_id, position=part.position)
        await self._begin(part.position)
        return await self.platform.send(self.address, part)

    def _doubt(self, position: int) -> None:
        """A message may have got out, whose id nobody told."""
        self.posts.setdefault(position, KnownPost("", complete=False))

    async def _begin(self, position: int) -> None:
        """Write down that a message is about to be sent.

        Raises:
            LostLease: somebody else sends it.
        """
        held = await self._note(lambda r: r.deliveries.begin_post(self.delivery_id, self.owner, position, utc_now()))
        if not held:
            raise LostLease(f"delivery {self.delivery_id} is somebody else's")

    async def _noted(self, position: int, post: str, *, complete: bool) -> str:
        self.posts[position] = KnownPost(post, complete)
        await self._note(lambda r: r.deliveries.note_post(self.delivery_id, position, post, complete=complete))
        return post

    async def _note(self, write: Callable[[Repositories], Result]) -> Result:
        """Write to SQL, however long it is away (within reason)."""
        patience = time.monotonic() + KEEP_NOTE_S
        while True:
            try:
                return await self.services.note(self.delivery_id, write)
            except StoreError:
                if time.monotonic() > patience:
                    raise
                await asyncio.sleep(PAUSE_S)

    def _exists(self) -> bool:
        with self.services.store.read() as repositories:
            return repositories.deliveries.get(self.delivery_id) is not None

    def _texts(self) -> Texts:
        with self.services.store.read() as repositories:
            found = repositories.deliveries.recipients([self.delivery_id]).get(self.delivery_id)
        return texts_for(found.person.language or found.person.locale) if found is not None else self.address.texts

    async def _erased(self) -> None:
        """The question is gone from SQL, and this delivery with it; what stands on the platform says so."""
        first = self.posts.get(0)
        if first is None or not first.external_id:
            return
        part = Part(0, self.address.texts("This question was erased."), last=True)
        try:
            await self.platform.edit(self.address, first.external_id, part)
        except SendFailed as error:
            log.info("erased_answer_left", delivery=self.delivery_id, detail=str(error))

    async def _failed(self, error: SendFailed) -> None:
        """The platform did not take it: again later, or never."""

        def write(repositories: Repositories) -> bool:
            now, deliveries = utc_now(), repositories.deliveries
            delivery = deliveries.get(self.delivery_id)
            old = delivery is not None and now - delivery.created_at > GIVE_UP_AFTER
            if isinstance(error, SendRefused) or old:
                return deliveries.give_up(self.delivery_id, self.owner, str(error))
            back_off = FIRST_BACK_OFF_S * 2.0 ** min(self.attempts - 1, 8)
            pause = max(error.retry_after_s, min(LONGEST_BACK_OFF_S, back_off))
            return deliveries.retry(self.delivery_id, self.owner, str(error), now + timedelta(seconds=pause))

        log.warning("delivery_failed", delivery=self.delivery_id, error=error.code, detail=str(error))
        await self._note(write)
