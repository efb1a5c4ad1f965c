"""What the adapters of one bots process share, opened once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import ParamSpec, TypeVar

from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from core.conversation.inbound import Accepted, InboundQuestion
from core.conversation.intake import Doubled, Intake
from core.errors import Busy, NotFound, RequestError, StoreError
from core.media.blobs import BlobStore
from core.policy.watch import PolicyWatch
from core.queue.announcer import Announcer
from core.queue.cancel import request_cancel
from core.queue.celery_app import make_celery
from core.queue.connect import connect, connect_async
from core.queue.dispatch import Dispatcher
from core.queue.follow import StreamHub
from core.queue.handover import hand_over
from core.queue.streams import forget_stream
from core.settings import Settings
from core.store.database import Repositories, Store
from core.store.group_commit import LANES, Lanes
from core.store.models import Turn
from core.values import TurnState, utc_now
from serving.picture_reader import PictureReader

P = ParamSpec("P")
T = TypeVar("T")
# Threads for SQL and blobs; SQLite has one writer anyway. Nothing that waits for strangers may take one of them.
THREADS = 16
# Threads for what a platform waits for; nothing else may take one of them.
URGENT_THREADS = 4
# The announcer, the watch over policies and those that commit for many have a connection each as well.
CONNECTIONS = THREADS + URGENT_THREADS + 2 * LANES + 2
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Services:
    """Shared parts. The synchronous ones are called through `asyncio.to_thread`.

    What a platform is to be told within seconds goes by the fast lane: `urgently`, `write_urgently`. It has threads and
    connections of its own, and goes before the others where there is one writer. What is noted of every answer shares
    transactions (`note`), so that the writer is not asked for each.
    """

    settings: Settings
    store: Store
    blobs: BlobStore
    pictures: PictureReader
    intake: Intake
    policies: PolicyWatch
    announcer: Announcer
    hub: StreamHub
    redis: AsyncRedis
    sync_redis: Redis
    urgent_threads: ThreadPoolExecutor
    urgent_writes: Lanes
    notes: Lanes

    async def urgently(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Blocking work that a platform waits for."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.urgent_threads, partial(work, *args, **kwargs))

    async def write_urgently(self, key: str, write: Callable[[Repositories], T]) -> T:
        """A short write that a platform waits for; when this returns, it is committed. Those of one `key` keep order.

        Raises:
            StoreError: nothing was written.
        """
        return await asyncio.wrap_future(self.urgent_writes.submit(key, write))

    async def note(self, key: str, write: Callable[[Repositories], T]) -> T:
        """A short write that many do; when this returns, it is committed. It must bear being repeated. Those of one
        `key` keep order.

        Raises:
            StoreError: nothing was written, or nobody knows.
        """
        return await asyncio.wrap_future(self.notes.submit(key, write))

    async def ask(self, inbound: InboundQuestion) -> Accepted:
        """Commit the question, then wake a worker. When this returns, the platform may be told that it is safe.

        Raises:
            RequestError: see `Intake.accept`.
            StoreError: nothing was committed.
        """
        accepted = await self._accept(inbound)
        self.announcer.hint(accepted.person_id, accepted.conversation_id)
        return accepted

    async def cancel(self, turn_id: str) -> TurnState | None:
        """Stop a turn that waits or runs; its state after that. The caller has checked whose turn it is."""
        return await self.urgently(request_cancel, self.store, self.sync_redis, turn_id, self.settings.stream_ttl_s)

    async def ask_again(self, turn_id: str, person_id: str) -> Turn:
        """*Try again*: a turn that failed or was stopped is ready once more, and a worker is woken.

        The caller has checked whose turn it is.

        Raises:
            NotFound: there is none (any more).
            Busy: this person has too many questions waiting.
            QuotaReached: he, or his workspace, has used what is allowed.
            RequestError: it did not fail, or a question behind it is being answered.
        """
        turn = await asyncio.to_thread(self._reopen, turn_id, person_id)
        self.announcer.hint(turn.person_id, turn.conversation_id)
        return turn

    async def hand_over(self, conversation_id: str) -> bool:
        """A human answers in this conversation from now on. False: so it is already, or there is none."""
        ttl_s = self.settings.stream_ttl_s
        return await asyncio.to_thread(hand_over, self.store, self.sync_redis, conversation_id, ttl_s)

    async def rate(self, turn_id: str, person_id: str, rating: int, reason: str = "") -> None:
        """One person's verdict on an answer: +1, -1, or 0 to take it back. The caller has checked who may see it."""

        def write() -> None:
            with self.store.write() as repositories:
                repositories.feedback.set(turn_id, person_id, rating, reason, now=utc_now())

        await asyncio.to_thread(write)

    async def _accept(self, inbound: InboundQuestion) -> Accepted:
        if inbound.pictures or inbound.history:
            prepared = await asyncio.to_thread(self.intake.prepare, inbound)
        else:
            prepared = self.intake.prepare(inbound)
        if isinstance(prepared, Accepted):
            return prepared
        # What concerns the same rows is not written side by side.
        key = inbound.place or inbound.conversation or inbound.conversation_id or inbound.person
        for _ in range(_TRIES):
            try:
                return await self.write_urgently(key, partial(self.intake.write, prepared=prepared))
            except Doubled:
                if (before := await self.urgently(self.intake.before, inbound)) is not None:
                    return before
        raise StoreError("an event comes and goes")

    def _reopen(self, turn_id: str, person_id: str) -> Turn:
        with self.store.read() as repositories:
            turn = repositories.turns.get(turn_id)
        if turn is None:
            raise NotFound
        if turn.state in (TurnState.FAILED, TurnState.CANCELLED):
            forget_stream(self.sync_redis, turn_id)
        with self.store.write() as repositories:
            waiting, _ = repositories.turns.counts_open(person_id)
            if waiting >= self.settings.waiting_per_person:
                raise Busy(
                    user_message=f"You have {waiting} questions waiting already. Please wait for an answer first."
                )
            self.intake.check_again(repositories, turn)
            if not repositories.turns.reopen(turn_id, utc_now()):
                raise RequestError(
                    user_message="Only a question that failed or was stopped can be asked again, while nothing that "
                    "was asked after it is being answered."
                )
            return repositories.turns.get(turn_id) or turn


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """Connect to SQL and Redis; both may be away at first, requests then fail one by one."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="bots"))
    store = Store(settings.sql_url, pool_size=CONNECTIONS)
    blobs = BlobStore(settings.blob_store_url)
    pictures = PictureReader(settings)
    redis = connect_async(settings.queue_url)
    sync_redis = connect(settings.queue_url)
    policies = PolicyWatch(store)
    announcer = Announcer(Dispatcher(store, make_celery(settings), sync_redis, settings, policies))
    urgent_threads = ThreadPoolExecutor(URGENT_THREADS, thread_name_prefix="urgent")
    urgent_writes, notes = Lanes(store, "urgent", urgent=True), Lanes(store, "notes")
    try:
        await asyncio.to_thread(policies.start)
        async with StreamHub(redis, store) as hub:
            intake = Intake(store, blobs, settings, policies)
            yield Services(
                settings=settings,
                store=store,
                blobs=blobs,
                pictures=pictures,
                intake=intake,
                policies=policies,
                announcer=announcer,
                hub=hub,
                redis=redis,
                sync_redis=sync_redis,
                urgent_threads=urgent_threads,
                urgent_writes=urgent_writes,
                notes=notes,
            )
    finally:
        with contextlib.suppress(Exception):
            await redis.aclose()
        for part in (pictures, urgent_writes, notes, announcer, policies):
            await asyncio.to_thread(part.close)
        urgent_threads.shutdown(wait=True)
        sync_redis.close()
        store.close()
