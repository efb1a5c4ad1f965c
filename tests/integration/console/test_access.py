"""Who gets where: every route with every role, sessions that end at once, requests of other sites."""

import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from admin.bearer import Bearers
from admin.door import Door
from admin.routes import Routes
from core.admins import MAY, Permission, Role
from core.errors import ConfigurationError
from core.values import new_id
from tests.integration.console.desk import Desk

# What each role reaches, written down by hand: a route that changes sides must change this, too.
OWNER_ONLY = {
    ("GET", "/admins"),
    ("POST", "/admins"),
    ("POST", "/admins/{id}"),
    ("POST", "/admins/{id}/disable"),
    ("POST", "/admins/{id}/enable"),
    ("POST", "/admins/{id}/sign-out"),
    ("POST", "/admins/{id}/link"),
    ("GET", "/audit"),
    ("GET", "/labels"),
    ("POST", "/labels"),
    ("POST", "/labels/{id}"),
    ("POST", "/labels/{id}/retire"),
    ("POST", "/labels/{id}/offer"),
    ("POST", "/queues"),
    ("POST", "/queues/{id}"),
    ("POST", "/queues/{id}/remove"),
    ("GET", "/settings"),
    ("POST", "/settings"),
    ("POST", "/settings/undo"),
    ("GET", "/settings/workspaces/{id}"),
    ("POST", "/settings/workspaces/{id}"),
    ("POST", "/settings/workspaces/{id}/undo"),
    ("GET", "/settings/places/{id}"),
    ("POST", "/settings/places/{id}"),
    ("POST", "/settings/places/{id}/undo"),
    ("GET", "/audit/{kind}"),
    ("GET", "/retention"),
    ("GET", "/retention/preview"),
    ("POST", "/retention"),
    ("POST", "/retention/run"),
    ("POST", "/people/{id}/erase"),
    ("GET", "/conversations/{id}/privacy"),
    ("POST", "/conversations/{id}/hold"),
    ("POST", "/conversations/{id}/hold/end"),
    ("POST", "/conversations/{id}/erase"),
    ("GET", "/erasures/{id}"),
    ("GET", "/export/people"),
    ("POST", "/people/{id}/export"),
}
# Everybody but those who only read.
REVIEWERS = {
    ("POST", "/turns/{id}/flag"),
    ("POST", "/turns/{id}/labels"),
    ("POST", "/turns/{id}/notes"),
    ("POST", "/turns/{id}/correction"),
    ("POST", "/turns/{id}/judgement"),
    ("POST", "/notes/{id}"),
    ("POST", "/conversations/{id}/review"),
    ("POST", "/conversations/{id}/assign"),
    ("GET", "/queues"),
    ("GET", "/queues/{id}"),
    ("POST", "/queues/{id}/next"),
}
EVERY_ROLE = {
    ("GET", "/"),
    ("GET", "/conversations/{id}"),
    ("GET", "/conversations/{id}/later"),
    ("GET", "/conversations/{id}/takeover"),
    ("GET", "/turns/{id}"),
    ("GET", "/turns/{id}/events"),
    ("GET", "/turns/{turn}/pictures/{id}"),
    ("GET", "/pictures/{id}"),
    ("GET", "/pictures/{id}/small"),
    ("GET", "/numbers"),
    ("GET", "/numbers/now"),
    ("GET", "/numbers/people"),
    ("GET", "/people/{id}"),
    ("GET", "/sessions"),
    ("POST", "/sessions/end"),
    ("POST", "/sessions/end-all"),
    ("POST", "/sign-out"),
}
OPERATORS = {
    ("POST", "/conversations/{id}/take"),
    ("POST", "/conversations/{id}/say"),
    ("POST", "/conversations/{id}/back"),
}
MAY_EXPORT = {
    ("GET", "/export"),
    ("GET", "/api/export"),
    ("GET", "/tokens"),
    ("POST", "/tokens"),
    ("POST", "/tokens/end"),
    ("GET", "/usage.csv"),
}
EVERYBODY = {
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("GET", "/sign-in/oidc"),
    ("GET", "/sign-in/oidc/callback"),
    ("GET", "/link/{secret}"),
    ("POST", "/link"),
    ("GET", "/healthz"),
}


def _routes(app: FastAPI, desk: Desk) -> Routes:
    door = Door(desk.settings, desk.store)
    return Routes(app, door, Bearers(door, desk.store))


def test_the_table_holds_every_route(desk: Desk) -> None:
    guarded = {route for route, permission in desk.routes.declared.items() if permission is not None}
    assert guarded == OWNER_ONLY | REVIEWERS | OPERATORS | EVERY_ROLE | MAY_EXPORT
    assert desk.routes.for_programs == {("GET", "/api/export")}
    assert set(desk.routes.declared) - guarded == EVERYBODY


@pytest.mark.parametrize("role", [None, *Role])
def test_every_route_with_every_role(desk: Desk, role: Role | None) -> None:
    for method, path in sorted(OWNER_ONLY | REVIEWERS | OPERATORS | EVERY_ROLE | MAY_EXPORT):
        permission = desk.routes.declared[method, path]
        assert permission is not None
        # Afresh each time: some of the routes end the session.
        browser = desk.browser() if role is None else desk.signed_in(desk.add(role))
        address = path.replace("{id}", new_id()).replace("{turn}", new_id())
        answer = browser.request(method, address, data={"name": ""} if method == "POST" else None)
        if role is None:
            to_sign_in = answer.status_code == 303 and answer.headers["location"].startswith("/sign-in?next=")
            assert to_sign_in if method == "GET" else answer.status_code == 401, (method, path)
        elif permission in MAY[role]:
            # There is no such id, and the form is empty; but nobody says that he may not.
            assert answer.status_code in (200, 303, 400, 404), (role, method, path, answer.text)
        else:
            assert answer.status_code == 403, (role, method, path)
            assert "does not allow this" in answer.text
        reviews = (method, path) in REVIEWERS and role is not Role.READ_ONLY
        operates = (method, path) in OPERATORS and role is Role.OPERATOR
        exports = role is Role.REVIEWER and (method, path) in MAY_EXPORT
        more = role is Role.OWNER or reviews or operates or exports
        expected = role is not None and ((method, path) in EVERY_ROLE or more)
        assert (role is not None and permission in MAY[role]) == expected


def test_the_roles() -> None:
    assert MAY[Role.OWNER] == set(Permission)
    assert MAY[Role.READ_ONLY] == {Permission.READ}
    assert all(Permission.READ in may for may in MAY.values())
    assert {role for role, may in MAY.items() if Permission.OPERATE in may} == {Role.OWNER, Role.OPERATOR}


def test_a_route_that_was_not_declared_keeps_the_console_from_starting(desk: Desk) -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    routes = _routes(app, desk)

    @routes.public("GET", "/known")
    async def known(_request: Request) -> Response:
        return PlainTextResponse("")

    routes.require_all_declared()
    app.add_api_route("/forgotten", known, methods=["GET"])
    with pytest.raises(ConfigurationError, match="/forgotten"):
        routes.require_all_declared()


def test_another_method_of_a_declared_path_is_not_declared(desk: Desk) -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    routes = _routes(app, desk)

    @routes.public("GET", "/known")
    async def known(_request: Request) -> Response:
        return PlainTextResponse("")

    app.add_api_route("/known", known, methods=["DELETE"])
    with pytest.raises(ConfigurationError, match="/known"):
        routes.require_all_declared()
    with pytest.raises(ConfigurationError, match="twice"):
        routes.public("GET", "/known")(known)


@pytest.mark.parametrize("path", ["/sign-out", "/sessions/end-all", "/sign-in", "/link", "/admins"])
@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {},
    ],
)
def test_a_change_that_our_own_page_did_not_send_is_refused(desk: Desk, path: str, headers: dict[str, str]) -> None:
    browser = desk.signed_in()
    del browser.headers["sec-fetch-site"]
    assert browser.post(path, data={"name": "x"}, headers=headers).status_code == 403
    assert browser.get("/sessions").status_code == 200, "nobody was signed out"


def test_a_link_on_another_site_opens_a_page_but_no_other_request_of_it_does(desk: Desk) -> None:
    browser = desk.signed_in()
    browser.headers["sec-fetch-site"] = "cross-site"
    followed = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert browser.get("/", headers=followed).status_code == 200
    assert browser.get("/", headers={**followed, "sec-fetch-dest": "iframe"}).status_code == 403
    assert browser.get("/", headers={"sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}).status_code == 403


def test_an_old_browser_is_known_by_its_origin(desk: Desk) -> None:
    browser = desk.signed_in()
    del browser.headers["sec-fetch-site"]
    assert browser.post("/sign-out", headers={"origin": desk.url}).status_code == 303


def test_signing_out_ends_the_session_and_not_only_the_cookie(desk: Desk) -> None:
    browser = desk.signed_in()
    cookies = dict(browser.cookies)
    assert browser.get("/").status_code == 200
    assert browser.post("/sign-out").status_code == 303
    thief = desk.browser()
    thief.cookies.update(cookies)
    assert thief.get("/").status_code == 303


def test_signing_out_everywhere_and_one_session_alone(desk: Desk) -> None:
    admin = desk.add(Role.REVIEWER)
    here, there, yonder = (desk.signed_in(admin) for _ in range(3))
    other = desk.signed_in(desk.add(Role.REVIEWER))
    with desk.store.read() as repositories:
        sessions = repositories.admin_sessions.of_admin(admin.id)
    assert len(sessions) == 3
    other.post("/sessions/end", data={"session": sessions[0].id})
    assert [browser.get("/").status_code for browser in (here, there, yonder)] == [200, 200, 200]
    mine = here.get("/sessions").text
    assert (mine.count("This browser"), mine.count("Another browser")) == (1, 2)
    ended = max(sessions, key=lambda session: session.created_at)
    here.post("/sessions/end", data={"session": ended.id})
    assert sorted(browser.get("/").status_code for browser in (here, there, yonder)) == [200, 200, 303]
    here.post("/sessions/end-all")
    assert [browser.get("/").status_code for browser in (here, there, yonder, other)] == [303, 303, 303, 200]


def test_an_owner_signs_others_out_changes_and_disables_them_at_once(desk: Desk) -> None:
    owner, admin = desk.signed_in(), desk.add(Role.REVIEWER)
    browser = desk.signed_in(admin)
    assert owner.post(f"/admins/{admin.id}", data={"role": "owner"}).status_code == 303
    assert browser.get("/audit").status_code == 200
    assert owner.post(f"/admins/{admin.id}", data={"role": "read-only"}).status_code == 303
    assert browser.get("/audit").status_code == 403
    assert owner.post(f"/admins/{admin.id}/sign-out").status_code == 303
    assert browser.get("/").status_code == 303
    browser = desk.signed_in(admin)
    assert owner.post(f"/admins/{admin.id}/disable").status_code == 303
    assert browser.get("/").status_code == 303
    assert owner.post(f"/admins/{admin.id}/link").status_code == 404
    assert owner.post(f"/admins/{admin.id}/enable").status_code == 303
    assert desk.signed_in(admin).get("/").status_code == 200


def test_headers_of_every_answer(desk: Desk) -> None:
    for path in ("/", "/sign-in", "/nothing", "/static/console.css", "/healthz"):
        headers = desk.browser().get(path).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'"), path
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
    assert desk.signed_in().get("/").headers["cache-control"] == "no-store"


def test_a_part_of_a_page_sends_the_whole_browser_to_the_sign_in_page(desk: Desk) -> None:
    part = {"hx-request": "true", "hx-current-url": f"{desk.url}/?q=x"}
    answer = desk.browser().get("/?q=x", headers=part)
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/sign-in?next=/%3Fq%3Dx"
