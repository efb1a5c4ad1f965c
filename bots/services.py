"""What the adapters of one bots process share, opened once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass

from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from bots.picture_reader import PictureReader
from core.conversation.inbound import Accepted, InboundQuestion
from core.conversation.intake import Intake
from core.errors import Busy, NotFound, RequestError
from core.media.blobs import BlobStore
from core.queue.announcer import Announcer
from core.queue.cancel import request_cancel
from core.queue.celery_app import make_celery
from core.queue.connect import connect, connect_async
from core.queue.dispatch import Dispatcher
from core.queue.follow import StreamHub
from core.queue.handover import hand_over
from core.queue.streams import forget_stream
from core.settings import Settings
from core.store.database import Store
from core.store.models import Turn
from core.values import TurnState, utc_now

# Threads for SQL and blobs; SQLite has one writer anyway. Nothing that waits for strangers may take one of them.
THREADS = 16


@dataclass(frozen=True, slots=True)
class Services:
    """Shared parts. The synchronous ones are called through `asyncio.to_thread`."""

    settings: Settings
    store: Store
    blobs: BlobStore
    pictures: PictureReader
    intake: Intake
    announcer: Announcer
    hub: StreamHub
    redis: AsyncRedis
    sync_redis: Redis

    async def ask(self, inbound: InboundQuestion) -> Accepted:
        """Commit the question, then wake a worker. When this returns, the platform may be told that it is safe.

        Raises:
            RequestError: see `Intake.accept`.
            StoreError: nothing was committed.
        """
        accepted = await asyncio.to_thread(self.intake.accept, inbound)
        self.announcer.hint(accepted.person_id, accepted.conversation_id)
        return accepted

    async def cancel(self, turn_id: str) -> TurnState | None:
        """Stop a turn that waits or runs; its state after that. The caller has checked whose turn it is."""
        return await asyncio.to_thread(request_cancel, self.store, self.sync_redis, turn_id, self.settings.stream_ttl_s)

    async def ask_again(self, turn_id: str, person_id: str) -> Turn:
        """*Try again*: a turn that failed or was stopped is ready once more, and a worker is woken.

        The caller has checked whose turn it is.

        Raises:
            NotFound: there is none (any more).
            Busy: this person has too many questions waiting.
            RequestError: it is not the last of its conversation, or did not fail.
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

    def _reopen(self, turn_id: str, person_id: str) -> Turn:
        with self.store.read() as repositories:
            turn = repositories.turns.get(turn_id)
        if turn is None:
            raise NotFound
        if turn.state in (TurnState.FAILED, TurnState.CANCELLED):
            forget_stream(self.sync_redis, turn_id)
        with self.store.write() as repositories:
            if (waiting := repositories.turns.count_open(person_id)) >= self.settings.waiting_per_person:
                raise Busy(
                    user_message=f"You have {waiting} questions waiting already. Please wait for an answer first."
                )
            if not repositories.turns.reopen(turn_id, utc_now()):
                raise RequestError(
                    user_message="Only a conversation's last question can be asked again, once it failed or was "
                    "stopped."
                )
            return repositories.turns.get(turn_id) or turn


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """Connect to SQL and Redis; both may be away at first, requests then fail one by one."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="bots"))
    store = Store(settings.sql_url, pool_size=THREADS)
    blobs = BlobStore(settings.blob_store_url)
    pictures = PictureReader(settings)
    redis = connect_async(settings.queue_url)
    sync_redis = connect(settings.queue_url)
    announcer = Announcer(Dispatcher(store, make_celery(settings), sync_redis, settings))
    try:
        async with StreamHub(redis, store) as hub:
            intake = Intake(store, blobs, settings)
            yield Services(settings, store, blobs, pictures, intake, announcer, hub, redis, sync_redis)
    finally:
        with contextlib.suppress(Exception):
            await redis.aclose()
        await asyncio.to_thread(pictures.close)
        await asyncio.to_thread(announcer.close)
        sync_redis.close()
        store.close()
