"""A transcript while it goes on, and sessions that end meanwhile."""

import threading
from datetime import datetime, timedelta

import httpx

from core.admins import Role
from core.store.admin_tables import AdminSession
from core.values import new_id, utc_now
from tests.integration.console.talk import Talk
from tests.integration.web.site import events_of
from tests.processes import until


def test_an_answer_is_followed_while_it_is_written(talk: Talk, owner: httpx.Client) -> None:
    accepted = talk.ask("Live?")
    page = owner.get(f"/conversations/{accepted.conversation_id}").text
    assert f'data-live="/turns/{accepted.turn_id}/events"' in page
    turn, writer = talk.claim(accepted.turn_id)
    with owner.stream("GET", f"/turns/{accepted.turn_id}/events") as response:
        events = events_of(response)
        writer.text("Let me see. ", "think")
        writer.text("A ")
        writer.flush()
        seen = [next(events)]
        while seen[-1].data.get("text") != "A ":
            seen.append(next(events))
        talk.end(turn, writer, answer="A star.")
        rest = [event.name for event in events]
    assert rest[-1] == "end"
    assert {event.data.get("kind") for event in seen if event.name == "text"} == {"think", "text"}
    assert "A star." in owner.get(f"/turns/{accepted.turn_id}").text


def test_what_is_asked_meanwhile_is_added(talk: Talk, owner: httpx.Client) -> None:
    first = talk.answered("First?", "Yes.", thread="meanwhile")
    address = f"/conversations/{first.conversation_id}"
    later = f"{address}/later?after=1"
    assert f'hx-get="{later}"' in owner.get(address).text
    assert owner.get(later).status_code == 204
    second = talk.ask("Second?", thread="meanwhile")
    part = owner.get(later).text
    assert "Second?" in part
    assert "First?" not in part
    assert f'data-live="/turns/{second.turn_id}/events"' in part
    assert f'hx-get="{address}/later?after=2"' in part
    read = [entry.detail for entry in talk.desk.audit(conversation_id=first.conversation_id)]
    assert read == [{"first": 2, "last": 2}, {"first": 1, "last": 1}]
    assert owner.get(f"/conversations/{new_id()}/later?after=0").status_code == 404
    assert owner.get(f"{address}/later?after=x").status_code == 400


def test_a_page_that_is_only_open_does_not_keep_a_session_alive(talk: Talk) -> None:
    admin = talk.desk.add()
    browser = talk.desk.signed_in(admin)
    first = talk.answered("Idle?", "Yes.")
    before = utc_now() - timedelta(hours=1)

    def seen_at() -> datetime:
        with talk.desk.store.read() as repositories:
            return repositories.admin_sessions.of_admin(admin.id)[0].seen_at

    with talk.desk.store.write() as repositories:
        repositories.session.query(AdminSession).filter_by(admin_id=admin.id).update({"seen_at": before})
    assert browser.get(f"/conversations/{first.conversation_id}/later?after=1").status_code == 204
    assert browser.get(f"/turns/{first.turn_id}/events").status_code == 200
    assert seen_at() == before
    browser.get("/")
    assert seen_at() > before


def test_a_session_that_ends_sees_no_more_of_an_answer(talk: Talk) -> None:
    admin = talk.desk.add(Role.REVIEWER)
    browser = talk.desk.signed_in(admin)
    accepted = talk.ask("Secret?")
    turn, writer = talk.claim(accepted.turn_id)
    with browser.stream("GET", f"/turns/{accepted.turn_id}/events") as response:
        events = events_of(response)
        writer.text("first ")
        writer.flush()
        until(lambda: next(events).data.get("text") == "first ", "the beginning is seen")
        with talk.desk.store.write() as repositories:
            repositories.admin_sessions.end_all(admin.id)
        done = threading.Event()

        def write_on() -> None:
            while not done.wait(0.2):
                writer.text("more ")
                writer.flush()

        writing = threading.Thread(target=write_on)
        writing.start()
        try:
            assert [event.name for event in events][-1] == "over"
        finally:
            done.set()
            writing.join()
    talk.end(turn, writer, answer="first")
