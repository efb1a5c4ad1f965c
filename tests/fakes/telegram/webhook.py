"""setWebhook's side: updates go to the app by POST, again and again until it says 2xx."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp

from tests.fakes.telegram.refusal import Refusal
from tests.fakes.telegram.state import Json
from tests.fakes.telegram.updates import Update

if TYPE_CHECKING:
    from tests.fakes.telegram.fake import FakeTelegram

_PORTS = (80, 88, 443, 8443)
_SECRET = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST_SECRET = 256


@dataclass(frozen=True)
class Attempt:
    """One try to deliver. `status` is HTTP's, 0 when no answer came."""

    update: int
    status: int
    secret: str


class Webhook:
    """Delivers: updates of one chat one after the other, of different chats up to `max_connections` at once.

    Attributes:
        reach: where an address really leads, by its scheme and host (`https://bot.example.org`): what DNS and a proxy
            with a certificate do for an app that listens on loopback.
        attempts: every try so far.
        pause: seconds before another try. Telegram begins with about one and grows patient.
        patience: seconds that the app may take for its answer.
    """

    def __init__(self, fake: FakeTelegram) -> None:
        self._fake = fake
        self.url = self.secret = ""
        self.max_connections = 40
        self.reach: dict[str, str] = {}
        self.attempts: list[Attempt] = []
        self.pause, self.patience = 0.05, 10.0
        self._certificate = False
        self._error: tuple[int, str] | None = None
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._busy: dict[int, asyncio.Task[None]] = {}

    def set(self, arguments: Json) -> None:
        """setWebhook and, with an empty url, deleteWebhook.

        Raises:
            Refusal: bad webhook.
        """
        url, secret = arguments.get("url", ""), arguments.get("secret_token", "")
        if url:
            self._check(url, secret)
        self.url, self.secret, self._error = url, secret, None
        most = 100_000 if self._fake.local else 100
        self.max_connections = max(1, min(arguments.get("max_connections", 40), most))
        self._certificate = "certificate" in arguments
        self._fake.updates.allow(arguments.get("allowed_updates"))
        if arguments.get("drop_pending_updates"):
            self._fake.updates.drop()
        self._fake.updates.interrupt()
        if url and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())
        self.wake()

    def _check(self, url: str, secret: str) -> None:
        parts = urlsplit(url)
        if not self._fake.local:
            if parts.scheme != "https":
                raise Refusal("bad webhook: An HTTPS URL must be provided for webhook", fault=f"webhook {url}")
            if (parts.port or 443) not in _PORTS:
                raise Refusal(
                    "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443", fault=f"webhook {url}"
                )
        if len(secret) > _LONGEST_SECRET:
            raise Refusal("secret token is too long", fault="secret_token")
        if secret and not _SECRET.fullmatch(secret):
            raise Refusal("secret token contains unallowed characters", fault="secret_token")

    def info(self) -> Json:
        """getWebhookInfo."""
        updates = self._fake.updates
        answer: Json = {
            "url": self.url,
            "has_custom_certificate": self._certificate,
            "pending_update_count": len(updates.waiting),
        }
        if self.url:
            answer |= {"max_connections": self.max_connections, "ip_address": "127.0.0.1"}
        if self._error is not None:
            answer |= {"last_error_date": self._error[0], "last_error_message": self._error[1]}
        return answer | ({"allowed_updates": sorted(updates.allowed)} if self.url else {})

    def wake(self) -> None:
        """There may be something to deliver. From any thread."""
        self._fake.loop.call_soon_threadsafe(self._wake.set)

    async def close(self) -> None:
        """No more deliveries."""
        for task in [*self._busy.values(), *([self._task] if self._task else [])]:
            task.cancel()
        self._task = None

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            with self._fake.lock:
                up = self.url and not self._fake.stopping.is_set()
                waiting = list(self._fake.updates.waiting) if up else []
            for update in waiting:
                if len(self._busy) >= self.max_connections:
                    break
                if update.chat not in self._busy:
                    task = asyncio.get_running_loop().create_task(self._deliver(update))
                    self._busy[update.chat] = task

    async def _deliver(self, update: Update) -> None:
        try:
            status, why = await self._post(update)
            with self._fake.lock:
                self.attempts.append(Attempt(update.id, status, self.secret))
                update.given += 1
                if 200 <= status < 300:
                    update.confirmed = True
                    if update in self._fake.updates.waiting:
                        self._fake.updates.waiting.remove(update)
                else:
                    self._error = (self._fake.world.today(), why)
            self._fake.changed()
            if not 200 <= status < 300:
                await asyncio.sleep(self.pause)
        finally:
            self._busy.pop(update.chat, None)
            self._wake.set()

    async def _post(self, update: Update) -> tuple[int, str]:
        """Returns: the status and, where it is none of success, what getWebhookInfo says of it."""
        parts = urlsplit(self.url)
        home = f"{parts.scheme}://{parts.netloc}"
        url = self.reach.get(home, home) + self.url[len(home) :]
        headers = {"X-Telegram-Bot-Api-Secret-Token": self.secret} if self.secret else {}
        timeout = aiohttp.ClientTimeout(total=self.patience)
        try:
            async with self._fake.http.post(url, json=update.as_json(), headers=headers, timeout=timeout) as response:
                text = await response.text()
                if text.lstrip().startswith("{") and '"method"' in text:
                    self._fake.violation("a method in the answer to a webhook, whose result nobody sees")
                return response.status, f"Wrong response from the webhook: {response.status} {response.reason}"
        except TimeoutError:
            return 0, "Read timeout expired"
        except aiohttp.ClientError:
            return 0, "Connection refused"
