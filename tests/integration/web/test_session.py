"""Browser sessions of the chat page."""

from datetime import timedelta

import pytest

from bots.web.auth import COOKIE
from bots.web.keys import create_key
from core.store.models import WebSession
from core.values import utc_now
from serving.secrets import hash_secret
from tests.integration.web.site import Site, serving
from tests.processes import Installation


def test_a_browser_gets_a_session_by_itself_where_no_key_is_needed(site: Site) -> None:
    browser = site.browser()
    first = browser.get("/api/session")
    assert first.json() == {
        "signed_in": True,
        "person": first.json()["person"],
        "needs_key": False,
        "model": "scripted:echo",
        "limits": {
            "picture_max_bytes": 10 * 1024 * 1024,
            "picture_max_pixels": 25_000_000,
            "pictures_per_turn": 10,
            "question_max_chars": 16_000,
            "accept": first.json()["limits"]["accept"],
        },
    }
    assert {"image/jpeg", "image/png", "image/heic", "application/pdf"} <= set(first.json()["limits"]["accept"])
    cookie = first.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=strict", "path=/", "max-age="))
    assert "secure" not in cookie
    assert "set-cookie" not in browser.get("/api/session").headers
    assert browser.get("/api/conversations").json() == {"conversations": [], "next": None}


def test_a_person_is_told_apart_from_others_and_known_again(fresh: Installation) -> None:
    keys = {name: create_key(fresh.store, name) for name in ("ann", "ben")}
    with serving(fresh) as site:

        def person(key: str) -> object:
            return site.visitor(key).get("/api/session").json()["person"]

        assert site.browser().get("/api/session").json()["person"] is None
        assert person(keys["ann"]) == person(keys["ann"])
        assert person(keys["ann"]) != person(keys["ben"])


def test_a_browser_without_a_key_is_the_same_person_from_the_first_answer_on(site: Site) -> None:
    browser = site.browser()
    first = browser.get("/api/session").json()["person"]
    assert first == browser.get("/api/session").json()["person"]
    assert first != site.browser().get("/api/session").json()["person"]


def test_sql_keeps_only_the_hash_of_a_cookie(site: Site) -> None:
    browser = site.visitor()
    token = browser.cookies[COOKIE]
    with site.at.store.read() as repositories:
        sessions = repositories.session.query(WebSession).all()
    assert hash_secret(token) in {row.token_hash for row in sessions}
    assert not any(token in str(vars(row)) for row in sessions)


def test_signing_in_and_out_with_a_key(fresh: Installation) -> None:
    key = create_key(fresh.store, "ann")
    with serving(fresh) as site:
        browser = site.browser()
        assert browser.get("/api/session").json()["needs_key"]
        assert COOKIE not in browser.cookies
        wrong = browser.post("/api/session", json={"key": key + "x"})
        assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "not_signed_in")
        assert COOKIE not in browser.cookies
        assert browser.post("/api/session", json={"key": f" {key}\n"}).status_code == 204
        assert browser.get("/api/session").json()["signed_in"]
        token = browser.cookies[COOKIE]
        # Signing in again makes a new session and ends the old one.
        assert browser.post("/api/session", json={"key": key}).status_code == 204
        assert browser.cookies[COOKIE] != token
        old = site.browser()
        old.cookies.set(COOKIE, token)
        assert old.get("/api/conversations").status_code == 401
        token = browser.cookies[COOKIE]
        assert browser.delete("/api/session").status_code == 204
        assert COOKIE not in browser.cookies
        old.cookies.set(COOKIE, token)
        assert old.get("/api/conversations").status_code == 401
        assert browser.delete("/api/session").status_code == 204


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"key": 7}', b'{"key": ""}', b'{"key": null}', b"[" * 3000])
def test_signing_in_without_a_key(site: Site, body: bytes) -> None:
    response = site.browser().post("/api/session", content=body)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "invalid_value")


def test_a_long_body_is_not_read_to_sign_in(site: Site) -> None:
    assert site.browser().post("/api/session", content=b"x" * 5000).status_code == 413


@pytest.mark.parametrize("cookie", ["", "x", "A" * 43, "\xe9".encode().decode("latin-1"), "A" * 5000])
def test_a_forged_cookie_opens_nothing(site: Site, cookie: str) -> None:
    browser = site.browser()
    headers = {"cookie": f"{COOKIE}={cookie}".encode("latin-1")}
    for method, path in (
        ("GET", "/api/conversations"),
        ("GET", f"/api/conversations/{'0' * 32}"),
        ("POST", "/api/turns"),
        ("GET", f"/api/turns/{'0' * 32}/events"),
        ("POST", f"/api/turns/{'0' * 32}/stop"),
        ("POST", f"/api/turns/{'0' * 32}/retry"),
        ("PUT", f"/api/turns/{'0' * 32}/feedback"),
        ("GET", f"/api/pictures/{'0' * 64}"),
    ):
        response = browser.request(method, path, headers=headers)  # type: ignore[arg-type]  # bytes are taken
        assert response.status_code == 401, (method, path)
        assert response.json()["error"]["code"] == "not_signed_in"


def test_every_route_of_the_page_asks_who_it_is(site: Site) -> None:
    open_to_all = {"/api/session"}
    paths = {getattr(route, "path", "") for route in site.app.routes}
    private = {path for path in paths if path.startswith("/api/")} - open_to_all
    assert len(private) >= 7
    browser = site.browser()
    for path in private:
        address = path.replace("{key}", "0" * 64).replace("{turn_id}", "0" * 32).replace("{conversation_id}", "0" * 32)
        answers = {browser.request(method, address).status_code for method in ("GET", "POST", "PUT", "DELETE")}
        assert answers <= {401, 405}, path
        assert 401 in answers, path


def test_a_session_ends_by_itself(site: Site) -> None:
    browser = site.visitor()
    with site.at.store.write() as repositories:
        session = repositories.session.query(WebSession).filter_by(token_hash=hash_secret(browser.cookies[COOKIE]))
        session.update({"expires_at": utc_now() - timedelta(seconds=1)})
    assert browser.get("/api/conversations").status_code == 401


def test_the_model_is_named_without_its_folder(at: Installation) -> None:
    with serving(at, model="/srv/models/tiny") as site:
        assert site.browser().get("/api/session").json()["model"] == "tiny"
        assert site.program().get("/v1/models").json()["data"][0]["id"] == "tiny"
