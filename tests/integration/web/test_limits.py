"""Bodies that are too large, too slow or cut off: refused while they are read, before anything buffers them."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bots.web.keys import create_key
from core.values import new_id
from serving.bodies import JSON_COPIES, TEXT_ROOM
from tests.integration.web.site import Site, ask, picture, serving
from tests.processes import Installation, until

PATH = "/v1/chat/completions"
JSON = {"content-type": "application/json"}
LIMITS = {"picture_max_bytes": 2000, "pictures_per_turn": 2}


@pytest.fixture(scope="module")
def small(at: Installation) -> Iterator[Site]:
    """A server that takes little."""
    with serving(at, **LIMITS) as made:
        yield made


@contextmanager
def raw(site: Site, path: str, headers: dict[str, str]) -> Iterator[socket.socket]:
    """A connection on which only the head of a POST was sent."""
    host, _, port = site.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        lines = [f"POST {path} HTTP/1.1", f"host: {host}", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
        connection.sendall("\r\n".join(lines).encode())
        yield connection


def answer_on(connection: socket.socket) -> bytes:
    got = b""
    while b"}" not in got and (more := connection.recv(65536)):
        got += more
    return got


def test_a_declared_length_is_believed_before_any_byte(small: Site) -> None:
    with raw(small, PATH, {**JSON, "content-length": str(10**9)}) as connection:
        got = answer_on(connection)
    assert got.startswith(b"HTTP/1.1 413")
    assert b"request_too_large" in got
    assert b"MiB" in got


@pytest.mark.parametrize("length", ["9" * 4000, "9" * 19])
def test_an_absurd_length(small: Site, length: str) -> None:
    with raw(small, PATH, {**JSON, "content-length": length}) as connection:
        assert answer_on(connection).split(b" ")[1] in (b"413", b"400")


def test_an_undeclared_length_ends_at_the_limit(small: Site) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 20 * TEXT_ROOM:
            sent += 65536
            yield b" " * 65536

    response = small.program().post(PATH, content=endless(), headers=JSON)
    assert response.status_code == 413
    assert response.json()["error"]["type"] == "invalid_request_error"


def test_a_form_that_is_too_large(small: Site) -> None:
    page = small.visitor()
    before = small.turns()
    response = ask(page, "Large form?", ("a.png", b"\x89PNG" + b"x" * (2 * TEXT_ROOM)))
    assert (response.status_code, response.json()["error"]["code"]) == (413, "request_too_large")
    # A file above its own limit is only that file's matter.
    mixed = ask(page, "One large file?", ("small.png", picture()), ("large.png", picture(size=(9, 9)) + b"x" * 3000))
    assert [r["name"] for r in mixed.json()["turn"]["refused"]] == ["large.png"]
    assert small.turns() == before + 1


def test_a_field_that_is_too_large(small: Site) -> None:
    data = {"question": "x" * (2 * 1024 * 1024), "client_id": new_id()}
    response = small.visitor().post("/api/turns", data=data, files={"nothing": ("", b"")})
    assert (response.status_code, response.json()["error"]["code"]) == (422, "question_too_long")
    assert "below 16,000 characters" in response.json()["error"]["message"]


def test_all_bodies_together_are_limited(small: Site) -> None:
    body = b" " * (TEXT_ROOM - 65536)
    # It sends nearly all it may, and then holds on to it; what will be made of it counts already.
    with raw(small, PATH, {**JSON, "content-length": str(TEXT_ROOM)}) as connection:
        connection.sendall(body)
        until(lambda: small.metric("glimt_body_bytes") == JSON_COPIES * len(body), "it is read")
        refused = small.program().post(PATH, content=b" " * (TEXT_ROOM // 2), headers=JSON)
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "busy")
        # What is small still finds room.
        assert small.program().post(PATH, content=b" ", headers=JSON).status_code == 400
    until(lambda: small.metric("glimt_body_bytes") == 0, "a closed connection frees its room")
    assert small.program().post(PATH, content=b" " * (TEXT_ROOM // 2), headers=JSON).status_code == 400


def test_nobody_unknown_gets_a_body_read(fresh: Installation) -> None:
    create_key(fresh.store, "ann")
    with serving(fresh) as site:
        for path, headers in ((PATH, JSON), ("/api/turns", {"content-type": "multipart/form-data; boundary=x"})):
            origin = {"sec-fetch-site": "same-origin"}
            with raw(site, path, {**headers, **origin, "content-length": "1000"}) as connection:
                assert answer_on(connection).startswith(b"HTTP/1.1 401")


def test_an_upload_that_breaks_off_leaves_nothing(site: Site) -> None:
    page = site.visitor()
    before = site.turns()
    cookie = "; ".join(f"{name}={value}" for name, value in page.cookies.items())
    headers = {
        "content-type": "multipart/form-data; boundary=x",
        "content-length": "100000",
        "cookie": cookie,
        "sec-fetch-site": "same-origin",
    }
    count = 'glimt_http_requests_total{method="POST",route="/api/turns",status="400"}'
    counted = site.metric(count)
    with raw(site, "/api/turns", headers) as connection:
        connection.sendall(b'--x\r\nContent-Disposition: form-data; name="question"\r\n\r\nBroken off?\r\n')
    until(lambda: site.metric(count) > counted, "the server notices")
    assert site.turns() == before


def test_a_json_body_that_breaks_off_leaves_nothing(site: Site) -> None:
    before = site.turns()
    body = json.dumps({"messages": [{"role": "user", "content": "Broken off?"}]}).encode()
    count = f'glimt_http_requests_total{{method="POST",route="{PATH}",status="400"}}'
    counted = site.metric(count)
    with raw(site, PATH, {**JSON, "content-length": str(len(body) + 1)}) as connection:
        connection.sendall(body)
    until(lambda: site.metric(count) > counted, "the server notices")
    assert site.turns() == before
