"""The baseline: a Celery worker with the very same settings whose task does nothing but count.

Run as `python -m bench.bare_celery`, settings from the environment.
"""

import itertools
from collections.abc import Iterator

from redis import Redis

from core.queue.celery_app import make_celery
from core.settings import load_settings

TASK = "bench.nothing"
QUEUE = "bench"
DONE_KEY = "bench:done"
READY_KEY = "bench:ready"


def main() -> None:
    """Serve until SIGTERM. A task is called with the number of tasks of its batch; the last one signals the end."""
    settings = load_settings()
    celery = make_celery(settings)
    redis = Redis.from_url(settings.queue_url)
    counters: dict[int, Iterator[int]] = {}

    def nothing(batch: int) -> None:
        # `setdefault` and `next` on a count are atomic under the GIL: no lock in the way of the measurement.
        if next(counters.setdefault(batch, itertools.count(1))) % batch == 0:
            redis.rpush(DONE_KEY, 1)

    celery.task(name=TASK, ignore_result=True)(nothing)
    redis.rpush(READY_KEY, 1)
    celery.Worker(
        pool="threads",
        concurrency=settings.worker_slots,
        queues=[QUEUE],
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        loglevel="WARNING",
        quiet=True,
    ).start()


if __name__ == "__main__":
    main()
