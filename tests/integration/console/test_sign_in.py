"""Signing in with a password and with a link."""

from collections.abc import Iterator

import pytest

from admin.door import IDLE_LASTS, SESSION_LASTS
from admin.links import LINK_LASTS, add_link
from admin.passwords import hash_password
from core.admins import Action, Role
from core.store.admin_tables import Admin, AdminSession, SignInLink
from core.values import new_id, utc_now
from serving.throttle import SECONDS_A_TRY
from tests.integration.console.desk import Desk, open_desk
from tests.processes import Installation

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def password_hash() -> str:
    return hash_password(PASSWORD)


@pytest.fixture
def fresh(at: Installation) -> Iterator[Desk]:
    """A console of the test's own: wrong tries are counted in its process."""
    with open_desk(at) as opened:
        yield opened


def owner(desk: Desk, password_hash: str) -> Admin:
    """The local owner who is there for emergencies."""
    return desk.add(Role.OWNER, name=f"breakglass-{new_id()[-8:]}", password_hash=password_hash)


def test_the_right_password_lets_in_and_is_written_down(desk: Desk, password_hash: str) -> None:
    admin = owner(desk, password_hash)
    browser = desk.browser(**{"user-agent": "Netscape 4"})
    answer = browser.post("/sign-in", data={"name": admin.name, "password": PASSWORD, "next": "/audit?who=x"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/audit?who=x")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie
    assert browser.get("/").status_code == 200
    assert "Netscape 4" in browser.get("/sessions").text
    (entry,) = desk.audit(admin_name=admin.name, action=Action.SIGNED_IN)
    assert entry.detail == {"how": "password"}
    assert entry.address == "127.0.0.1"
    assert browser.get("/sign-in").headers["location"] == "/", "who is signed in need not sign in"


def test_over_https_the_cookie_is_bound_to_the_host(at: Installation, password_hash: str) -> None:
    with open_desk(at, console_url="https://review.example.org") as desk:
        admin = owner(desk, password_hash)
        answer = desk.browser().post("/sign-in", data={"name": admin.name, "password": PASSWORD})
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-glimt_console=")
        assert "Secure" in cookie
        assert "Domain" not in cookie
        token = cookie.partition("=")[2].partition(";")[0]
        assert desk.browser(cookie=f"__Host-glimt_console={token}").get("/").status_code == 200
        assert desk.browser(cookie=f"glimt_console={token}").get("/").status_code == 303
        origin = {"origin": "https://review.example.org", "sec-fetch-site": "same-origin"}
        assert desk.browser(**origin).post("/sign-in", data={"name": "x", "password": "y"}).status_code == 401


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("", PASSWORD),
        (None, PASSWORD + "x"),
        (None, ""),
        ("nobody", PASSWORD),
        (None, "x" * 5000),
        (None, "pass\0word"),
    ],
)
def test_a_wrong_one_does_not(fresh: Desk, password_hash: str, name: str | None, password: str) -> None:
    admin = owner(fresh, password_hash)
    tried = admin.name if name is None else name
    answer = fresh.browser().post("/sign-in", data={"name": tried, "password": password})
    assert answer.status_code == 401
    assert "The name or the password is wrong." in answer.text
    assert "set-cookie" not in answer.headers
    assert password not in answer.text or not password
    entry = fresh.audit(action=Action.SIGN_IN_REFUSED)[0]
    assert (entry.admin_name, entry.admin_id) == (tried, "")


def test_whoever_has_no_password_or_is_disabled_is_not_let_in_by_one(desk: Desk, password_hash: str) -> None:
    without, disabled = desk.add(), owner(desk, password_hash)
    with desk.store.write() as repositories:
        repositories.admins.disable(disabled.id)
    for name, password in ((without.name, ""), (without.name, PASSWORD), (disabled.name, PASSWORD)):
        assert desk.browser().post("/sign-in", data={"name": name, "password": password}).status_code == 401


def test_too_many_wrong_tries_close_the_door_also_for_the_right_password(at: Installation, password_hash: str) -> None:
    now = [0.0]
    with open_desk(at, clock=lambda: now[0]) as desk:
        admin, browser = owner(desk, password_hash), desk.browser()
        right = {"name": admin.name, "password": PASSWORD}
        tries = [browser.post("/sign-in", data={"name": f"n{n}", "password": "x"}).status_code for n in range(11)]
        assert tries == [401] * 10 + [429]
        answer = browser.post("/sign-in", data=right)
        assert answer.status_code == 429
        assert "glimt admins link" in answer.text
        now[0] += SECONDS_A_TRY + 1
        assert browser.post("/sign-in", data=right).status_code == 303
        # A right one is no try at all.
        assert browser.post("/sign-in", data=right).status_code == 303


def test_one_name_is_guarded_also_against_many_addresses(at: Installation, password_hash: str) -> None:
    now = [0.0]
    with open_desk(at, clock=lambda: now[0]) as desk:
        admin, browser = owner(desk, password_hash), desk.browser()
        wrong = {"name": admin.name, "password": "x"}
        tries = []
        for n in range(11):
            # uvicorn believes a proxy on this machine.
            answer = browser.post("/sign-in", data=wrong, headers={"x-forwarded-for": f"203.0.113.{n}"})
            tries.append(answer.status_code)
        assert tries == [401] * 10 + [429]
        assert desk.signed_in(admin).get("/").status_code == 200, "a link always opens"


def test_a_link_works_once_and_not_by_being_looked_at(desk: Desk) -> None:
    admin = desk.add(Role.READ_ONLY)
    with desk.store.write() as repositories:
        secret = add_link(repositories, admin)
    for _ in range(2):
        page = desk.browser().get(f"/link/{secret}")
        assert page.status_code == 200
        assert secret in page.text
    browser = desk.browser()
    assert browser.post("/link", data={"secret": secret}).headers["location"] == "/"
    assert browser.get("/").status_code == 200
    again = desk.browser().post("/link", data={"secret": secret})
    assert again.status_code == 401
    assert "used before" in again.text
    assert desk.audit(admin_name=admin.name, action=Action.SIGNED_IN)[0].detail == {"how": "link"}


def test_a_link_of_a_disabled_admin_or_from_long_ago_does_not_work(fresh: Desk) -> None:
    old, disabled = fresh.add(), fresh.add(Role.REVIEWER)
    with fresh.store.write() as repositories:
        secrets = [add_link(repositories, admin) for admin in (old, disabled)]
        repositories.admins.disable(disabled.id)
        repositories.session.query(SignInLink).filter_by(admin_id=old.id).update(
            {"expires_at": utc_now() - LINK_LASTS}, synchronize_session=False
        )
    for secret in (*secrets, "", "x" * 3000, "../../etc"):
        assert fresh.browser().post("/link", data={"secret": secret}).status_code == 401


@pytest.mark.parametrize("column", ["expires_at", "seen_at"])
def test_a_session_ends_by_itself(desk: Desk, column: str) -> None:
    admin = desk.add()
    browser = desk.signed_in(admin)
    assert browser.get("/").status_code == 200
    before = {"expires_at": utc_now(), "seen_at": utc_now() - IDLE_LASTS}[column]
    with desk.store.write() as repositories:
        mine = repositories.session.query(AdminSession).filter_by(admin_id=admin.id)
        mine.update({column: before}, synchronize_session=False)
    assert browser.get("/").status_code == 303
    assert SESSION_LASTS > IDLE_LASTS


@pytest.mark.parametrize(
    "after",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/sign-in", "/a\nb", ""],
)
def test_nobody_is_led_elsewhere_after_signing_in(desk: Desk, password_hash: str, after: str) -> None:
    admin = owner(desk, password_hash)
    answer = desk.browser().post("/sign-in", data={"name": admin.name, "password": PASSWORD, "next": after})
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{}", "application/json", 400),
        (b"name=" + b"x" * 70_000, "application/x-www-form-urlencoded", 413),
        (b"name=%ff", "application/x-www-form-urlencoded", 400),
        (b"\xff\xfe", "application/x-www-form-urlencoded", 400),
        (b"&a=b" * 1200, "application/x-www-form-urlencoded", 400),
        (b"", "", 400),
    ],
)
def test_what_is_no_form_is_refused(desk: Desk, body: bytes, kind: str, status: int) -> None:
    answer = desk.browser().post("/sign-in", content=body, headers={"content-type": kind})
    assert answer.status_code == status
    assert "That did not work" in answer.text
