"""Without keys only this machine is served, so a request must also be addressed to this machine.

A hostile page can make its own name resolve to 127.0.0.1 (DNS rebinding); the Host header gives it away. A request
that came through a proxy may come from anywhere; nginx by default names us in Host, so what proxies add and where a
browser says that the page came from are looked at as well.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from bots.web.errors import error_response
from bots.web.gate import Gate
from core.errors import NotAllowed
from core.telegram_settings import TELEGRAM_WEBHOOK_PATH
from serving.addresses import is_loopback

FORWARDED = (
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "cf-connecting-ip",
)
# Where chat platforms post to, from elsewhere by their nature: each looks at no body before its secret or signature
# (`bots.telegram.webhook`, `bots.slack.http`), so a key would prove nothing more.
PROVE_THEMSELVES = frozenset({TELEGRAM_WEBHOOK_PATH, "/slack/events"})


class LoopbackHosts:
    """ASGI middleware that refuses, as long as no key exists, what is not addressed to a loopback name; but for what
    `PROVE_THEMSELVES`."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on or answer 403."""
        if scope["type"] == "http" and scope["path"] not in PROVE_THEMSELVES:
            headers = Headers(scope=scope)
            elsewhere = addressed_elsewhere(headers) or forwarded(headers) or from_page_elsewhere(headers)
            if elsewhere and await self._gate.keyless():
                refused = error_response(
                    scope["path"],
                    NotAllowed(
                        user_message="Without a key Glimt answers only on this machine, under localhost or 127.0.0.1. "
                        "To reach it from elsewhere, make one: glimt keys create --name NAME"
                    ),
                )
                await refused(scope, receive, send)
                return
        await self._app(scope, receive, send)


def addressed_elsewhere(headers: Headers) -> bool:
    """Whether the Host header names another machine, or nothing that could be one."""
    return not is_loopback(_without_port(headers.get("host", "")))


def forwarded(headers: Headers) -> bool:
    """Whether a proxy passed this on."""
    return any(name in headers for name in FORWARDED)


def from_page_elsewhere(headers: Headers) -> bool:
    """Whether a browser says that it shows our page, or another one, under the name of another machine."""
    origin = headers.get("origin", "null")
    if origin == "null":
        # No name at all: `serving.origin` decides.
        return False
    try:
        return not is_loopback(urlsplit(origin).hostname or "")
    except ValueError:
        return True


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0]
    return host.partition(":")[0]
