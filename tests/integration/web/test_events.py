"""Following an answer: live, late, again after a lost connection, and without Redis."""

import httpx
import openai
import pytest

from core.store.models import Turn
from core.values import TurnState
from tests.integration.web.site import Event, Site, ask, following, serving
from tests.processes import Installation, until


@pytest.fixture
def page(site: Site) -> httpx.Client:
    return site.visitor()


def begin(page: httpx.Client, question: str) -> str:
    return str(ask(page, question).json()["turn"]["id"])


def shown(events: list[Event]) -> str:
    """The answer as a page puts it together: a reset takes everything back."""
    text = ""
    for event in events:
        text = "" if event.name == "reset" else text + (event.data["text"] if event.name == "text" else "")
    return text


def test_live(site: Site, page: httpx.Client) -> None:
    turn_id = begin(page, "Live?")
    with following(page, turn_id) as events:
        work = site.take("Live?").think("Hm.")
        assert next(e for e in events if e.name == "think").data == {"text": "Hm."}
        work.say("A st")
        assert next(events).data == {"text": "A st"}
        work.say("ar ⭐\n\nvery\rbright")
        assert next(events).data == {"text": "ar ⭐\n\nvery\rbright"}
        assert site.metric('glimt_streams{channel="page"}') >= 1
        work.answer("A star ⭐\n\nvery\rbright", thinking="Hm.")
        end = next(events)
        assert next(events, None) is None
    assert end.name == "end"
    assert end.data["turn"]["answer"] == "A star ⭐\n\nvery\rbright"
    assert end.data["turn"]["state"] == "answered"
    site.until_state(turn_id, TurnState.DELIVERED)
    assert site.delivery(turn_id).state == "sent"


def test_what_the_eyes_saw_is_told_live_and_with_the_turn(site: Site, page: httpx.Client) -> None:
    turn_id = begin(page, "Seen?")
    seen = {"picture": "ab" * 32, "model": "eyes", "text": "A star."}
    with following(page, turn_id) as events:
        work = site.take("Seen?").see(seen)
        told = next(e for e in events if e.name == "seen").data
        work.answer("Yes.", observations=(seen,))
        end = next(events)
    assert told == {**seen, "url": f"/api/pictures/{'ab' * 32}"}
    assert end.data["turn"]["observations"] == [told]


def test_a_turn_that_waits_says_so(site: Site, page: httpx.Client) -> None:
    turn_id = begin(page, "Waiting?")
    with following(page, turn_id) as events:
        first = next(events)
        assert first.name == "waiting"
        assert first.data["position"] >= 0
        site.take("Waiting?").answer("Done.")
        assert list(events)[-1].data["turn"]["answer"] == "Done."


def test_a_late_reader_gets_all_of_it(site: Site, page: httpx.Client) -> None:
    turn_id = begin(page, "Late?")
    site.take("Late?").say("All").say(" of").say(" it").answer("All of it")
    with following(page, turn_id) as events:
        seen = list(events)
    assert shown(seen) == "All of it"
    assert [e.name for e in seen].count("end") == 1
    assert seen[-1].data["turn"]["answer"] == "All of it"


def test_resuming_behind_the_last_event(site: Site, page: httpx.Client) -> None:
    turn_id = begin(page, "Resumed?")
    work = site.take("Resumed?").say("One")
    with following(page, turn_id) as events:
        got = next(e for e in events if e.name == "text")
    assert got.data == {"text": "One"}
    work.say(" two")
    with following(page, turn_id, after=got.cursor) as events:
        second = next(events)
        assert second == Event("text", second.cursor, {"text": " two"})
        work.say(" three").answer("One two three")
        assert next(events).data == {"text": " three"}
        assert next(events).name == "end"
    # Reading on does not cancel anything, nor does leaving.
    assert not site.turn(turn_id).cancel_requested


def test_two_readers_of_one_turn(site: Site, page: httpx.Client) -> None:
    turn_id = begin(page, "Two readers?")
    work = site.take("Two readers?").say("One")
    with following(page, turn_id) as early:
        assert next(e for e in early if e.name == "text").data == {"text": "One"}
        with following(page, turn_id) as late:
            assert next(e for e in late if e.name == "text").data == {"text": "One"}
            work.say(" two").answer("One two")
            assert [e.name for e in late] == ["text", "end"]
        assert [e.name for e in early] == ["text", "end"]


@pytest.mark.parametrize(
    "cursor", ["nonsense", "-", "1", "9" * 30 + "-0", "1-" + "9" * 30, "1-1 x", "\u0661-\u0661", "x" * 3000]
)
def test_a_cursor_that_is_none_reads_from_the_start(site: Site, page: httpx.Client, cursor: str) -> None:
    turn_id = begin(page, "Odd cursor?")
    site.take("Odd cursor?").say("All of it").answer("All of it")
    headers = {"last-event-id": cursor.encode()}
    text = page.get(f"/api/turns/{turn_id}/events", headers=headers).text  # type: ignore[arg-type]  # bytes are taken
    assert 'data: {"text":"All of it"}' in text
    assert "event: end" in text


def test_a_second_attempt_takes_back_the_first(site: Site, page: httpx.Client) -> None:
    turn_id = begin(page, "Second attempt?")
    work = site.take("Second attempt?").say("Wro")
    with following(page, turn_id) as events:
        seen = [next(e for e in events if e.name == "text")]
        work.retry("One moment, once more.").say("Right").answer("Right")
        seen += events
    names = [e.name for e in seen]
    assert names == ["text", "retry", "reset", "text", "end"]
    assert seen[1].data == {"message": "One moment, once more."}
    assert shown(seen) == "Right"


def test_a_failed_turn_ends_with_its_error(site: Site, page: httpx.Client) -> None:
    turn_id = begin(page, "Failed?")
    site.take("Failed?").fail("worker_lost", "The worker went away.")
    with following(page, turn_id) as events:
        end = list(events)[-1]
    assert end.data["turn"]["error"] == {"code": "worker_lost", "message": "The worker went away."}
    until(lambda: site.turn(turn_id).delivered_at, "the end is noted as read")
    assert site.turn(turn_id).state == "failed"


def test_stop_reaches_the_reader(site: Site, page: httpx.Client) -> None:
    turn_id = begin(page, "Stopped early?")
    with following(page, turn_id) as events:
        assert next(events).name == "waiting"
        assert page.post(f"/api/turns/{turn_id}/stop").json() == {"state": "cancelled"}
        assert list(events)[-1].data["turn"]["state"] == "cancelled"


def test_without_its_stream_the_answer_comes_from_sql(site: Site, page: httpx.Client) -> None:
    turn_id = begin(page, "Lost stream?")
    site.take("Lost stream?").say("Kept").answer("Kept in SQL.")
    site.at.redis.flushall()
    with following(page, turn_id, after="1-1") as events:
        (end,) = events
    assert end.data["turn"]["answer"] == "Kept in SQL."


def test_the_end_carries_the_rating(site: Site, page: httpx.Client) -> None:
    turn_id = begin(page, "Rated?")
    site.take("Rated?").answer("Yes.")
    assert page.put(f"/api/turns/{turn_id}/feedback", json={"rating": -1}).status_code == 204
    with following(page, turn_id) as events:
        assert list(events)[-1].data["turn"]["feedback"] == -1


def test_redis_that_goes_away_in_mid_answer(fresh: Installation) -> None:
    with serving(fresh) as site:
        page = site.visitor()
        turn_id = begin(page, "No Redis?")
        work = site.take("No Redis?").say("So far")
        with following(page, turn_id) as events:
            assert next(e for e in events if e.name == "text").data == {"text": "So far"}
            fresh.redis_server.stop()
            work.answer("So far so good.")
            end = list(events)[-1]
        assert end.data["turn"]["answer"] == "So far so good."
        # Asking goes on too: SQL keeps it until Redis is back.
        assert ask(page, "Still taken?").status_code == 201
        fresh.redis_server.start()


def test_a_turn_that_is_erased_meanwhile(site: Site, page: httpx.Client) -> None:
    turn_id = begin(page, "Erased?")
    stream = site.openai(max_retries=0).chat.completions.create(
        model="scripted:echo", messages=[{"role": "user", "content": "Erased, API?"}], stream=True
    )
    chunks = iter(stream)
    api_turn = next(chunks).id.removeprefix("chatcmpl-")
    with following(page, turn_id) as events, stream:
        assert next(events).name == "waiting"
        with site.at.store.write() as repositories:
            for erased in (turn_id, api_turn):
                repositories.session.delete(repositories.session.get_one(Turn, erased))
        # Looked at from outside first: if they never ended, reading them would not either.
        until(lambda: site.metric("glimt_stream_followers") == 0, "both streams end", timeout_s=30)
        assert "end" not in [event.name for event in events]
        with pytest.raises(openai.APIError, match="does not exist"):
            list(chunks)
    assert page.get(f"/api/turns/{turn_id}/events").status_code == 404
