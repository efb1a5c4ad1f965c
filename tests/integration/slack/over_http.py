"""HTTP mode: the real web server beside the adapter."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from tests.fakes.slack import FakeSlack
from tests.integration.slack.office import Office, adapter_over
from tests.processes import Installation, until


@contextmanager
def serving_http(at: Installation, slack: FakeSlack) -> Iterator[Office]:
    """The adapter without Socket Mode; Slack posts to it."""
    with adapter_over(at, slack, slack_transport="http") as office:
        assert office.loop is not None
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(office.app, log_config=None, lifespan="off", timeout_graceful_shutdown=3)
        )
        ended = threading.Event()

        async def serve() -> None:
            await server._serve([listener])
            ended.set()

        office.loop.call_soon_threadsafe(lambda: office.loop and office.loop.create_task(serve()))
        until(lambda: server.started, "the server is up")
        slack.request_url = f"http://127.0.0.1:{listener.getsockname()[1]}/slack/events"
        try:
            yield office
        finally:
            slack.request_url = ""
            server.should_exit = True
            ended.wait(10)
            listener.close()
