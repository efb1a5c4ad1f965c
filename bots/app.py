"""The bots process: every adapter whose settings are there, around one set of services."""

import asyncio
import contextlib
import signal

import structlog
import uvicorn
import uvloop
from fastapi import FastAPI

from bots.services import open_services
from bots.web.app import create_app
from bots.web.reach import check_binding
from core.settings import Settings
from core.store.migrate import require_current

log = structlog.get_logger(__name__)


def run_bots(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        ConfigurationError: a setting or the database schema is wrong, or the address would be open to everybody.
    """
    require_current(settings.sql_url)
    # After its orderly stop uvicorn sends itself the signal once more; by default that one would end the process
    # before the services are closed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings))
    log.info("web_stopped")


async def _serve(settings: Settings) -> None:
    async with open_services(settings) as services:
        check_binding(settings, services.store)
        app = create_app(services)
        async with contextlib.AsyncExitStack() as adapters:
            if settings.slack_enabled:
                # Only here, so that nobody needs Slack's SDK who does not serve it.
                from bots.slack.adapter import open_slack

                await adapters.enter_async_context(open_slack(services, app))
            if settings.telegram_enabled:
                from bots.telegram.adapter import open_telegram

                await adapters.enter_async_context(open_telegram(services, app))
            await _serve_web(settings, app)


async def _serve_web(settings: Settings, app: FastAPI) -> None:
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.web_port,
        log_config=None,
        access_log=False,
        server_header=False,
        # Streams that are open when we are asked to stop get a moment; their readers reconnect afterwards.
        timeout_graceful_shutdown=3,
    )
    log.info("web_started", host=settings.host, port=settings.web_port)
    await uvicorn.Server(config).serve()
