"""Security headers on every response."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_CSP = b"content-security-policy"


def security_headers(policy: str) -> dict[str, str]:
    """The headers of a page whose content security policy is `policy`."""
    return {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        # Without it a page on another port of this machine could show our pictures.
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
        "x-frame-options": "DENY",
    }


class SecurityHeaders:
    """ASGI middleware. A response that brings a policy of its own (pictures) keeps it."""

    def __init__(self, app: ASGIApp, headers: dict[str, str]) -> None:
        self._app = app
        self._all = [(name.encode(), value.encode()) for name, value in headers.items()]
        self._others = [(name, value) for name, value in self._all if name != _CSP]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on with the headers added."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = any(name == _CSP for name, _ in message["headers"])
                message["headers"] = [*message["headers"], *(self._others if own else self._all)]
                MutableHeaders(scope=message).setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers)
