"""Redis clients for the long-lived processes.

redis-py tries a command eleven times by default, five seconds each when the server is frozen: a minute in which an
answer or a page would wait. Whoever uses these clients repeats what matters by itself, so one retry is enough.
"""

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

TIMEOUT_S = 3.0


def connect(url: str, *, ping_s: int = 0) -> Redis:
    """A client for threads. Nothing is sent yet.

    A connection that said nothing for `ping_s` seconds is tried with a PING when it is used again; 0: never.
    """
    return Redis.from_url(
        url,
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), retries=1),
        health_check_interval=ping_s,
    )


def connect_async(url: str) -> AsyncRedis:
    """A client for one event loop. Nothing is sent yet."""
    return AsyncRedis.from_url(
        url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=AsyncRetry(NoBackoff(), retries=1)
    )
