"""`python -m worker.health`: exits 0 while a worker of this host says that it lives. For container health checks."""

import socket
import sys

from redis import Redis
from redis.exceptions import RedisError

from core.queue.presence import list_workers
from core.settings import load_settings


def find_fault(redis: Redis, host: str) -> str:
    """Why no worker of `host` can be relied on; empty if one lives."""
    try:
        owners = [worker.owner for worker in list_workers(redis)]
    except RedisError as error:
        return f"Redis cannot be reached: {error}"
    if not any(owner.split(":")[0] == host[:24] for owner in owners):
        return f"no worker of {host} has announced itself; the model may still be loading"
    return ""


def main() -> None:
    """Print the fault, if any, and exit accordingly."""
    redis = Redis.from_url(load_settings().queue_url, socket_timeout=5, socket_connect_timeout=5)
    if fault := find_fault(redis, socket.gethostname()):
        sys.exit(fault)


if __name__ == "__main__":
    main()
