"""The list of conversations, page by page."""

import base64
from datetime import timedelta

import httpx
import pytest

from core.store.models import Conversation
from core.values import utc_now
from tests.integration.web.site import Site, ask


@pytest.fixture
def page(site: Site) -> httpx.Client:
    return site.visitor()


def test_the_latest_change_comes_first(site: Site, page: httpx.Client) -> None:
    first = ask(page, "The first of them?").json()["conversation_id"]
    second = ask(page, "The second of them?").json()["conversation_id"]

    def listed() -> list[str]:
        return [c["id"] for c in page.get("/api/conversations").json()["conversations"]]

    assert listed() == [second, first]
    assert ask(page, "And on?", conversation_id=first).status_code == 201
    assert listed() == [first, second]
    titles = [c["title"] for c in page.get("/api/conversations").json()["conversations"]]
    assert titles == ["The first of them?", "The second of them?"]


def test_a_long_list_comes_in_pages(site: Site, page: httpx.Client) -> None:
    known = ask(page, "Many?").json()["conversation_id"]
    now = utc_now()
    with site.at.store.write() as repositories:
        mine = repositories.conversations.get(known)
        assert mine is not None
        for number in range(120):
            # Some of the same moment, so that the id decides.
            changed = now - timedelta(seconds=10 + number // 3)
            repositories.session.add(
                Conversation(
                    workspace_id=mine.workspace_id,
                    person_id=mine.person_id,
                    external_id=f"{known}-{number}",
                    title=str(number),
                    updated_at=changed,
                )
            )
    seen: list[str] = []
    cursor = ""
    pages = 0
    while cursor is not None:
        got = page.get("/api/conversations", params={"before": cursor} if cursor else {}).json()
        seen += [c["id"] for c in got["conversations"]]
        cursor = got["next"]
        pages += 1
    assert (len(seen), len(set(seen)), pages) == (121, 121, 3)
    assert seen[0] == known


def encoded(time: str, conversation_id: str) -> str:
    return base64.urlsafe_b64encode(f"{time} {conversation_id}".encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "%00",
        "AAAA",
        "/../",
        "9" * 3000,
        "\u00e4",
        encoded("2026-01-01T00:00:00+00:00", "x"),
        encoded("now", "0" * 32),
        encoded("0001-01-01T00:00:00+14:00", "0" * 32),
    ],
)
def test_a_cursor_that_is_none(page: httpx.Client, cursor: str) -> None:
    response = page.get("/api/conversations", params={"before": cursor})
    assert (response.status_code, response.json()["error"]["code"]) == (400, "invalid_value")


@pytest.mark.parametrize("conversation_id", ["0" * 32, "x", "%00", "..", "a" * 5000])
def test_a_conversation_that_does_not_exist(page: httpx.Client, conversation_id: str) -> None:
    assert page.get(f"/api/conversations/{conversation_id}").status_code == 404


def test_somebody_elses_conversation_does_not_exist_either(site: Site, page: httpx.Client) -> None:
    theirs = ask(site.visitor(), "Theirs?").json()["conversation_id"]
    assert page.get(f"/api/conversations/{theirs}").status_code == 404
    assert page.get("/api/conversations").json()["conversations"] == []
