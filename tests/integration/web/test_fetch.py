"""Fetching pictures: from the listed hosts and nowhere else. The servers are real, on addresses of this machine."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from bots.web.openai_api.fetch import PictureHosts
from core.errors import PictureError, PictureTooLarge
from tests.integration.web.picture_server import Server, gives, running
from tests.integration.web.site import picture, serving
from tests.processes import Installation


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as made:
        yield made


def test_a_listed_host(server: Server) -> None:
    server.answers["/a.png?x=1"] = gives(b"bytes")
    assert PictureHosts([server.at]).fetch(f"{server.url}/a.png?x=1#part", 100) == b"bytes"
    (headers,) = server.headers
    assert headers["host"] == server.at
    assert headers["accept-encoding"] == "identity"
    assert not {"cookie", "authorization", "referer"} & set(headers)


def test_a_redirect_within_the_list(server: Server) -> None:
    server.answers["/old"] = gives(b"", 302, location="/new")
    server.answers["/new"] = gives(b"bytes")
    assert PictureHosts([server.at]).fetch(f"{server.url}/old", 100) == b"bytes"


def test_a_redirect_out_of_the_list_is_not_followed(server: Server) -> None:
    with running() as other:
        server.answers["/a"] = gives(b"", 302, location=f"{other.url}/secret")
        with pytest.raises(PictureError, match="not fetched from this host"):
            PictureHosts([server.at]).fetch(f"{server.url}/a", 100)
        assert other.asked == []
    for target in ("file:///etc/passwd", "ftp://x/y", "gopher://x", "http://user:pw@127.0.0.1/"):
        server.answers["/a"] = gives(b"", 302, location=target)
        with pytest.raises(PictureError):
            PictureHosts([server.at]).fetch(f"{server.url}/a", 100)


def test_redirects_in_a_circle_end(server: Server) -> None:
    server.answers["/a"] = gives(b"", 307, location="/a")
    with pytest.raises(PictureError, match="redirects too often"):
        PictureHosts([server.at]).fetch(f"{server.url}/a", 100)
    assert len(server.asked) == 4


def test_more_bytes_than_allowed(server: Server) -> None:
    server.answers["/told"] = gives(b"x" * 101)
    server.answers["/exact"] = gives(b"x" * 100)

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"x" * 65536)
        except OSError:
            return

    server.answers["/endless"] = endless
    hosts = PictureHosts([server.at])
    assert hosts.fetch(f"{server.url}/exact", 100) == b"x" * 100
    with pytest.raises(PictureTooLarge, match="larger than 100 bytes"):
        hosts.fetch(f"{server.url}/told", 100)
    with pytest.raises(PictureTooLarge):
        hosts.fetch(f"{server.url}/endless", 1_000_000)


@pytest.mark.parametrize("status", [204, 304, 401, 404, 500])
def test_another_status(server: Server, status: int) -> None:
    server.answers["/a"] = gives(b"", status)
    with pytest.raises(PictureError, match=str(status)):
        PictureHosts([server.at]).fetch(f"{server.url}/a", 100)


def test_a_server_that_stops_in_the_middle(server: Server) -> None:
    def cut(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("content-length", "100")
        handler.end_headers()
        handler.wfile.write(b"x" * 50)
        handler.close_connection = True

    server.answers["/a"] = cut
    with pytest.raises(PictureError):
        PictureHosts([server.at]).fetch(f"{server.url}/a", 1000)


def test_something_that_is_no_web_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def babble() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"220 smtp.example ESMTP\r\n")

        thread = threading.Thread(target=babble)
        thread.start()
        with pytest.raises(PictureError, match="could not be fetched"):
            PictureHosts([f"127.0.0.1:{port}"]).fetch(f"http://127.0.0.1:{port}/a", 100)
        thread.join()
    with pytest.raises(PictureError, match="could not be fetched"):
        PictureHosts([f"127.0.0.1:{port}"]).fetch(f"http://127.0.0.1:{port}/a", 100)


def test_plain_http_where_tls_is_wanted(server: Server) -> None:
    with pytest.raises(PictureError, match="could not be fetched"):
        PictureHosts([server.at]).fetch(f"https://{server.at}/a", 100)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/a",
        "http://listed.example.evil.example/a",
        "http://listed.example@evil.example/a",
        "http://evil.example#@listed.example/a",
        "http://listed.example:8080/a",
        "https://listed.example:80/a",
        "http://user@listed.example/a",
        "http://listed.example\\@evil.example/a",
        "http://listed.example./a",
        "http://[::1]/a",
        "http://[::1/a",
        "http:///a",
        "http://listed.example:port/a",
        "http://listed.example/a b",
        "http://listed.example/a\r\nx: y",
        "http://listéd.example/a",
        "ftp://listed.example/a",
        "//listed.example/a",
    ],
)
def test_addresses_that_only_look_listed(url: str) -> None:
    with pytest.raises(PictureError):
        PictureHosts(["listed.example", "listed.example:443"]).fetch(url, 100)


@pytest.mark.parametrize("entry", ["localhost", "ip6-localhost", socket.gethostname()])
def test_a_listed_name_that_leads_inwards_is_refused(server: Server, entry: str) -> None:
    server.answers["/a"] = gives(b"secret")
    port = server.server.server_port
    with pytest.raises(PictureError):
        PictureHosts([f"{entry}:{port}"]).fetch(f"http://{entry}:{port}/a", 100)
    assert server.asked == []


def test_through_the_rest_api(at: Installation, server: Server) -> None:
    server.answers["/cat.png"] = gives(picture("green"))
    server.answers["/page.html"] = gives(b"<html></html>")

    def body(*paths: str) -> dict[str, object]:
        parts = [{"type": "image_url", "image_url": {"url": server.url + path}} for path in paths]
        content = [{"type": "text", "text": "Fetched?"}, *parts]
        return {"messages": [{"role": "user", "content": content}], "stream": True}

    with serving(at, picture_hosts=(server.at,)) as site:
        with site.program().stream("POST", "/v1/chat/completions", json=body("/cat.png")) as response:
            assert response.status_code == 200
            work = site.take("Fetched?")
            assert [a.width for a in site.turn(work.turn.id).attachments] == [32]
            work.answer("Yes.")
            assert "data: [DONE]" in list(response.iter_lines())
        refused = site.program().post("/v1/chat/completions", json=body("/cat.png", "/page.html"))
    assert refused.status_code == 400
    assert refused.json()["error"]["message"].startswith("Picture 2 (messages[0].content[2].image_url): This kind of")
