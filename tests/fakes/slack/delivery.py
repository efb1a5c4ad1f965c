"""Events and interactions on their way to the app, over Socket Mode or signed HTTP, with Slack's retries."""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

import aiohttp

from tests.fakes.slack.signing import signed_headers
from tests.fakes.slack.state import Json

if TYPE_CHECKING:
    from tests.fakes.slack.fake import FakeSlack

EventKind = Literal["events_api", "interactive", "slash_commands"]


@dataclass
class Attempt:
    """One try. `status` is HTTP's, 200 for an acknowledgement over Socket Mode and 0 when none came."""

    number: int
    status: int
    seconds: float
    body: str = ""

    @property
    def ok(self) -> bool:
        """Slack is content with it."""
        return 200 <= self.status < 300


@dataclass(eq=False)
class Delivery:
    """One payload on its way. Wait for its end with `wait()`, or `await` it; `attempts` say how it went."""

    kind: EventKind
    payload: Json
    attempts: list[Attempt] = field(default_factory=list)
    answer: Json = field(default_factory=dict)
    future: concurrent.futures.Future[None] = field(default_factory=concurrent.futures.Future)

    @property
    def acknowledged(self) -> bool:
        """The app has taken it."""
        return bool(self.attempts) and self.attempts[-1].ok

    def wait(self, timeout: float = 30) -> Delivery:
        """Returns itself at its end, acknowledged or not.

        Raises:
            TimeoutError: it has not ended in `timeout` seconds.
        """
        self.future.result(timeout)
        return self

    def __await__(self) -> Generator[Any, None, Delivery]:
        yield from asyncio.wrap_future(self.future).__await__()
        return self


class Deliverer:
    """Sends. `retry_delays` are Slack's (0, 60, 300 seconds) times `patience`, which is 0 so that tests need not
    wait."""

    def __init__(self, fake: FakeSlack) -> None:
        self._fake = fake
        self.patience = 0.0
        self.acknowledge_within = 3.0
        self.retry_delays = (0, 60, 300)

    def start(self, kind: EventKind, payload: Json, *, retries: int | None = None, first: int = 0) -> Delivery:
        """Begins a delivery, from any thread. Interactions are never tried again.

        Args:
            retries: at most so many after the first; Slack's three when None.
            first: the number of the first try, for a retry of something that was delivered before.
        """
        delivery = Delivery(kind, payload)
        if retries is None:
            retries = len(self.retry_delays) if kind == "events_api" else 0
        with self._fake.lock:
            self._fake.deliveries.append(delivery)
        delivery.future = asyncio.run_coroutine_threadsafe(self._run(delivery, retries, first), self._fake.loop)
        return delivery

    async def _run(self, delivery: Delivery, retries: int, first: int) -> None:
        reason = "http_error" if first else ""
        for number in range(first, first + retries + 1):
            if number > first:
                await asyncio.sleep(self.retry_delays[min(number, len(self.retry_delays)) - 1] * self.patience)
            began = asyncio.get_running_loop().time()
            status, body, failure = await self._attempt(delivery, number, reason)
            attempt = Attempt(number, status, asyncio.get_running_loop().time() - began, body)
            delivery.attempts.append(attempt)
            self._fake.changed()
            if attempt.ok:
                if delivery.kind == "slash_commands" and body:
                    self._fake.response_urls.acknowledged(delivery.payload["response_url"], delivery.answer or body)
                return
            reason = failure

    async def _attempt(self, delivery: Delivery, number: int, reason: str) -> tuple[int, str, str]:
        """Returns: the status, the body and why Slack tries again."""
        if not self._fake.request_url:
            try:
                delivery.answer = await self._fake.sockets.deliver(
                    delivery.kind, delivery.payload, number, reason, self.acknowledge_within
                )
            except TimeoutError:
                return 0, "", "timeout"
            return 200, json.dumps(delivery.answer) if delivery.answer else "", ""
        try:
            return await self._post(delivery, number, reason)
        except TimeoutError:
            return 0, "", "http_timeout"
        except aiohttp.ClientError:
            return 0, "", "connection_failed"

    async def _post(self, delivery: Delivery, number: int, reason: str) -> tuple[int, str, str]:
        body, headers = encode(delivery.kind, delivery.payload)
        headers |= signed_headers(self._fake.signing_secret, body, int(self._fake.world.clock.now()))
        if number:
            headers |= {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": reason}
        timeout = aiohttp.ClientTimeout(total=self.acknowledge_within)
        url = self._fake.request_url
        async with self._fake.http.post(url, data=body, headers=headers, timeout=timeout) as response:
            text = await response.text()
            if response.content_type == "application/json" and text:
                delivery.answer = json.loads(text)
            return response.status, text, "http_error"


def encode(kind: EventKind, payload: Json) -> tuple[bytes, dict[str, str]]:
    """The body and the headers of Slack's request: JSON for events, a form for what people press and type."""
    headers = {"User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)"}
    if kind == "events_api":
        return json.dumps(payload).encode(), headers | {"Content-Type": "application/json"}
    form = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
    return urlencode(form).encode(), headers | {"Content-Type": "application/x-www-form-urlencoded"}
