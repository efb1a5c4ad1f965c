"""Which models workers run now."""

from contextlib import closing

from redis.exceptions import RedisError

from core.queue.connect import connect
from core.queue.presence import list_workers
from core.settings import Settings


def running_models(settings: Settings) -> list[str] | None:
    """Their names; None: Redis does not tell. Blocks. With a connection of its own: it is rarely asked."""
    try:
        with closing(connect(settings.queue_url)) as redis:
            return sorted({worker.model for worker in list_workers(redis) if worker.slots})
    except RedisError:
        return None
