"""The ways that the pages offer: those that a role may go, and no others."""

import re

import pytest

from core.admins import Role
from tests.integration.console.desk import Desk

WAYS = {
    Role.READ_ONLY: ["/", "/numbers"],
    Role.REVIEWER: ["/", "/queues", "/numbers", "/export"],
    Role.OPERATOR: ["/", "/queues", "/numbers"],
    Role.OWNER: ["/", "/queues", "/numbers", "/export", "/settings"],
}


def ways(page: str, nav: str) -> list[str]:
    """Addresses of the links in a navigation."""
    found = re.search(rf'<nav [^>]*aria-label="{nav}">(.*?)</nav>', page, re.DOTALL)
    return re.findall(r'href="([^"]+)"', found[1]) if found else []


@pytest.mark.parametrize("role", list(Role))
def test_a_role_is_offered_what_it_may_open(desk: Desk, role: Role) -> None:
    browser = desk.signed_in(desk.add(role))
    page = browser.get("/").text
    assert ways(page, "Console") == WAYS[role]
    for address in ways(page, "Console"):
        assert browser.get(address).status_code == 200
    assert 'href="/sessions"' in page
    assert ways(page, "Manage") == []
    # Keys that would do nothing are not in the help.
    assert ("<kbd>t</kbd>" in page) == (role in (Role.OPERATOR, Role.OWNER))
    assert ("<kbd>f</kbd>" in page) == (role is not Role.READ_ONLY)


def test_what_owners_manage_stands_together(desk: Desk) -> None:
    browser = desk.signed_in(desk.add(Role.OWNER))
    managed = ["/settings", "/retention", "/admins", "/audit"]
    for address in managed:
        page = browser.get(address).text
        assert ways(page, "Manage") == managed
        assert f'href="{address}" aria-current="page"' in page
