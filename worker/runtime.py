"""Everything that one worker process holds, wired together."""

import contextlib
import os
import secrets
import socket
import threading
import time
from dataclasses import asdict

import structlog
from celery import Celery
from redis.exceptions import RedisError

from core.conversation.erasure import finish_erasures
from core.conversation.takeover import return_idle
from core.inference.port import Engine
from core.media.blobs import BlobStore
from core.policy.watch import PolicyWatch
from core.queue.announcer import Announcer
from core.queue.connect import connect
from core.queue.dispatch import Dispatcher
from core.queue.presence import LIFETIME_S, WorkerPresence, withdraw_presence
from core.settings import Settings
from core.store.database import Store
from core.store.numbers.roll import count_due_days
from core.values import utc_now
from worker.answer import Answerer
from worker.held import HeldTurns, Stop
from worker.leases import CancelEar, LeaseKeeper
from worker.pace import Pace, resident_bytes
from worker.part import CLOSE_S, Part
from worker.periodic import Periodic
from worker.presence import PresenceKeeper
from worker.reaper import Reaper
from worker.retention import RetentionKeeper
from worker.sweeper import Sweeper

log = structlog.get_logger(__name__)

# Bytes of erased pictures stay for an hour if somebody has just sent the same ones (core.media.orphans).
ERASURES_S = 600.0
# How long late feedback or a late answer takes to get into the overview's numbers of days that are over.
NUMBERS_S = 15.0


class WorkerRuntime:
    """Starts and stops the worker's parts in the right order. The engine is handed in and closed here."""

    def __init__(self, settings: Settings, engine: Engine, celery: Celery) -> None:
        self.owner = f"{socket.gethostname()[:24]}:{os.getpid()}:{secrets.token_hex(4)}"
        self.held = HeldTurns(engine.cancel)
        self._winding_down = False
        self._since = time.time()
        self._pace = Pace()
        self._settings = settings
        self._engine = engine
        self._store = Store(settings.sql_url, pool_size=settings.worker_slots + 5)
        self._redis = connect(settings.queue_url)
        self._policies = PolicyWatch(self._store)
        dispatcher = Dispatcher(self._store, celery, self._redis, settings, self._policies)
        self._announcer = Announcer(dispatcher)
        blobs = BlobStore(settings.blob_store_url)
        self.answerer = Answerer(
            engine,
            self._store,
            blobs,
            self._redis,
            self.held,
            self._announcer,
            self.owner,
            settings,
            self._policies,
            dispatcher.fleet,
        )
        leases = LeaseKeeper(self._store, self.held, self.owner, settings)
        reaper = Reaper(self._store, self._redis, settings)
        sweeper = Sweeper(self._store, self._redis, dispatcher, reaper)
        self._presence = PresenceKeeper(self._redis, reaper, self._describe, settings)
        self._parts: list[Part] = [
            Periodic("leases", settings.heartbeat_s, leases.beat),
            Periodic("sweeper", settings.sweep_s, sweeper.sweep),
            Periodic("presence", LIFETIME_S / 5, self._presence.announce),
            Periodic("erasures", ERASURES_S, lambda: finish_erasures(self._store, blobs, utc_now())),
            Periodic("numbers", NUMBERS_S, lambda: count_due_days(self._store, settings.zone, utc_now())),
            RetentionKeeper(self._store, blobs, self.owner),
            CancelEar(settings.queue_url, self.held),
        ]
        if settings.take_over_idle_s:
            self._parts.append(Periodic("take-overs", settings.sweep_s, self._return_idle))

    def start(self) -> None:
        """Start the threads beside the answering ones."""
        self._policies.start()
        for part in self._parts:
            part.start()
        log.info("worker_started", owner=self.owner, model=self._engine.model_name, slots=self._settings.worker_slots)

    def wind_down(self) -> None:
        """Take nothing new; give running turns their time to finish, then give them back. Blocks for the grace."""
        self.answerer.refuse_new()
        self._winding_down = True
        # Nobody is to leave anything more to this worker. In a thread: where Redis is silent, it takes its time.
        threading.Thread(target=self._say_so, name="say-so", daemon=True).start()
        if not self.held.wait_until_empty(self._settings.shutdown_grace_s):
            log.info("giving_back", turns=len(self.held.attempts()))
            self.held.stop_all(Stop.GIVE_BACK)

    def close(self) -> None:
        """Stop the threads and the engine. Nothing is held any more by now, unless the process is being killed."""
        for part in self._parts:
            part.stop()  # All of them first: where Redis is silent, each may take seconds to notice.
        self._announcer.close()
        self._policies.close()
        for part in reversed(self._parts):
            part.close()
        self._close_engine()
        with contextlib.suppress(RedisError):  # The key runs out by itself.
            withdraw_presence(self._redis, self.owner)
        self._redis.close()
        self._store.close()
        log.info("worker_stopped", owner=self.owner)

    def _return_idle(self) -> None:
        # Several workers may do so at once; the questions that come back are announced by the sweeper.
        settings = self._settings
        return_idle(self._store, settings.take_over_idle_s, settings.waiting_per_person, utc_now())

    def _say_so(self) -> None:
        with contextlib.suppress(RedisError):
            self._presence.announce()

    def _close_engine(self) -> None:
        # It joins its thread, which never ends if it hangs in a step; the process must.
        closing = threading.Thread(target=self._engine.close, name="close-engine", daemon=True)
        closing.start()
        closing.join(CLOSE_S)
        if closing.is_alive():
            log.error("engine_hangs")

    def _describe(self) -> WorkerPresence:
        stats = self._engine.stats()
        return WorkerPresence(
            self.owner,
            self._engine.model_name,
            slots=0 if self._winding_down else self._settings.worker_slots,
            running=len(self.held.attempts()),
            engine=asdict(stats),
            since=self._since,
            memory_bytes=resident_bytes(),
            tokens_per_s=round(self._pace.look(stats.completion_tokens), 1),
        )
