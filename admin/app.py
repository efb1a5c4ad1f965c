"""The console's web server. Routes live in one file a noun."""

from collections.abc import Callable
from time import monotonic

import structlog
from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from admin import errors
from admin.admins import add_admins
from admin.assigning import add_assigning
from admin.audit import add_audit
from admin.console import Console
from admin.erasing import add_erasing
from admin.exports import add_exports
from admin.filling import kept_full
from admin.headers import SECURITY_HEADERS
from admin.inbox import add_inbox
from admin.labels import add_labels
from admin.live import add_live
from admin.numbers import add_numbers
from admin.oidc import add_oidc
from admin.pages import HERE
from admin.personal import add_personal
from admin.pictures import add_pictures
from admin.queue_rules import add_queue_rules
from admin.queues import add_queues
from admin.retention import add_retention
from admin.review import add_review
from admin.routes import Routes
from admin.services import Services, open_services
from admin.sessions import add_sessions
from admin.settings import add_settings
from admin.sign_in import add_sign_in
from admin.takeover import add_takeover
from admin.tokens import add_tokens
from admin.transcript import add_transcript
from core.settings import Settings
from core.store.migrate import require_current
from serving.addresses import is_loopback
from serving.files import PageFiles
from serving.headers import SecurityHeaders
from serving.server import run_until_stopped, serve_app

log = structlog.get_logger(__name__)


def create_app(services: Services) -> FastAPI:
    """The ASGI application.

    Raises:
        ConfigurationError: a route does not say who may use it.
    """
    app, _ = create_app_and_routes(services)
    return app


def create_app_and_routes(services: Services, clock: Callable[[], float] = monotonic) -> tuple[FastAPI, Routes]:
    """The application, and which permission each of its routes asks for.

    Raises:
        ConfigurationError: a route does not say who may use it.
    """
    console = Console.of(services)
    # No generated documentation: its page would need scripts from elsewhere.
    app = FastAPI(title="Glimt console", openapi_url=None, docs_url=None, redoc_url=None)
    errors.install(app, console.pages)
    routes = Routes(app, console.door, console.bearers)
    add_inbox(routes, console)
    add_transcript(routes, console)
    add_live(routes, console)
    add_review(routes, console)
    add_assigning(routes, console)
    add_labels(routes, console)
    add_queues(routes, console)
    add_queue_rules(routes, console)
    add_takeover(routes, console)
    add_pictures(routes, console)
    add_sign_in(routes, console, clock)
    add_oidc(routes, console)
    add_sessions(routes, console)
    add_admins(routes, console)
    add_settings(routes, console)
    add_audit(routes, console)
    add_exports(routes, console)
    add_personal(routes, console)
    add_tokens(routes, console)
    add_numbers(routes, console)
    add_retention(routes, console)
    add_erasing(routes, console)
    routes.mount_public("/static", GZipMiddleware(PageFiles(directory=HERE / "static")), name="static")
    routes.require_all_declared()
    # The last one added is the outermost.
    app.add_middleware(SecurityHeaders, headers=SECURITY_HEADERS)
    return app, routes


def run_console(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        ConfigurationError: a setting or the database schema is wrong.
    """
    require_current(settings.sql_url)
    if not is_loopback(settings.host) and not settings.console_url.startswith("https://"):
        log.warning("console_without_https", says="passwords and cookies travel openly; set GLIMT_CONSOLE_URL")
    run_until_stopped(lambda: _serve(settings))
    log.info("console_stopped")


async def _serve(settings: Settings) -> None:
    async with open_services(settings) as services, kept_full(services.store):
        await serve_app(create_app(services), settings.host, settings.console_port)
