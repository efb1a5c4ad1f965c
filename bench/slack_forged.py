"""Forged, tampered and late requests against Slack's address in HTTP mode, over real sockets, with genuine ones between
them: how many were taken, and whether a body reached any log at any level."""

import asyncio
import hashlib
import hmac
import io
import json
import logging
import random
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from time import perf_counter, time
from typing import Any, TextIO
from urllib.parse import quote

import aiohttp
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult

from bots.slack.http import BODY_LIMIT, mount
from bots.slack.manifest import EVENTS_PATH
from bots.web import errors
from core.settings import Settings

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
CANARY = "glimt-forged-body"
WINDOW_S = 300
AT_ONCE = 32
# One genuine request for so many forged ones: refusing everything would be no achievement.
GENUINE_EVERY = 20


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request. `genuine`: it is Slack's and must be taken."""

    kind: str
    body: bytes
    headers: dict[str, str]
    genuine: bool = False


def signature(body: bytes, timestamp: str, secret: str = SECRET) -> str:
    """As Slack computes it."""
    return "v0=" + hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()


def signed(body: bytes, timestamp: str, given: str | None = None) -> dict[str, str]:
    """The headers; `given` is sent as the signature instead of the right one."""
    right = signature(body, timestamp) if given is None else given
    kind = "application/json" if body.startswith(b"{") else "application/x-www-form-urlencoded"
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": right, "Content-Type": kind}


def event(number: int) -> bytes:
    """A message as Slack sends it."""
    said = {"type": "message", "channel": "C1", "user": "U1", "ts": f"{number}.1", "text": CANARY}
    return json.dumps(
        {"type": "event_callback", "team_id": "T1", "event_id": f"Ev{number}", "event_time": 1, "event": said}
    ).encode()


Forgery = Callable[[bytes, int, random.Random], tuple[bytes, dict[str, str]]]


def _flipped(text: str, rng: random.Random) -> str:
    at = rng.randrange(3, len(text))
    return text[:at] + rng.choice([c for c in "0123456789abcdef" if c != text[at]]) + text[at + 1 :]


FORGERIES: dict[str, Forgery] = {
    "unsigned": lambda body, now, rng: (body, {"Content-Type": "application/json"}),
    "no time": lambda body, now, rng: (body, {"X-Slack-Signature": signature(body, str(now))}),
    "no signature": lambda body, now, rng: (body, {"X-Slack-Request-Timestamp": str(now)}),
    "wrong secret": lambda body, now, rng: (body, signed(body, str(now), signature(body, str(now), f"{rng.random()}"))),
    "flipped digit": lambda body, now, rng: (body, signed(body, str(now), _flipped(signature(body, str(now)), rng))),
    "other body": lambda body, now, rng: (body + b" ", signed(body, str(now))),
    "other time": lambda body, now, rng: (body, signed(body, str(now - 1), signature(body, str(now)))),
    "too late": lambda body, now, rng: (body, signed(body, str(now - WINDOW_S - rng.randrange(30, 10**6)))),
    "too early": lambda body, now, rng: (body, signed(body, str(now + WINDOW_S + rng.randrange(30, 10**6)))),
    "negative time": lambda body, now, rng: (body, signed(body, str(-now))),
    "time in words": lambda body, now, rng: (
        body,
        signed(body, rng.choice(["now", "", "1e9", "nan", "0x10", "9" * 400])),
    ),
    "time with blanks": lambda body, now, rng: (body, signed(body, f"{now // 1000}_{now % 1000:03d}")),
    "other digits": lambda body, now, rng: (
        body,
        signed(body, str(now).translate({48 + d: 0xFF10 + d for d in range(10)})),
    ),
    "other version": lambda body, now, rng: (body, signed(body, str(now), "v1" + signature(body, str(now))[2:])),
    "capitals": lambda body, now, rng: (body, signed(body, str(now), signature(body, str(now)).upper())),
    "cut off": lambda body, now, rng: (body, signed(body, str(now), signature(body, str(now))[: rng.randrange(66)])),
    "not ASCII": lambda body, now, rng: (body, signed(body, str(now), "v0=" + "é" * 64)),
    "two of each": lambda body, now, rng: (body, signed(body, str(now), f"v0={'0' * 64}, {signature(body, str(now))}")),
    "not UTF-8": lambda body, now, rng: (body + b"\xff\xfe", signed(body, str(now))),
    "certificate check": lambda body, now, rng: (
        b"ssl_check=1&token=" + CANARY.encode(),
        {"Content-Type": "application/x-www-form-urlencoded"},
    ),
    "address check": lambda body, now, rng: (
        json.dumps({"type": "url_verification", "challenge": CANARY}).encode(),
        {"Content-Type": "application/json"},
    ),
    "button": lambda body, now, rng: (
        b"payload=" + quote(json.dumps({"type": "block_actions", "actions": [{"value": CANARY}]})).encode(),
        signed(b"payload=", str(now)),
    ),
    "signed but huge": lambda body, now, rng: (
        huge := body + b" " * BODY_LIMIT,
        signed(huge, str(now)),
    ),
}


def attempts(forged: int, rng: random.Random) -> Iterator[Attempt]:
    """`forged` forged requests, every kind in turn, and genuine ones among them."""
    kinds, numbers = list(FORGERIES), count(1)
    for done in range(forged):
        kind = kinds[done % len(kinds)]
        body, headers = FORGERIES[kind](event(next(numbers)), int(time()), rng)
        yield Attempt(kind, body, headers)
        if done % GENUINE_EVERY == 0:
            body = event(next(numbers))
            yield Attempt("genuine", body, signed(body, str(int(time()))), genuine=True)


@dataclass
class Outcome:
    """`taken` counts forged requests that were answered with 2xx or reached a handler, by kind; it should be empty."""

    forged: int
    genuine: int
    genuine_taken: int
    taken: Counter[str]
    statuses: Counter[int]
    log_lines: int
    lines_with_a_body: int
    seconds: float

    @property
    def good(self) -> bool:
        """Nothing that was forged was taken or logged, and everything genuine was taken."""
        return not self.taken and self.genuine == self.genuine_taken and not self.lines_with_a_body

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "forged": self.forged,
            "forged_taken": dict(self.taken),
            "genuine": self.genuine,
            "genuine_taken": self.genuine_taken,
            "statuses": {str(status): n for status, n in sorted(self.statuses.items())},
            "log_lines": self.log_lines,
            "log_lines_with_a_body": self.lines_with_a_body,
            "requests_per_second": round((self.forged + self.genuine) / self.seconds, 1),
        }


async def attack(settings: Settings, forged: int, rng: random.Random) -> Outcome:
    """Serve the address and attack it. What is logged meanwhile, at any level, is looked through."""
    reached: set[str] = set()
    app = _serving(settings.model_copy(update={"slack_signing_secret": SecretStr(SECRET)}), reached)
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}{EVENTS_PATH}"
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=3))
    taken, statuses, genuine, genuine_taken = Counter[str](), Counter[int](), 0, 0
    room = asyncio.Semaphore(AT_ONCE)

    async def send(session: aiohttp.ClientSession, attempt: Attempt) -> None:
        nonlocal genuine, genuine_taken
        try:
            async with session.post(url, data=attempt.body, headers=attempt.headers) as response:
                status = response.status
        except aiohttp.ClientConnectionError:
            # The server may hang up on a body that is too large before it was sent.
            status = 0
        finally:
            room.release()
        statuses[status] += 1
        genuine += attempt.genuine
        genuine_taken += attempt.genuine and status == 200
        if not attempt.genuine and 200 <= status < 300:
            taken[attempt.kind] += 1

    with _listening_to_logs() as log:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        began = perf_counter()
        # Kept-alive connections can be closed by the server while a request is on its way.
        connector = aiohttp.TCPConnector(force_close=True, limit=AT_ONCE)
        async with aiohttp.ClientSession(connector=connector, trust_env=False) as session:
            async with asyncio.TaskGroup() as group:
                for attempt in attempts(forged, rng):
                    await room.acquire()
                    group.create_task(send(session, attempt))
        seconds = perf_counter() - began
        server.should_exit = True
        await serving
    if len(reached) != genuine:
        taken["reached a handler"] = len(reached) - genuine
    lines = log.getvalue().splitlines()
    return Outcome(
        forged, genuine, genuine_taken, taken, statuses, len(lines), sum(CANARY in line for line in lines), seconds
    )


def _serving(settings: Settings, reached: set[str]) -> FastAPI:
    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id="T1", bot_id="B1", bot_user_id="U9", bot_token="xoxb-none")

    async def handle(body: dict[str, Any]) -> None:
        reached.add(str(body["event_id"]))

    bolt = AsyncApp(name="glimt", signing_secret=SECRET, authorize=authorize, process_before_response=True)
    bolt.event("message")(handle)
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    errors.install(app)
    mount(app, bolt, settings)
    return app


class _listening_to_logs:
    """Everything that is logged, at every level, in a text."""

    # They write of our own requests, and of this machine's sockets.
    OURS = ("asyncio", "aiohttp")

    def __enter__(self) -> io.StringIO:
        self._text = io.StringIO()
        self._handler = logging.StreamHandler(self._text)
        self._root = logging.getLogger()
        self._handlers = list(self._root.handlers)
        self._levels = {logger: logger.level for logger in [self._root, *self._loggers()]}
        for logger in self._levels:
            logger.setLevel(logging.DEBUG)
        for name in self.OURS:
            logging.getLogger(name).setLevel(logging.WARNING)
        self._root.handlers[:] = [self._handler]
        return self._text

    def __exit__(self, *_: object) -> None:
        self._root.handlers[:] = self._handlers
        for logger, level in self._levels.items():
            logger.setLevel(level)

    def _loggers(self) -> list[logging.Logger]:
        return [found for found in logging.root.manager.loggerDict.values() if isinstance(found, logging.Logger)]


def run(settings: Settings, *, requests: int, as_json: bool, out: TextIO) -> None:
    """Measure and print.

    Raises:
        SystemExit: something forged was taken or logged, or something genuine was not taken.
    """
    outcome = asyncio.run(attack(settings, requests, random.Random(0)))
    if as_json:
        print(json.dumps(outcome.as_json(), indent=2), file=out)
    else:
        for name, value in outcome.as_json().items():
            print(f"{name.replace('_', ' ')}: {value}", file=out)
    if not outcome.good:
        raise SystemExit(1)
