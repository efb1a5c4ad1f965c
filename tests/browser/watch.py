"""What no page may do: break its content security policy, log an error, throw, or talk to another server."""

import re
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Page, Request, WebError

# Reported from inside, because not every violation is written to the console.
_REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  reportViolation(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`));
"""


class Watch:
    """Collects misdeeds over any number of profiles."""

    def __init__(self) -> None:
        self._seen: list[str] = []
        self._allowed: list[str] = []
        self._origins: set[str] = set()

    def over(self, context: BrowserContext) -> None:
        """Watch every page of `context`."""
        context.expose_function("reportViolation", lambda text: self._seen.append(f"CSP violation: {text}"))
        context.add_init_script(_REPORT_VIOLATIONS)
        context.on("console", self._console)
        context.on("weberror", self._thrown)
        context.on("request", self._request)
        context.on("dialog", self._dialog)
        context.on("page", self._page)

    def allow(self, pattern: str) -> None:
        """Messages that this test brings about on purpose; a regular expression found anywhere in them."""
        self._allowed.append(pattern)

    def allow_origin(self, url: str) -> None:
        """The server under test."""
        self._origins.add(_origin(url))

    def problems(self) -> list[str]:
        """Everything seen and not allowed."""
        return [text for text in self._seen if not any(re.search(pattern, text) for pattern in self._allowed)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._seen.append(f"console {message.type}: {message.text} ({message.location.get('url', '')})")

    def _thrown(self, error: WebError) -> None:
        self._seen.append(f"thrown: {error.error}")

    def _request(self, request: Request) -> None:
        if _origin(request.url) not in self._origins and urlsplit(request.url).scheme in ("http", "https", "ws", "wss"):
            self._seen.append(f"request to another server: {request.url}")

    def _dialog(self, dialog: Dialog) -> None:
        self._seen.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _page(self, page: Page) -> None:
        page.on("crash", lambda _page: self._seen.append("the page crashed"))


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
