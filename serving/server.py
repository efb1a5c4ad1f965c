"""Serving an application until somebody asks the process to stop."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable

import structlog
import uvicorn
import uvloop
from fastapi import FastAPI

log = structlog.get_logger(__name__)


def run_until_stopped(serve: Callable[[], Awaitable[None]]) -> None:
    """Run `serve` in a loop of its own; SIGTERM and SIGINT end it in order."""
    # After its orderly stop uvicorn sends itself the signal once more; by default that one would end the process
    # before the services are closed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    async def main() -> None:
        await serve()

    with contextlib.suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


async def serve_app(app: FastAPI, host: str, port: int) -> None:
    """Listen until the process is asked to stop."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        # Streams that are open when we are asked to stop get a moment; their readers reconnect afterwards.
        timeout_graceful_shutdown=3,
    )
    log.info("web_started", host=host, port=port)
    await uvicorn.Server(config).serve()
