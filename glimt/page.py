"""A visitor of the chat page, for the demo: what a browser does, without one."""

import http.client
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from core.errors import GlimtError
from core.settings import Settings
from glimt.up import page_url


class DemoFailed(GlimtError):
    """The sample conversation brought no answer."""

    code = "demo_failed"


class Page:
    """Speaks the chat page's API as a browser does: cookie, same origin, multipart, server-sent events."""

    def __init__(self, settings: Settings) -> None:
        self._address = (settings.host, settings.web_port)
        self._origin = page_url(settings).rstrip("/")
        self._cookie = ""
        with closing(self._request("GET", "/api/session")) as response:
            self._take_cookie(response)
            self.needs_key: bool = json.loads(response.read())["needs_key"]

    def sign_in(self, key: str) -> None:
        """Become the visitor who holds `key`."""
        body = json.dumps({"key": key}).encode()
        headers = {"Content-Type": "application/json"}
        with closing(self._request("POST", "/api/session", body, headers)) as response:
            if response.status != http.client.NO_CONTENT:
                raise DemoFailed(json.loads(response.read())["error"]["message"])
            self._take_cookie(response)

    def _take_cookie(self, response: http.client.HTTPResponse) -> None:
        if cookie := response.getheader("Set-Cookie"):
            self._cookie = cookie.partition(";")[0]

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
