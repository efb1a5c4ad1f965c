"""Admins, what they may read, their sessions, and a log that nobody can change."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.admins import Action, Role
from core.errors import NotFound, RequestError
from core.store.admin_tables import Admin
from core.store.database import Store
from core.store.review.scope import EVERYTHING, ReadScope
from core.values import Platform, new_id
from tests.integration.store.scene import NOW, after

DAY = timedelta(days=1)


@pytest.fixture
def owner(store: Store) -> Admin:
    with store.write() as repositories:
        admin = repositories.admins.add("olga", Role.OWNER, email="Olga@Example.org ")
    return admin


def test_names_and_addresses_belong_to_one_admin(store: Store, owner: Admin) -> None:
    assert owner.email == "olga@example.org"
    for name, email in (("olga", ""), ("other", "OLGA@example.org")):
        with store.write() as repositories:
            with pytest.raises(RequestError):
                repositories.admins.add(name, Role.REVIEWER, email=email)
    with store.write() as repositories:
        repositories.admins.add("without", Role.REVIEWER)
        repositories.admins.add("without too", Role.REVIEWER)
        assert [admin.name for admin in repositories.admins.list()] == ["olga", "without", "without too"]
        assert repositories.admins.by_email("") is None
        assert repositories.admins.by_subject("", "") is None


def test_the_last_owner_stays(store: Store, owner: Admin) -> None:
    with store.write() as repositories:
        admins = repositories.admins
        with pytest.raises(RequestError, match="last owner"):
            admins.disable(owner.id)
        with pytest.raises(RequestError, match="last owner"):
            admins.change(owner.id, role=Role.REVIEWER, email="", everywhere=True)
        other = admins.add("oleg", Role.OWNER)
        admins.disable(owner.id)
        with pytest.raises(RequestError, match="last owner"):
            admins.disable(other.id)
        admins.enable(owner.id)
        admins.change(other.id, role=Role.READ_ONLY, email="", everywhere=False)
        assert admins.any()
        with pytest.raises(NotFound):
            admins.disable(new_id())


def test_a_scope_is_what_was_granted_last(store: Store, owner: Admin) -> None:
    with store.write() as repositories:
        first, second = (repositories.people.workspace(Platform.SLACK, name) for name in ("T1", "T2"))
        inside = repositories.places.get_or_create(first.id, "C1")
        beside = repositories.places.get_or_create(second.id, "C2")
        admins = repositories.admins
        reader = admins.add("ron", Role.REVIEWER)
        assert admins.scope(owner) == EVERYTHING
        assert admins.scope(reader) == ReadScope()
        admins.grant(reader.id, workspaces=[first.id, new_id()], places=[inside.id, beside.id, "nothing"])
        # The place is part of the workspace already.
        assert admins.scope(reader) == ReadScope(workspaces=frozenset({first.id}), places=frozenset({beside.id}))
        admins.grant(reader.id, workspaces=[], places=[inside.id])
        assert admins.scope(reader) == ReadScope(places=frozenset({inside.id}))
        admins.change(reader.id, role=Role.REVIEWER, email="", everywhere=True)
        assert admins.scope(reader) == EVERYTHING
        admins.grant(owner.id, workspaces=[], places=[])
        assert admins.scope(owner) == EVERYTHING


def test_a_subject_is_linked_once_and_forgotten_with_another_address(store: Store, owner: Admin) -> None:
    with store.write() as repositories:
        admins = repositories.admins
        assert admins.link(owner.id, "https://idp", "1")
        assert not admins.link(owner.id, "https://idp", "2")
        found = admins.by_subject("https://idp", "1")
        assert found is not None
        assert found.id == owner.id
        admins.change(owner.id, role=Role.OWNER, email="new@example.org", everywhere=False)
        assert admins.by_subject("https://idp", "1") is None
        other = admins.add("oleg", Role.OWNER)
        admins.disable(other.id)
        assert not admins.link(other.id, "https://idp", "3")


def test_a_session_is_found_until_it_is_over(store: Store, owner: Admin) -> None:
    with store.write() as repositories:
        sessions = repositories.admin_sessions
        kept = sessions.begin("a", owner.id, method="link", browser="b" * 500, now=NOW, expires_at=NOW + DAY)
        sessions.begin("b", owner.id, method="link", browser="", now=NOW, expires_at=after(5))
        long_ago = NOW - DAY
        found = sessions.find("a", now=NOW, seen_since=long_ago)
        assert found is not None
        assert (found.session.id, found.admin.id) == (kept.id, owner.id)
        assert sessions.find("b", now=after(6), seen_since=long_ago) is None
        assert sessions.find("a", now=after(1), seen_since=NOW) is None
        sessions.seen(kept.id, after(2))
        assert sessions.find("a", now=after(3), seen_since=NOW) is not None
        assert not sessions.end(kept.id, new_id()), "somebody else's"
        sessions.purge(after(6))
        assert [session.token_hash for session in sessions.of_admin(owner.id)] == ["a"]
        assert sessions.end(kept.id, owner.id)
        assert sessions.find("a", now=NOW, seen_since=long_ago) is None


def test_ending_all_sessions_ends_links_too(store: Store, owner: Admin) -> None:
    with store.write() as repositories:
        sessions = repositories.admin_sessions
        sessions.begin("a", owner.id, method="link", browser="", now=NOW, expires_at=NOW + DAY)
        sessions.add_link("l", owner.id, NOW + DAY)
        assert sessions.end_all(owner.id) == 1
        assert sessions.use_link("l", NOW) is None


def test_links_and_pending_sign_ins_are_used_once_and_in_time(store: Store, owner: Admin) -> None:
    with store.write() as repositories:
        sessions = repositories.admin_sessions
        sessions.add_link("l", owner.id, after(5))
        sessions.add_pending("p", {"state": "x"}, after(5))
        assert sessions.use_link("l", after(6)) is None
        assert sessions.take_pending("p", after(6)) is None
        used = sessions.use_link("l", after(4))
        assert used is not None
        assert used.id == owner.id
        assert sessions.use_link("l", after(4)) is None
        assert sessions.take_pending("p", after(4)) == {"state": "x"}
        assert sessions.take_pending("p", after(4)) is None


@pytest.mark.parametrize("statement", ["UPDATE audit_log SET admin_name = 'x'", "DELETE FROM audit_log"])
def test_nobody_changes_or_removes_what_is_in_the_log(store: Store, statement: str) -> None:
    with store.write() as repositories:
        repositories.audit.add(Action.READ, admin_name="olga", conversation_id="c", detail={"first": 1})
    with pytest.raises(DBAPIError, match="append-only"):
        with store.write() as repositories:
            repositories.session.execute(text(statement))
    with store.read() as repositories:
        (entry,), older = repositories.audit.list()
        assert (entry.admin_name, entry.detail, older) == ("olga", {"first": 1}, None)


def test_the_log_is_read_by_who_what_and_where(store: Store) -> None:
    with store.write() as repositories:
        for n in range(5):
            repositories.audit.add(
                Action.READ if n % 2 else Action.SEARCHED, admin_name=f"a{n % 3}", conversation_id="c" if n == 4 else ""
            )
    with store.read() as repositories:
        audit = repositories.audit
        assert len(audit.list(admin_name="a0")[0]) == 2
        assert len(audit.list(action=Action.READ)[0]) == 2
        assert len(audit.list(conversation_id="c")[0]) == 1
        first, older = audit.list(limit=2)
        second, _ = audit.list(limit=3, before=older)
        assert sorted(entry.id for entry in (*first, *second)) == sorted({e.id for e in audit.list()[0]})
