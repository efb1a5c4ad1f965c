"""The page on which owners say who may read what."""

import pytest

from core.admins import Action, Role
from core.store.review.scope import ReadScope
from core.values import Platform, new_id
from tests.integration.console.desk import Desk


def scope_of(desk: Desk, name: str) -> ReadScope:
    """What an admin may read now."""
    with desk.store.read() as repositories:
        admin = repositories.admins.by_name(name)
        assert admin is not None
        return repositories.admins.scope(admin)


def test_an_admin_is_added_with_grants_and_changed(desk: Desk) -> None:
    with desk.store.write() as repositories:
        workspace = repositories.people.workspace(Platform.SLACK, new_id(), name="Acme & <Söhne>")
        other = repositories.people.workspace(Platform.SLACK, new_id())
        place = repositories.places.get_or_create(other.id, "C0MANAGED")
    owner, name = desk.signed_in(), f"r-{new_id()[-8:]}"
    fields: dict[str, str | list[str]] = {"name": name, "role": "reviewer", "email": f"{name}@Example.org"}
    fields |= {"workspace": workspace.id, "place": place.id}
    assert owner.post("/admins", data=fields).status_code == 303
    assert scope_of(desk, name) == ReadScope(workspaces=frozenset({workspace.id}), places=frozenset({place.id}))
    page = owner.get("/admins").text
    assert "Acme &amp; &lt;Söhne&gt;" in page
    assert f"{name}@example.org" in page
    added = desk.audit(action=Action.ADMIN_ADDED)[0]
    assert (added.detail["name"], added.detail["role"]) == (name, "reviewer")
    assert added.detail["workspaces"] == [workspace.id]
    with desk.store.read() as repositories:
        admin = repositories.admins.by_name(name)
    assert admin is not None
    assert owner.post(f"/admins/{admin.id}", data={"role": "operator", "everywhere": "1"}).status_code == 303
    assert scope_of(desk, name).everywhere
    assert desk.audit(action=Action.ADMIN_CHANGED)[0].detail["email"] == ""


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": "", "role": "owner"}, "printable characters"),
        ({"name": "x", "role": "king"}, "A role is one of"),
        ({"name": "x", "role": "owner", "email": "x"}, "no e-mail address"),
    ],
)
def test_what_cannot_be_is_told_on_the_page(desk: Desk, fields: dict[str, str], says: str) -> None:
    answer = desk.signed_in().post("/admins", data=fields)
    assert answer.status_code == 400
    assert says in answer.text
    assert 'role="alert"' in answer.text
    assert "Add an admin" in answer.text


def test_a_link_is_shown_once_and_works(desk: Desk) -> None:
    owner, admin = desk.signed_in(), desk.add(Role.READ_ONLY, name=f"l-{new_id()[-8:]}")
    page = owner.post(f"/admins/{admin.id}/link").text
    secret = page.split(f"{desk.url}/link/")[1].split("<")[0]
    browser = desk.browser()
    assert browser.post("/link", data={"secret": secret}).status_code == 303
    assert browser.get("/admins").status_code == 403
    assert f"{desk.url}/link/" not in owner.get("/admins").text
    assert desk.audit(action=Action.LINK_MADE)[0].detail == {"name": admin.name}


def test_ids_that_are_none_are_not_found(desk: Desk) -> None:
    owner = desk.signed_in()
    for path in ("", "/disable", "/enable", "/sign-out", "/link"):
        for admin_id in (new_id(), "x", "%2e%2e"):
            answer = owner.post(f"/admins/{admin_id}{path}", data={"role": "owner"})
            assert answer.status_code == 404, (path, admin_id)


def test_the_log_is_filtered_and_is_written_down_itself(desk: Desk) -> None:
    owner, admin = desk.signed_in(), desk.add(Role.REVIEWER)
    desk.signed_in(admin).get("/?q=pelican")
    page = owner.get("/audit", params={"who": admin.name, "action": "searched"}).text
    assert "pelican" in page
    assert page.count("<tr>") == 2
    entry = desk.audit(action=Action.READ_AUDIT)[0]
    assert entry.detail == {"asked": {"who": admin.name, "action": "searched"}}
    for wrong in ("action=zz", "before=zz", "conversation=zz"):
        assert owner.get(f"/audit?{wrong}").status_code == 400
