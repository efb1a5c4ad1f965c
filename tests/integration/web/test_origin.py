"""Requests of other sites' pages, and names that only pretend to be this machine."""

import json

import pytest

from bots.web.keys import create_key
from serving.origin import REMEDY
from tests.integration.web.site import Site, ask, serving
from tests.processes import Installation

QUESTION = {"messages": [{"role": "user", "content": "Across sites?"}], "stream": True}


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", "", "0.0.0.0", "[::2]"],
)
@pytest.mark.parametrize("path", ["/", "/api/session", "/v1/models", "/metrics", "/static/chat.js", "/healthz"])
def test_another_name_is_refused_where_no_key_is_needed(site: Site, path: str, host: str) -> None:
    response = site.browser().get(path, headers={"host": host})
    assert response.status_code == 403
    assert "glimt keys create" in response.json()["error"]["message"]
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize("path", ["/slack/events", "/telegram/webhook"])
def test_what_a_chat_platform_posts_comes_from_elsewhere(site: Site, path: str) -> None:
    proxied = {"host": "glimt.example.org", "x-forwarded-for": "203.0.113.7"}
    # Here is no adapter that would look at its secret or signature.
    assert site.program().post(path, headers=proxied).status_code == 404
    for near in (f"{path}/", f"{path}/x", f"/{path}", path.upper(), f"{path}%2f..%2f..%2fapi"):
        assert site.program().post(near, headers=proxied).status_code == 403


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1:8080", "[::1]:80", "glimt.localhost", "127.9.9.9"]
)
def test_this_machine_has_many_names(site: Site, host: str) -> None:
    assert site.program().get("/v1/models", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "x-forwarded-for",
        "forwarded",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-real-ip",
        "via",
        "cf-connecting-ip",
    ],
)
def test_a_proxy_may_pass_on_strangers(site: Site, header: str) -> None:
    assert site.program().get("/v1/models", headers={header: "203.0.113.7"}).status_code == 403


@pytest.mark.parametrize("origin", ["http://glimt.example.org", "https://192.168.1.5:8443", "http://[::1", "http://"])
def test_a_page_under_another_name_came_through_a_proxy(site: Site, origin: str) -> None:
    # nginx's plain proxy_pass calls us 127.0.0.1 and tells nothing of itself; only the browser does.
    browser = site.browser()
    browser.headers["origin"] = origin
    refused = browser.post("/api/session", json={"key": "x"})
    assert refused.status_code == 403
    assert "glimt keys create" in refused.json()["error"]["message"]
    assert ask(browser, "Through a proxy?").status_code == 403
    assert browser.post("/v1/chat/completions", json=QUESTION).status_code == 403


@pytest.mark.parametrize("origin", ["http://localhost:8080", "http://[::1]:8080", "http://127.0.0.1", "null"])
def test_a_page_of_this_machine_may_have_any_of_its_names(site: Site, origin: str) -> None:
    browser = site.visitor()
    browser.headers["origin"] = origin
    assert ask(browser, f"From {origin}?").status_code == 201


def test_with_keys_any_name_will_do(fresh: Installation) -> None:
    key = create_key(fresh.store, "ann")
    with serving(fresh) as site:
        browser = site.browser()
        browser.headers["origin"] = "https://glimt.example.org"
        assert browser.post("/api/session", json={"key": key}).status_code == 204
        headers = {"host": "glimt.example.org", "x-forwarded-for": "203.0.113.7"}
        assert site.program(key).get("/v1/models", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "nonsense"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site", "origin": "http://127.0.0.1"},
    ],
)
def test_other_sites_get_nothing(site: Site, headers: dict[str, str]) -> None:
    page = site.visitor()
    turn = ask(page, "Across sites, page?").json()["turn"]
    stranger = site.program()
    stranger.cookies = page.cookies
    stranger.headers.update(headers)
    before = site.turns()
    for method, path in (
        ("GET", "/api/session"),
        ("GET", "/api/conversations"),
        ("GET", f"/api/turns/{turn['id']}/events"),
        ("POST", "/api/session"),
        ("DELETE", "/api/session"),
        ("POST", f"/api/turns/{turn['id']}/stop"),
        ("POST", f"/api/turns/{turn['id']}/retry"),
        ("PUT", f"/api/turns/{turn['id']}/feedback"),
        ("GET", "/v1/models"),
    ):
        response = stranger.request(method, path)
        assert response.status_code == 403, (method, path)
        assert "set-cookie" not in response.headers
    assert ask(stranger, "Forged?").status_code == 403
    assert stranger.post("/v1/chat/completions", json=QUESTION).status_code == 403
    assert site.turns() == before
    assert site.turn(turn["id"]).state == "ready"
    assert page.get("/api/session").json()["signed_in"]


def test_a_change_must_say_where_it_comes_from(site: Site) -> None:
    page = site.visitor()
    turn = ask(page, "From where?").json()["turn"]
    silent = site.program()
    silent.cookies = page.cookies
    # Reading needs no statement: old browsers make none for it.
    assert silent.get("/api/conversations").status_code == 200
    refused = silent.post(f"/api/turns/{turn['id']}/stop")
    assert refused.status_code == 403
    assert refused.json()["error"]["message"].endswith(REMEDY)
    assert silent.delete("/api/session").status_code == 403
    assert ask(silent, "Silent?").status_code == 403
    # Browsers without Sec-Fetch-Site tell by Origin.
    silent.headers["origin"] = site.url
    assert silent.post(f"/api/turns/{turn['id']}/stop").json() == {"state": "cancelled"}


@pytest.mark.parametrize("origin", ["https://evil.example", "http://[", "null"])
def test_who_is_refused_is_told_what_to_do(fresh: Installation, origin: str) -> None:
    key = create_key(fresh.store, "ann")
    with serving(fresh) as site:
        browser = site.program()
        browser.headers["origin"] = origin
        refused = browser.post("/api/session", json={"key": key})
    assert refused.status_code == 403
    assert refused.json()["error"]["message"].endswith(REMEDY)
    assert "GLIMT_PUBLIC_URL" in REMEDY


def test_our_page_behind_a_proxy_with_tls(fresh: Installation) -> None:
    key = create_key(fresh.store, "ann")
    with serving(fresh, public_url="https://glimt.example.org") as site:
        browser = site.program()
        browser.headers["origin"] = "https://glimt.example.org"
        response = browser.post("/api/session", json={"key": key})
        assert response.status_code == 204
        assert "secure" in response.headers["set-cookie"].lower()


def test_a_form_of_another_site_cannot_speak_json(site: Site) -> None:
    # What an old browser without Sec-Fetch-Site and Origin could be made to send.
    body = json.dumps({"messages": [{"role": "user", "content": "Form?"}]})
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        response = site.program().post("/v1/chat/completions", content=body, headers={"content-type": kind})
        assert response.status_code == 400


def test_no_site_is_allowed_to_read(site: Site) -> None:
    asked = site.program().options(
        "/v1/chat/completions",
        headers={"origin": "https://evil.example", "access-control-request-method": "POST"},
    )
    assert asked.status_code in (403, 405)
    assert not [name for name in asked.headers if name.startswith("access-control-")]
