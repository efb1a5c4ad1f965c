"""Which models run now, and where: by the presence of the workers. A turn whose mode asks for a model goes to them."""

import threading
import time
from collections.abc import Callable
from hashlib import sha256

import structlog
from kombu.entity import Queue
from redis import Redis
from redis.exceptions import RedisError

from core.queue.affinity import passing_queue
from core.queue.celery_app import QUEUE
from core.queue.presence import list_workers

log = structlog.get_logger(__name__)

BELIEVED_S = 2.0


def model_queue(model: str) -> Queue:
    """The queue that all workers read which run this model."""
    return passing_queue(f"{QUEUE}.model.{sha256(model.encode()).hexdigest()[:16]}")


class Fleet:
    """Asks Redis at most once in two seconds; while it is away, what it said last counts. Thread-safe. `clock` gives
    seconds that only ever grow."""

    def __init__(self, redis: Redis, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._clock = clock
        self._lock = threading.Lock()
        self._until = -1.0
        self._owners: dict[str, frozenset[str]] = {}

    def owners(self, model: str) -> frozenset[str]:
        """The workers that run this model and take turns."""
        with self._lock:
            if self._clock() >= self._until:
                self._look()
                self._until = self._clock() + BELIEVED_S
            return self._owners.get(model, frozenset())

    def _look(self) -> None:
        try:
            workers = [worker for worker in list_workers(self._redis) if worker.slots]
        except RedisError as error:
            log.warning("workers_unknown", error=type(error).__name__)
            return
        self._owners = {
            model: frozenset(worker.owner for worker in workers if worker.model == model)
            for model in {worker.model for worker in workers}
        }
