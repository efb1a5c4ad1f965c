"""The web server as a browser or a program meets it: real uvicorn, SQL and Redis; the test itself is the worker."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import Any

import httpx
from fastapi import FastAPI
from openai import OpenAI
from PIL import Image

from bots.services import Services, open_services
from bots.web.app import create_app
from core.queue.streams import TurnWriter
from core.settings import Settings
from core.store.models import Delivery, Turn
from core.store.outcome import Outcome
from core.values import TurnState, utc_now
from tests.processes import PATIENCE_S, Installation, until
from tests.serve import serving_app

OWNER = "the-test"
LEASE = timedelta(minutes=5)


@dataclass
class Site:
    """A running server. `url` has no slash at its end."""

    at: Installation
    settings: Settings
    url: str
    services: Services
    app: FastAPI

    def browser(self) -> httpx.Client:
        """A browser on our own page, with cookies of its own and no session yet."""
        return self._client({"sec-fetch-site": "same-origin"})

    def visitor(self, key: str | None = None) -> httpx.Client:
        """A browser that is signed in: with `key`, or by itself where none is needed."""
        browser = self.browser()
        if key is not None:
            assert browser.post("/api/session", json={"key": key}).status_code == 204
        answer = browser.get("/api/session").json()
        assert answer["signed_in"], answer
        return browser

    def program(self, key: str | None = None) -> httpx.Client:
        """A program that is no browser."""
        return self._client({} if key is None else {"authorization": f"Bearer {key}"})

    def _client(self, headers: dict[str, str]) -> httpx.Client:
        # Without `verify` it does not load all the world's certificates each time.
        return httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE_S, verify=False)

    def openai(self, key: str = "none-needed", **options: Any) -> OpenAI:
        """OpenAI's own client."""
        return OpenAI(base_url=f"{self.url}/v1", api_key=key, timeout=PATIENCE_S, **options)

    def take(self, question: str) -> "Work":
        """Be the worker: wait for the ready turn that asks `question`, and claim it."""

        def ready() -> str | None:
            with self.at.store.read() as repositories:
                found = repositories.session.query(Turn).filter_by(question=question, state="ready")
                turn = found.one_or_none()
            return None if turn is None else turn.id

        return self.claim(str(until(ready, f"{question!r} is ready")))

    def claim(self, turn_id: str) -> "Work":
        """Be the worker: claim this turn."""
        with self.at.store.write() as repositories:
            turn = repositories.turns.claim(turn_id, OWNER, utc_now(), utc_now() + LEASE)
        assert turn is not None
        return Work(self, turn, TurnWriter(self.at.redis, turn.id, turn.attempt, 3600))

    def turn(self, turn_id: str) -> Turn:
        """The row as it is now."""
        with self.at.store.read() as repositories:
            turn = repositories.turns.get(turn_id)
        assert turn is not None
        return turn

    def turns(self) -> int:
        """How many there are."""
        with self.at.store.read() as repositories:
            return repositories.session.query(Turn).count()

    def delivery(self, turn_id: str) -> Delivery:
        """The outbox row of a turn that has ended."""
        with self.at.store.read() as repositories:
            return repositories.session.query(Delivery).filter_by(turn_id=turn_id).one()

    def until_state(self, turn_id: str, state: TurnState) -> Turn:
        """Wait until the turn is in `state`."""
        until(lambda: self.turn(turn_id).state == state, f"the turn is {state}")
        return self.turn(turn_id)

    def metric(self, line_start: str) -> float:
        """The value of one line of /metrics."""
        for line in self.program().get("/metrics").text.splitlines():
            if line.startswith(line_start):
                return float(line.rpartition(" ")[2])
        return 0.0


@dataclass
class Work:
    """One attempt that the test itself makes."""

    site: Site
    turn: Turn
    writer: TurnWriter

    def say(self, *texts: str) -> "Work":
        """Stream text of the answer."""
        for text in texts:
            self.writer.text(text)
        self.writer.flush()
        return self

    def think(self, text: str) -> "Work":
        """Stream text of the thinking."""
        self.writer.text(text, "think")
        self.writer.flush()
        return self

    def see(self, observation: dict[str, Any]) -> "Work":
        """Stream what the eyes saw."""
        self.writer.seen(observation)
        self.writer.flush()
        return self

    def answer(self, text: str, **outcome: Any) -> Turn:
        """End with an answer, which need not be what was streamed."""
        values: dict[str, Any] = {
            "finish_reason": "stop",
            "model": "scripted:echo",
            "prompt_tokens": 30,
            "picture_tokens": 20,
            "cached_tokens": 10,
            "completion_tokens": 5,
        }
        return self._end(Outcome(TurnState.ANSWERED, answer=text, **{**values, **outcome}))

    def fail(self, code: str, message: str) -> Turn:
        """End with an error."""
        return self._end(Outcome(TurnState.FAILED, error_code=code, error_message=message))

    def stopped(self, text: str) -> Turn:
        """End because somebody pressed Stop."""
        return self._end(Outcome(TurnState.CANCELLED, answer=text, finish_reason="cancelled"))

    def retry(self, message: str) -> "Work":
        """Fail this attempt and begin the next."""
        self.writer.retry(message)
        self.writer.flush()
        now = utc_now()
        with self.site.at.store.write() as repositories:
            repositories.turns.retry_later(
                self.turn.id, OWNER, self.turn.attempt, now=now, not_before=now, error_code="out_of_memory"
            )
        return self.site.claim(self.turn.id)

    def stop_requested(self) -> bool:
        """Whether the worker was asked to stop."""
        return self.site.turn(self.turn.id).cancel_requested

    def _end(self, outcome: Outcome) -> Turn:
        with self.site.at.store.write() as repositories:
            turn = repositories.turns.finish(self.turn.id, OWNER, self.turn.attempt, outcome, utc_now())
        self.writer.end()
        self.writer.flush()
        return turn


@contextmanager
def serving(at: Installation, **overrides: Any) -> Iterator[Site]:
    """A server over `at` on a port of 127.0.0.1 that the system chose; it ends with the block."""
    settings = at.settings.model_copy(update={"redis_url": at.redis_server.url, **overrides})

    @asynccontextmanager
    async def opening() -> AsyncIterator[tuple[FastAPI, tuple[Services, FastAPI]]]:
        async with open_services(settings) as services:
            app = create_app(services)
            yield app, (services, app)

    with serving_app(opening) as (url, (services, app)):
        yield Site(at, settings, url, services, app)


def picture(colour: str = "red", kind: str = "PNG", size: tuple[int, int] = (32, 24)) -> bytes:
    """A small picture of one colour."""
    out = BytesIO()
    Image.new("RGB", size, colour).save(out, kind)
    return out.getvalue()


def ask(browser: httpx.Client, question: str, *pictures: tuple[str, bytes], **fields: str) -> httpx.Response:
    """What the page sends for a question."""
    data = {
        "question": question,
        "client_id": fields.pop("client_id", f"id-{question[:20].encode().hex()}-x"),
        **fields,
    }
    files: list[tuple[str, Any]] = [("pictures", (name, content, "image/png")) for name, content in pictures]
    # The page always sends multipart; httpx does so only with a file.
    return browser.post("/api/turns", data=data, files=files or [("nothing", ("", b""))])


@dataclass(frozen=True)
class Event:
    """One server-sent event; `data` is its JSON."""

    name: str
    cursor: str
    data: Any


def events_of(response: httpx.Response) -> Iterator[Event]:
    """The events of an open stream, each as it arrives."""
    fields: dict[str, str] = {}
    for line in response.iter_lines():
        if line.startswith(":"):
            continue
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            yield Event(fields.get("event", ""), fields.get("id", ""), json.loads(fields["data"]))
            fields = {}


@contextmanager
def following(browser: httpx.Client, turn_id: str, after: str = "") -> Iterator[Iterator[Event]]:
    """The events of a turn as the page reads them; `after` is what EventSource sends when it reconnects."""
    headers = {"last-event-id": after} if after else {}
    with browser.stream("GET", f"/api/turns/{turn_id}/events", headers=headers) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        yield events_of(response)
