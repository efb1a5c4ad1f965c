"""API keys: made, needed, wrong, revoked; and where nobody needs one."""

import re
from datetime import timedelta
from typing import Any

import httpx
import openai
import pytest

from bots.web.keys import create_key, list_keys, revoke_key
from bots.web.reach import check_binding
from core.errors import ConfigurationError, RequestError
from core.store.models import ApiKey, Person
from core.values import utc_now
from serving.secrets import hash_secret
from tests.integration.web.site import Site, ask, serving
from tests.processes import Installation, until


def models(site: Site, key: str | None) -> httpx.Response:
    return site.program(key).get("/v1/models")


def test_a_key_is_shown_once_and_stored_as_a_hash(fresh: Installation) -> None:
    key = create_key(fresh.store, " ann ")
    assert re.fullmatch(r"glimt_[A-Za-z0-9_-]{43}", key)
    assert create_key(fresh.store, "bob") != key
    with fresh.store.read() as repositories:
        row = repositories.keys.by_hash(hash_secret(key))
        assert row is not None
        person = repositories.session.get(Person, row.person_id)
    assert row.name == "ann"
    assert key not in str(vars(row))
    assert person is not None
    assert person.external_id == "key:ann"
    assert [k.name for k in list_keys(fresh.store)] == ["ann", "bob"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\nb", "a\0b", "a/b"])
def test_a_key_needs_a_name_that_can_be_shown(at: Installation, name: str) -> None:
    with pytest.raises(RequestError, match="printable"):
        create_key(at.store, name)


def test_a_name_is_given_once_even_if_it_was_revoked(fresh: Installation) -> None:
    create_key(fresh.store, "ann")
    with pytest.raises(RequestError, match="ann"):
        create_key(fresh.store, "ann")
    assert revoke_key(fresh.store, "ann", utc_now())
    assert not revoke_key(fresh.store, "ann", utc_now())
    assert not revoke_key(fresh.store, "nobody", utc_now())
    with pytest.raises(RequestError, match="ann"):
        create_key(fresh.store, "ann")


def test_once_there_is_a_key_everybody_needs_one(fresh: Installation) -> None:
    with serving(fresh) as site:
        assert models(site, None).status_code == 200
        assert models(site, "whatever-the-client-has-set").status_code == 200
        page = site.visitor()
        key = create_key(fresh.store, "ann")
        until(lambda: models(site, None).status_code == 401, "the first key closes the door")
        refused = models(site, None)
        assert refused.headers["www-authenticate"] == "Bearer"
        assert refused.json()["error"]["code"] == "invalid_api_key"
        assert page.get("/api/conversations").status_code == 401
        assert page.get("/api/session").json()["needs_key"]
        assert not page.get("/api/session").json()["signed_in"]
        assert models(site, key).status_code == 200
        # Taking the last key away must not open it again.
        revoke_key(fresh.store, "ann", utc_now())
        until(lambda: models(site, key).status_code == 401, "the revoked key is refused")
        assert models(site, None).status_code == 401


def test_wrong_keys(fresh: Installation) -> None:
    key = create_key(fresh.store, "ann")
    with serving(fresh) as site:
        program = site.program()
        wrong = ["", "Bearer", f"Basic {key}", key, f"Bearer {key}x", f"Bearer {key[:-1]}", "Bearer glimt_"]
        for header in wrong:
            response = program.get("/v1/models", headers={"authorization": header})
            assert response.status_code == 401, header
            assert key not in response.text
        with pytest.raises(openai.AuthenticationError):
            site.openai("glimt_wrong").models.list()
        assert program.get("/v1/models", headers={"authorization": f"bearer   {key}"}).status_code == 200


def test_wrong_keys_are_slowed_down_and_right_ones_are_not(fresh: Installation) -> None:
    known, unused = create_key(fresh.store, "ann"), create_key(fresh.store, "bob")
    with serving(fresh) as site:
        assert models(site, known).status_code == 200
        for number in range(10):
            assert models(site, f"glimt_{number}").status_code == 401
        slowed = models(site, "glimt_10")
        assert slowed.status_code == 429
        assert int(slowed.headers["retry-after"]) > 0
        # Right keys open all the same, used before or not: behind one proxy everybody may have this address.
        assert models(site, known).status_code == 200
        assert models(site, unused).status_code == 200
        assert models(site, "glimt_11").status_code == 429
        browser = site.browser()
        assert browser.post("/api/session", json={"key": "glimt_12"}).status_code == 429
        assert browser.post("/api/session", json={"key": known}).status_code == 204


def test_a_revoked_key_ends_its_browsers_too(fresh: Installation) -> None:
    key = create_key(fresh.store, "ann")
    with serving(fresh) as site:
        page = site.visitor(key)
        assert page.get("/api/conversations").status_code == 200
        revoke_key(fresh.store, "ann", utc_now())
        assert page.get("/api/conversations").status_code == 401
        until(lambda: models(site, key).status_code == 401, "the revoked key is refused")


def test_a_program_cannot_use_a_cookie_and_a_browser_no_bearer(fresh: Installation) -> None:
    key = create_key(fresh.store, "ann")
    with serving(fresh) as site:
        page = site.visitor(key)
        assert page.get("/v1/models").status_code == 401
        assert site.program(key).get("/api/conversations").status_code == 401


def test_two_keys_are_two_people(fresh: Installation) -> None:
    ann, bob = create_key(fresh.store, "ann"), create_key(fresh.store, "bob")
    with serving(fresh) as site:
        asked = ask(site.visitor(ann), "Mine?").json()
        path = f"/api/conversations/{asked['conversation_id']}"
        assert site.visitor(bob).get(path).status_code == 404
        # The same key in another browser is the same person.
        assert site.visitor(ann).get(path).json()["turns"][0]["question"] == "Mine?"


def test_using_a_key_is_noted_now_and_then(fresh: Installation) -> None:
    key = create_key(fresh.store, "ann")

    def row() -> ApiKey:
        (found,) = list_keys(fresh.store)
        return found

    assert row().last_used_at is None
    with serving(fresh) as site:
        assert models(site, key).status_code == 200
        used = row().last_used_at
        assert used is not None
        assert utc_now() - used < timedelta(minutes=1)


@pytest.mark.parametrize(
    "settings",
    [
        {"host": "0.0.0.0"},
        {"host": ""},
        {"host": "::"},
        {"host": "192.168.1.5"},
        {"host": "glimt.example.org"},
        {"public_url": "https://glimt.example.org"},
    ],
)
def test_nobody_else_is_let_in_without_a_key(at: Installation, settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="glimt keys create --name NAME"):
        check_binding(at.settings.model_copy(update=settings), at.store)
    with serving(at, **settings) as site:
        # Even if somebody binds it past the check.
        assert models(site, None).status_code == 401
        session = site.browser().get("/api/session").json()
        assert (session["signed_in"], session["needs_key"]) == (False, True)


def test_with_a_key_others_may_come(fresh: Installation) -> None:
    create_key(fresh.store, "ann")
    check_binding(fresh.settings.model_copy(update={"host": "0.0.0.0"}), fresh.store)
    revoke_key(fresh.store, "ann", utc_now())
    with pytest.raises(ConfigurationError, match="no key is valid"):
        check_binding(fresh.settings.model_copy(update={"host": "0.0.0.0"}), fresh.store)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.8.8"])
def test_this_machine_needs_no_key(at: Installation, host: str) -> None:
    settings = at.settings.model_copy(update={"host": host})
    check_binding(settings, at.store)
    check_binding(settings.model_copy(update={"public_url": "http://localhost:9000"}), at.store)


@pytest.mark.parametrize("url", ["glimt.example.org", "ftp://x", "http://", "http://[::1", "://"])
def test_a_public_url_that_is_none_is_refused(at: Installation, url: str) -> None:
    with pytest.raises(ConfigurationError, match="GLIMT_PUBLIC_URL"):
        check_binding(at.settings.model_copy(update={"public_url": url}), at.store)
