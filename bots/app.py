"""The bots process: every adapter whose settings are there, around one set of services."""

import contextlib

import structlog

from bots.services import open_services
from bots.web.app import create_app
from bots.web.reach import check_binding
from core.settings import Settings
from core.store.migrate import require_current
from serving.server import run_until_stopped, serve_app

log = structlog.get_logger(__name__)


def run_bots(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        ConfigurationError: a setting or the database schema is wrong, or the address would be open to everybody.
    """
    require_current(settings.sql_url)
    run_until_stopped(lambda: _serve(settings))
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
            await serve_app(app, settings.host, settings.web_port)
