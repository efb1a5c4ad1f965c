"""Beside the answering threads: heartbeats that keep the leases, and an ear for Stop."""

from datetime import timedelta

import structlog
from redis.exceptions import RedisError

from core.queue.cancel import CANCEL_CHANNEL, read_poke
from core.queue.connect import connect
from core.settings import Settings
from core.store.database import Store
from core.values import utc_now
from worker.held import HeldTurns, Stop
from worker.part import Part

log = structlog.get_logger(__name__)

# A silent connection is asked for a sign of life after so many seconds, then once a second.
PING_S = 2
UNANSWERED_PINGS = 3


class LeaseKeeper:
    """Prolongs the leases of all held turns in one update; learns there what was cancelled or lost."""

    def __init__(self, store: Store, held: HeldTurns, owner: str, settings: Settings) -> None:
        self._store = store
        self._held = held
        self._owner = owner
        self._lease = timedelta(seconds=settings.lease_s)

    def beat(self) -> None:
        """One heartbeat.

        Raises:
            StoreError: the database is away; leases may run out, and then the fence keeps us from writing.
        """
        before = self._held.attempts()
        if not before:
            return
        with self._store.write() as repositories:
            ours, cancelled = repositories.turns.heartbeat(self._owner, before, utc_now() + self._lease)
        for turn_id, attempt in before - ours:
            # Finished in this moment, or lost to the reaper; for a finished one this does nothing.
            self._held.stop(turn_id, attempt, Stop.LOST)
        for turn_id, attempt in cancelled:
            self._held.stop(turn_id, attempt, Stop.CANCELLED)


class CancelEar(Part):
    """Listens for pokes of `core.queue.cancel`. They may get lost: the heartbeat finds the flag in SQL anyway."""

    def __init__(self, redis_url: str, held: HeldTurns) -> None:
        super().__init__("cancel-ear")
        self._redis = connect(redis_url, ping_s=PING_S)
        self._held = held

    def run(self) -> None:
        while not self.stopped.is_set():
            try:
                self._listen()
            except (RedisError, OSError) as error:
                log.warning("cancel_ear_lost", error=type(error).__name__)
                self.stopped.wait(1.0)

    def _listen(self) -> None:
        with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:  # type: ignore[no-untyped-call]  # redis-py has no types here
            pubsub.subscribe(CANCEL_CHANNEL)
            while not self.stopped.is_set():
                message = pubsub.get_message(timeout=1.0)
                if pubsub.health_check_response_counter > UNANSWERED_PINGS:
                    # redis-py sends them, but never looks whether they are answered.
                    raise TimeoutError("the connection is silent")
                if message is not None and (meant := read_poke(message["data"])) is not None:
                    self._held.stop(*meant, Stop.CANCELLED)
