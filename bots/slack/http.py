"""HTTP mode: `POST /slack/events` in the bots' web app.

Whoever finds the address can post to it, so nothing looks at a body before its signature was checked; a body that fails
is neither parsed nor logged. Bolt checks again behind this, but it parses first, fails with 500 on a timestamp that is
no number, lets unsigned "ssl_check" forms through, and logs the bodies that it refuses.

A genuine request that is sent again within five minutes does pass: that is what Slack's own retries look like. It is
harmless because intake takes an event once.
"""

import logging
import re
from collections.abc import Callable
from time import monotonic, time

import structlog
from fastapi import FastAPI
from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import Clock, SignatureVerifier
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bots.slack.manifest import EVENTS_PATH
from core.errors import ConfigurationError
from core.settings import MIB, Settings
from serving.bodies import Bodies

log = structlog.get_logger(__name__)

# The largest that Slack sends are messages and views with all their blocks, some hundred kilobytes.
BODY_LIMIT = 1 * MIB
# One line a minute says how many were refused: an attacker must not fill the log either.
REPORT_EVERY_S = 60.0
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")
_REFUSED = {"error": "invalid request"}


class _At(Clock):
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock()


class Signatures:
    """Tells Slack's requests from all others. `clock` tells seconds since 1970.

    Raises:
        ConfigurationError: there is no signing secret.
    """

    def __init__(self, secret: str, clock: Callable[[], float] = time) -> None:
        if not secret.strip():
            raise ConfigurationError("SLACK_SIGNING_SECRET is empty: without it anybody could pretend to be Slack.")
        self._verifier = SignatureVerifier(secret, _At(clock))

    def is_plausible(self, request: Request) -> bool:
        """Whether it carries one time and one signature that look like Slack's: asked before the body is read."""
        times = request.headers.getlist("x-slack-request-timestamp")
        signatures = request.headers.getlist("x-slack-signature")
        return (
            len(times) == len(signatures) == 1
            and _TIMESTAMP.fullmatch(times[0]) is not None
            and _SIGNATURE.fullmatch(signatures[0]) is not None
        )

    def is_slacks(self, request: Request, body: bytes) -> bool:
        """Whether Slack signed this body, at most five minutes ago (or ahead)."""
        try:
            body.decode()
        except UnicodeDecodeError:
            return False
        return self.is_plausible(request) and self._verifier.is_valid(
            body, request.headers["x-slack-request-timestamp"], request.headers["x-slack-signature"]
        )


class _Refusals:
    """Counts what was refused, and says so now and then."""

    def __init__(self) -> None:
        self._count = 0
        self._report_at = 0.0

    def add(self) -> None:
        self._count += 1
        if monotonic() >= self._report_at:
            log.warning("slack_requests_refused", count=self._count, remedy="if they are Slack's: glimt doctor slack")
            self._count, self._report_at = 0, monotonic() + REPORT_EVERY_S


def mount(app: FastAPI, bolt: AsyncApp, settings: Settings) -> None:
    """Let Slack's requests in to `bolt`.

    Raises:
        ConfigurationError: there is no signing secret.
    """
    signatures = Signatures(settings.slack_signing_secret.get_secret_value())
    # Bolt gives it the level of the root logger.
    logging.getLogger("slack_bolt.AsyncRequestVerification").setLevel(logging.WARNING)
    bodies = Bodies(settings)
    refusals = _Refusals()

    @app.post(EVENTS_PATH)
    async def events(request: Request) -> Response:
        if not signatures.is_plausible(request):
            refusals.add()
            return JSONResponse(_REFUSED, 401)
        with bodies.admit(request, BODY_LIMIT) as admitted:
            body = await admitted.body()
            if not signatures.is_slacks(request, body):
                refusals.add()
                return JSONResponse(_REFUSED, 401)
            return to_starlette_response(await bolt.async_dispatch(to_async_bolt_request(request, body)))
