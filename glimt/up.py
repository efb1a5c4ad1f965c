"""`glimt up`: start, wait until somebody can ask, serve."""

import http.client
from collections.abc import Callable

from redis import Redis
from redis.exceptions import RedisError

from core.queue.presence import list_workers
from core.settings import Settings
from glimt.review import console_installed, say_console
from glimt.supervisor import Supervisor

# A large model may take minutes to load from a slow disk.
START_TIMEOUT_S = 1800.0


def page_url(settings: Settings) -> str:
    """Address of the chat page."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return settings.public_url or f"http://{host}:{settings.web_port}/"


def up(settings: Settings, *, say: Callable[[str], None]) -> None:
    """Run the service until Ctrl-C or SIGTERM, then stop everything.

    Raises:
        ConfigurationError: something could not be started.
    """
    supervisor = Supervisor(settings, say)
    with supervisor.running():
        wait_until_ready(supervisor)
        say_console(settings, say)
        say(f"Ready: {page_url(settings)}")
        supervisor.serve()


def wait_until_ready(supervisor: Supervisor) -> None:
    """Until a worker has loaded its model and the page answers."""
    settings = supervisor.settings
    redis = Redis.from_url(supervisor.redis.url if supervisor.redis is not None else settings.queue_url)
    try:
        supervisor.wait_until(lambda: page_answers(settings) and has_worker(redis), START_TIMEOUT_S, "Glimt")
    finally:
        redis.close()


def page_answers(settings: Settings) -> bool:
    """Whether the bots process serves its page, and the console its own."""
    ports = [settings.web_port, *([settings.console_port] if console_installed() else [])]
    return all(answers(settings.host, port) for port in ports)


def answers(host: str, port: int) -> bool:
    """Whether a server of ours is there."""
    # Not urllib, which would ask the proxy of the environment for an address of our own.
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def has_worker(redis: Redis) -> bool:
    """Whether a worker has loaded its model and lives."""
    try:
        return bool(list_workers(redis))
    except RedisError:
        return False
