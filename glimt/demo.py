"""`glimt demo`: the whole service on this machine, and a first conversation with the model that ships with it."""

import http.client
import json
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from core.errors import GlimtError
from core.inference.source import DEMO
from core.settings import Settings
from core.store.database import Store
from glimt.supervisor import Supervisor
from glimt.up import page_url, wait_until_ready

PICTURE = DEMO / "sample.png"
QUESTIONS = ("What is in the top left?", "What colour is it?", "How many shapes are there?")


class DemoFailed(GlimtError):
    """The sample conversation brought no answer."""

    code = "demo_failed"


def demo(settings: Settings, *, once: bool, say: Callable[[str], None]) -> None:
    """Start everything, play the sample conversation, print it and what SQL holds of it; then serve unless `once`.

    Raises:
        DemoFailed: an answer failed or was empty.
        ConfigurationError: something could not be started.
        KeyboardInterrupt: Ctrl-C or SIGTERM; everything is stopped by then.
    """
    began = time.monotonic()
    supervisor = Supervisor(settings, say, quiet=True)
    with supervisor.running():
        wait_until_ready(supervisor)
        say(f"Ready after {time.monotonic() - began:.1f} s: {page_url(settings)}\n")
        try:
            conversation_id = _converse(settings, supervisor.look_after)
        except (OSError, http.client.HTTPException) as error:
            raise DemoFailed(f"The page broke off ({type(error).__name__}). Logs: {settings.data_dir}/*.log") from error
        _print_stored(settings, conversation_id)
        if once:
            return
        say(f"\nNow ask your own questions at {page_url(settings)} (Ctrl-C stops everything).")
        supervisor.serve()


def _converse(settings: Settings, look_after: Callable[[], None]) -> str:
    client = _Page(settings)
    conversation_id = None
    print(f"Picture: {PICTURE}")
    for question in QUESTIONS:
        print(f"\nYou:   {question}\nGlimt: ", end="", flush=True)
        picture = PICTURE if conversation_id is None else None
        conversation_id, turn_id = client.ask(question, picture, conversation_id)
        said = ""
        for event, data in client.events(turn_id, look_after):
            if event == "text":
                said += data["text"]
                print(data["text"], end="", flush=True)
            elif event == "end":
                _check(data["turn"])
                # Without Redis for a moment, or beaten to it by SQL, the end brings what the stream did not.
                answer = data["turn"]["answer"]
                print(answer.removeprefix(said) if answer.startswith(said) else f"\n       {answer}", flush=True)
    assert conversation_id is not None
    return conversation_id


def _check(turn: dict[str, Any]) -> None:
    if turn["error"]:
        raise DemoFailed(f"The answer failed: {turn['error']['message']}")
    if not turn["answer"].strip():
        raise DemoFailed("The answer is empty.")


def _print_stored(settings: Settings, conversation_id: str) -> None:
    store = Store(settings.sql_url)
    try:
        with store.read() as repositories:
            turns = repositories.turns.of_conversation(conversation_id)
    finally:
        store.close()
    print(f"\nStored in {_where(settings)} as conversation {conversation_id}:")
    for turn in turns:
        first = turn.first_token_at or turn.finished_at
        waited = f"{(first - turn.created_at).total_seconds() * 1000:.0f} ms" if first else "-"
        print(
            f"  {turn.seq}. {turn.state:<10} {turn.question!r} → {turn.answer!r}  "
            f"({turn.prompt_tokens}+{turn.completion_tokens} tokens, first text after {waited})"
        )


def _where(settings: Settings) -> str:
    # A database URL may hold a password; the embedded file does not.
    return "the database of DATABASE_URL" if settings.database_url else settings.sql_url.removeprefix("sqlite:///")


class _Page:
    """Speaks the chat page's API as a browser does: cookie, same origin, multipart, server-sent events."""

    def __init__(self, settings: Settings) -> None:
        self._address = (settings.host, settings.web_port)
        self._origin = page_url(settings).rstrip("/")
        self._cookie = ""
        with closing(self._request("GET", "/api/session")) as response:
            cookie = response.getheader("Set-Cookie") or ""
            self._cookie = cookie.partition(";")[0]
            response.read()

    def ask(self, question: str, picture: Path | None, conversation_id: str | None) -> tuple[str, str]:
        """Post a question; (conversation id, turn id)."""
        boundary = secrets.token_hex(16)
        fields = {"question": question, "client_id": secrets.token_hex(16)}
        if conversation_id is not None:
            fields["conversation_id"] = conversation_id
        body = b"".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        )
        if picture is not None:
            head = f'Content-Disposition: form-data; name="pictures"; filename="{picture.name}"'
            body += f"--{boundary}\r\n{head}\r\nContent-Type: image/png\r\n\r\n".encode()
            body += picture.read_bytes() + b"\r\n"
        body += f"--{boundary}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        with closing(self._request("POST", "/api/turns", body, headers)) as response:
            answer = json.loads(response.read())
        if response.status != http.client.CREATED:
            raise DemoFailed(answer["error"]["message"])
        return answer["conversation_id"], answer["turn"]["id"]

    def events(self, turn_id: str, meanwhile: Callable[[], None]) -> Iterator[tuple[str, Any]]:
        """(event name, data) of the turn's stream until its end; `meanwhile` is called at least every 15 s."""
        with closing(self._request("GET", f"/api/turns/{turn_id}/events")) as response:
            name = ""
            for raw in response:
                meanwhile()
                key, _, value = raw.decode().rstrip("\r\n").partition(": ")
                if key == "event":
                    name = value
                elif key == "data":
                    yield name, json.loads(value)
                    if name == "end":
                        return
        raise DemoFailed("The stream broke off before the answer ended.")

    def _request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(*self._address, timeout=120)
        sent = {"Origin": self._origin, "Sec-Fetch-Site": "same-origin", **(headers or {})}
        if self._cookie:
            sent["Cookie"] = self._cookie
        connection.request(method, path, body, sent)
        return connection.getresponse()


def print_step(text: str) -> None:
    """A step of the start, on its own line at once."""
    print(text, file=sys.stdout, flush=True)
