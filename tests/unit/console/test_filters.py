"""Filters as they stand in the URL."""

from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest

from admin.errors import local_path
from admin.filters import Filters
from core.errors import WrongParameter
from core.store.review.filters import Wanted

ID = "0123456789abcdef" * 2
ME = "fedcba9876543210" * 2


def test_nothing_asked_for() -> None:
    for query in ({}, {"q": " ", "state": "", "slow": "", "utm_source": "mail"}):
        filters = Filters.of(query)
        assert (filters.q, filters.wanted, filters.chosen, filters.before_turn) == ("", Wanted(), 0, None)
    assert Wanted().is_empty


def test_everything_asked_for_is_read_and_written_back() -> None:
    query = {
        "q": "red 星", "platform": "slack", "workspace": ID, "place": ID, "person": "U1", "mode": "support",
        "model": "glm 4", "state": "failed", "feedback": "bad", "pictures": "1", "slow": "2.5",
        "since": "2026-01-02", "until": "2026-01-03", "flagged": "1", "label": ID, "review": "in_review",
        "assigned": "me",
    }  # fmt: skip
    filters = Filters.of(query, me=ME)
    assert filters.wanted == Wanted(
        platform="slack", workspace=ID, place=ID, person="U1", mode="support", model="glm 4", state="failed",
        feedback="bad", pictures=True, slow_s=2.5,
        since=datetime(2026, 1, 2, tzinfo=UTC), before=datetime(2026, 1, 4, tzinfo=UTC),
        flagged=True, label=ID, review="in_review", assigned=ME,
    )  # fmt: skip
    assert filters.chosen == 16
    assert filters.said() == query
    address = filters.address(before=(datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC), ID))
    again = Filters.of(dict(parse_qsl(address.removeprefix("/?"))), me=ME)
    assert (again.wanted, again.q) == (filters.wanted, filters.q)
    assert again.before_conversation == (datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC), ID)


@pytest.mark.parametrize("before", [f"2026-01-02T03:04:05.000678+00:00_{ID}", f"2026-01-02T03:04:05+00:00_{ID}"])
def test_a_place_in_the_list(before: str) -> None:
    place = Filters.of({"before": before}).before_conversation
    assert place is not None
    assert place[1] == ID
    assert place[0].tzinfo is not None


@pytest.mark.parametrize("before", ["x", f"2026-01-02_{ID}", "2026-01-02T03:04:05+00:00_x", f"_{ID}", "_"])
def test_no_place_in_the_list(before: str) -> None:
    with pytest.raises(WrongParameter):
        _ = Filters.of({"before": before}).before_conversation


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("/", "/"),
        ("/?q=a b", "/?q=a b"),
        ("/conversations/1#turn-2", "/conversations/1#turn-2"),
        ("", "/"),
        ("x", "/"),
        ("//x", "/"),
        ("/\\x", "/"),
        ("/\tx", "/"),
        ("http://x", "/"),
        ("/sign-in?next=/sign-in", "/"),
    ],
)
def test_where_signing_in_leads(address: str, path: str) -> None:
    assert local_path(address) == path
