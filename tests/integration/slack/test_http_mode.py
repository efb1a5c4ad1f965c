"""HTTP mode: what Slack signed gets in, nothing else does, and what is refused is neither parsed nor logged."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Mapping
from time import time

import httpx
import pytest
from fastapi import FastAPI
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from starlette.requests import Request

from bench.slack_forged import FORGERIES, SECRET, attack, event, signed
from bots.slack.http import BODY_LIMIT, Signatures, mount
from bots.slack.manifest import EVENTS_PATH
from bots.web import errors
from core.errors import ConfigurationError
from core.settings import Settings, load_settings

NOW = 1_760_000_000
BODY = event(1)


def _settings(secret: str = SECRET) -> Settings:
    return load_settings(_env_file=None, slack_bot_token="xoxb-1-2-3", slack_signing_secret=secret)


def test_nothing_forged_is_taken_or_logged() -> None:
    outcome = asyncio.run(attack(_settings(), 20 * len(FORGERIES), random.Random(7)))

    assert outcome.good, outcome.as_json()
    assert set(outcome.statuses) <= {200, 401, 413, 0}
    assert outcome.statuses[200] == outcome.genuine > 0
    assert outcome.statuses[401] >= 19 * len(FORGERIES)
    # Log lines of Bolt's about what was taken; one for all that was refused.
    assert outcome.log_lines > 0


def _request(headers: Mapping[str, str]) -> Request:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": EVENTS_PATH, "headers": raw})


@pytest.mark.parametrize(("off", "taken"), [(0, True), (300, True), (-300, True), (301, False), (-301, False)])
def test_five_minutes_are_the_limit_on_both_sides(off: int, taken: bool) -> None:
    signatures = Signatures(SECRET, clock=lambda: float(NOW))

    assert signatures.is_slacks(_request(signed(BODY, str(NOW + off))), BODY) is taken


def test_every_byte_of_the_body_counts() -> None:
    signatures = Signatures(SECRET, clock=lambda: float(NOW))
    request = _request(signed(BODY, str(NOW)))

    assert signatures.is_slacks(request, BODY)
    for at in range(len(BODY)):
        changed = BODY[:at] + bytes([BODY[at] ^ 1]) + BODY[at + 1 :]
        assert not signatures.is_slacks(request, changed)


def test_two_signatures_are_none() -> None:
    headers = list(signed(BODY, str(NOW)).items()) * 2
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    request = Request({"type": "http", "method": "POST", "path": EVENTS_PATH, "headers": raw})

    assert not Signatures(SECRET, clock=lambda: float(NOW)).is_slacks(request, BODY)


@pytest.mark.parametrize("secret", ["", "  "])
def test_without_a_secret_the_address_is_not_opened(secret: str) -> None:
    with pytest.raises(ConfigurationError, match="SLACK_SIGNING_SECRET"):
        Signatures(secret)


async def _authorize() -> AuthorizeResult:
    return AuthorizeResult(enterprise_id=None, team_id="T1", bot_id="B1", bot_user_id="U9", bot_token="xoxb-1")


def _app(seen: list[str]) -> FastAPI:
    async def handle(body: dict[str, str]) -> None:
        seen.append(body["event_id"])

    async def fail() -> None:
        raise RuntimeError("not committed")

    bolt = AsyncApp(name="glimt", signing_secret=SECRET, authorize=_authorize, process_before_response=True)
    bolt.event("message")(handle)
    bolt.event("app_mention")(fail)
    app = FastAPI(openapi_url=None)
    errors.install(app)
    mount(app, bolt, _settings())
    return app


def _signed(body: bytes) -> dict[str, str]:
    return signed(body, str(int(time())))


def _post(app: FastAPI, content: bytes | AsyncIterator[bytes], headers: Mapping[str, str]) -> httpx.Response:
    async def post() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://glimt") as client:
            return await client.post(EVENTS_PATH, content=content, headers=headers)

    return asyncio.run(post())


def test_the_address_answers_nothing_but_posts() -> None:
    async def get() -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(_app([])), base_url="http://glimt") as client:
            return (await client.get(EVENTS_PATH)).status_code

    assert asyncio.run(get()) == 405


def test_a_body_without_a_length_ends_at_the_limit() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65_536
            yield b"x" * 65_536

    assert _post(_app([]), endless(), _signed(b"")).status_code == 413
    assert sent <= BODY_LIMIT + 2 * 65_536


def test_an_unsigned_body_is_not_even_read() -> None:
    async def never() -> AsyncIterator[bytes]:
        raise AssertionError("somebody read it")
        yield b""

    transport = httpx.ASGITransport(_app([]))

    async def post() -> httpx.Response:
        # The transport itself reads the body only when the app asks for it.
        async with httpx.AsyncClient(transport=transport, base_url="http://glimt") as client:
            return await client.post(EVENTS_PATH, content=never())

    assert asyncio.run(post()).status_code == 401


def test_what_fails_is_sent_again_by_slack() -> None:
    body = event(5).replace(b'"type": "message"', b'"type": "app_mention"')

    assert _post(_app([]), body, _signed(body)).status_code == 500


def test_a_genuine_request_that_is_sent_again_reaches_the_handler_again() -> None:
    # As Slack's own retries must: taking an event once is intake's business, in SQL.
    seen: list[str] = []
    app = _app(seen)

    for _ in range(2):
        assert _post(app, BODY, _signed(BODY)).status_code == 200
    assert seen == ["Ev1", "Ev1"]


def test_slacks_question_whether_the_address_is_ours_is_answered() -> None:
    body = b'{"type": "url_verification", "challenge": "3eZbrw1aB"}'
    answer = _post(_app([]), body, _signed(body))

    assert answer.status_code == 200
    assert "3eZbrw1aB" in answer.text


def test_bolt_keeps_the_bodies_that_it_refuses_to_itself() -> None:
    # At the very end of the five minutes it may refuse what we have let in, and says so with the body, at INFO.
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.INFO)
    try:
        _app([])
        verification = logging.getLogger("slack_bolt.AsyncRequestVerification")
        assert not verification.isEnabledFor(logging.INFO)
    finally:
        root.setLevel(level)
