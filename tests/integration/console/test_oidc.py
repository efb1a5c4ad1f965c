"""Signing in over OpenID Connect, at a strict provider."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from admin.oidc import CALLBACK, COOKIE
from core.admins import Action, Role
from core.store.admin_tables import Admin, PendingSignIn
from core.values import new_id, utc_now
from tests.fakes.oidc.provider import CLIENT_ID, CLIENT_SECRET, Provider, running_provider
from tests.integration.console.desk import Desk, open_desk
from tests.processes import Installation


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with running_provider() as running:
        yield running


@pytest.fixture
def desk(at: Installation, provider: Provider) -> Iterator[Desk]:
    """A console of the test's own: the provider's keys and metadata are remembered in its process."""
    client: dict[str, Any] = {"oidc_client_id": CLIENT_ID, "oidc_client_secret": SecretStr(CLIENT_SECRET)}
    with open_desk(at, oidc_issuer=provider.url, **client) as opened:
        provider.redirect_uri = f"{opened.url}{CALLBACK}"
        provider.refused.clear()
        yield opened


def known(desk: Desk, role: Role = Role.REVIEWER) -> Admin:
    """An admin with an address, whom the provider has never seen."""
    return desk.add(role, email=f"{new_id()[-10:]}@example.org")


def come_back(desk: Desk, browser: httpx.Client, after: str = "/") -> httpx.Response:
    """Go to the provider and come back as a browser does."""
    sent = browser.get("/sign-in/oidc", params={"next": after})
    assert sent.status_code in (302, 307), sent.text
    back = httpx.get(sent.headers["location"], verify=False)
    assert back.status_code == 302, back.text
    place = back.headers["location"]
    assert place.startswith(desk.url)
    # The browser was led here by the provider's page.
    followed = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    return browser.get(place.removeprefix(desk.url), headers=followed)


def test_a_known_address_lets_in_and_the_subject_is_remembered(desk: Desk, provider: Provider) -> None:
    admin = known(desk)
    subject = new_id()
    provider.says(subject, admin.email.upper())
    browser = desk.browser()
    answer = come_back(desk, browser, "/?q=star")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?q=star")
    assert browser.get("/").status_code == 200
    assert desk.audit(admin_name=admin.name, action=Action.SIGNED_IN)[0].detail == {"how": "oidc"}
    # From now on he is who he is, whatever his address.
    provider.says(subject, "renamed@example.org", verified=False)
    again = desk.browser()
    assert come_back(desk, again).status_code == 303
    assert admin.name in again.get("/").text
    assert provider.refused == []


def test_somebody_else_who_got_the_address_is_not_him(desk: Desk, provider: Provider) -> None:
    admin = known(desk)
    provider.says("first", admin.email)
    assert come_back(desk, desk.browser()).status_code == 303
    provider.says("second", admin.email)
    assert come_back(desk, desk.browser()).status_code == 403
    with desk.store.write() as repositories:
        repositories.admins.change(admin.id, role=Role.OWNER, email="other@example.org", everywhere=True)
    provider.says("first", admin.email)
    assert come_back(desk, desk.browser()).status_code == 403, "with another address he may be another person"


def test_whom_nobody_added_is_not_let_in(desk: Desk, provider: Provider) -> None:
    provider.says("stranger", "stranger@example.org")
    answer = come_back(desk, desk.browser())
    assert answer.status_code == 403
    assert "Ask an owner to add stranger@example.org" in answer.text
    assert desk.audit(action=Action.SIGN_IN_REFUSED)[0].detail == {"how": "oidc", "why": "stranger"}


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_address_that_is_not_verified_finds_nobody(desk: Desk, provider: Provider, verified: object) -> None:
    admin = known(desk)
    provider.says(new_id(), admin.email)
    provider.lies = {"email_verified": verified}
    answer = come_back(desk, desk.browser())
    assert answer.status_code == 403
    assert "has not verified" in answer.text


def test_a_disabled_admin_is_not_let_in(desk: Desk, provider: Provider) -> None:
    before, after = known(desk), known(desk)
    subject = new_id()
    provider.says(subject, after.email)
    assert come_back(desk, desk.browser()).status_code == 303
    with desk.store.write() as repositories:
        repositories.admins.disable(before.id)
        repositories.admins.disable(after.id)
    assert come_back(desk, desk.browser()).status_code == 403
    provider.says(new_id(), before.email)
    assert come_back(desk, desk.browser()).status_code == 403


@pytest.mark.parametrize(
    ("lies", "metadata", "signing"),
    [
        ({"nonce": "another"}, {}, "RS256"),
        ({"nonce": None}, {}, "RS256"),
        ({"iss": "https://evil.example"}, {}, "RS256"),
        ({"aud": "somebody else"}, {}, "RS256"),
        ({"aud": None}, {}, "RS256"),
        ({"exp": 1}, {}, "RS256"),
        ({"sub": None}, {}, "RS256"),
        ({"sub": ""}, {}, "RS256"),
        ({"sub": ["a"]}, {}, "RS256"),
        ({}, {}, "stolen"),
        ({}, {}, "none"),
        ({}, {"id_token_signing_alg_values_supported": ["none", "RS256"]}, "none"),
        ({}, {}, "left out"),
    ],
)
def test_what_the_provider_does_not_prove_is_not_believed(
    desk: Desk, provider: Provider, lies: dict[str, object], metadata: dict[str, object], signing: str
) -> None:
    admin = known(desk)
    provider.says(new_id(), admin.email)
    provider.lies, provider.metadata_lies, provider.signing = lies, metadata, signing
    browser = desk.browser()
    answer = come_back(desk, browser)
    assert answer.status_code == 403
    assert browser.get("/").status_code == 303
    assert desk.audit(admin_name=admin.name, action=Action.SIGNED_IN) == []


def test_a_provider_that_calls_itself_otherwise_is_not_asked(desk: Desk, provider: Provider) -> None:
    provider.says("x", "x@example.org")
    provider.metadata_lies = {"issuer": "https://evil.example"}
    answer = desk.browser().get("/sign-in/oidc")
    assert answer.status_code == 403
    assert "did not work" in answer.text


def test_a_provider_that_is_away_is_told_and_the_password_stays(at: Installation) -> None:
    client: dict[str, Any] = {"oidc_client_id": CLIENT_ID, "oidc_client_secret": SecretStr(CLIENT_SECRET)}
    with open_desk(at, oidc_issuer="http://127.0.0.1:1", **client) as desk:
        assert desk.browser().get("/sign-in/oidc").status_code == 403
        page = desk.browser().get("/sign-in").text
        assert "Sign in with your company account" in page
        assert 'name="password"' in page


def test_what_comes_back_belongs_to_the_browser_that_went(desk: Desk, provider: Provider) -> None:
    admin = known(desk)
    provider.says(new_id(), admin.email)
    victim, attacker = desk.browser(), desk.browser()
    sent = attacker.get("/sign-in/oidc")
    place = httpx.get(sent.headers["location"], verify=False).headers["location"].removeprefix(desk.url)
    assert victim.get(place).status_code == 403
    victim.get("/sign-in/oidc")
    assert victim.get(place).status_code == 403, "another state than this browser was sent with"
    assert attacker.get(place).status_code == 303
    assert attacker.get(place).status_code == 403, "and only once"


def test_it_must_come_back_soon(desk: Desk, provider: Provider) -> None:
    admin = known(desk)
    provider.says(new_id(), admin.email)
    browser = desk.browser()
    sent = browser.get("/sign-in/oidc")
    assert browser.cookies[COOKIE]
    with desk.store.write() as repositories:
        repositories.session.query(PendingSignIn).update({"expires_at": utc_now()}, synchronize_session=False)
    place = httpx.get(sent.headers["location"], verify=False).headers["location"].removeprefix(desk.url)
    assert browser.get(place).status_code == 403


def test_the_provider_may_refuse(desk: Desk, provider: Provider) -> None:
    provider.says("x", "x@example.org")
    browser = desk.browser()
    state = parse_qs(urlsplit(browser.get("/sign-in/oidc").headers["location"]).query)["state"][0]
    answer = browser.get(f"{CALLBACK}?error=access_denied&state={state}&error_description=<script>")
    assert answer.status_code == 403
    assert "<script>" not in answer.text


def test_without_a_provider_there_is_nothing(at: Installation) -> None:
    with open_desk(at) as desk:
        assert desk.browser().get("/sign-in/oidc").status_code == 404
        assert desk.browser().get(CALLBACK).status_code == 404
        assert "Sign in with" not in desk.browser().get("/sign-in").text
