"""/api/turns: asking, stopping, asking again, rating."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from core.values import TurnState, new_id
from tests.integration.web.site import Site, ask, picture, serving
from tests.processes import Installation, until

NOBODY = "0" * 32
BOX = {"label": "square", "left": 0.1, "top": 0.2, "right": 0.3, "bottom": 0.4}


@pytest.fixture
def page(site: Site) -> httpx.Client:
    return site.visitor()


def view(page: httpx.Client, asked: httpx.Response) -> dict[str, Any]:
    """The turn as the history shows it now."""
    (turn,) = page.get(f"/api/conversations/{asked.json()['conversation_id']}").json()["turns"]
    assert isinstance(turn, dict)
    return turn


def test_a_question_with_pictures(site: Site, page: httpx.Client) -> None:
    asked = ask(page, "Which ones?", ("a.png", picture()), ("b.jpg", picture("blue", "JPEG", (10, 20))))
    assert asked.status_code == 201
    turn = asked.json()["turn"]
    assert (turn["seq"], turn["state"], turn["question"], turn["answer"]) == (1, "ready", "Which ones?", "")
    assert [(p["name"], p["width"], p["height"]) for p in turn["pictures"]] == [("a.png", 32, 24), ("b.jpg", 10, 20)]
    assert turn["pictures"][0]["url"] == f"/api/pictures/{turn['pictures'][0]['key']}"
    assert (turn["error"], turn["refused"], turn["feedback"], turn["finish_reason"]) == (None, [], 0, "")
    assert turn["timings"] == {"queue_ms": None, "first_token_ms": None, "total_ms": None}

    site.take("Which ones?").answer("Red and blue.", left_out=({"seq": 1, "what": "pictures"},), boxes=(BOX,))
    shown = view(page, asked)
    assert (shown["state"], shown["answer"], shown["model"]) == ("answered", "Red and blue.", "scripted:echo")
    assert shown["tokens"] == {"prompt": 30, "picture": 20, "cached": 10, "completion": 5}
    assert shown["left_out"] == [{"seq": 1, "what": "pictures"}]
    assert shown["boxes"] == [BOX]
    assert shown["timings"]["queue_ms"] >= 0
    assert shown["timings"]["total_ms"] >= shown["timings"]["queue_ms"]
    assert shown["timings"]["first_token_ms"] is None


def test_showing_the_history_delivers_the_answer(site: Site, page: httpx.Client) -> None:
    asked = ask(page, "Shown?")
    turn_id = asked.json()["turn"]["id"]
    site.take("Shown?").answer("Yes.")
    assert site.delivery(turn_id).state == "pending"
    assert view(page, asked)["state"] == "answered"
    site.until_state(turn_id, TurnState.DELIVERED)
    assert site.delivery(turn_id).state == "sent"
    assert view(page, asked)["state"] == "delivered"


def test_the_second_question_of_a_conversation(site: Site, page: httpx.Client) -> None:
    first = ask(page, "First?").json()
    second = ask(page, "Second?", conversation_id=first["conversation_id"]).json()
    assert (second["conversation_id"], second["turn"]["seq"]) == (first["conversation_id"], 2)


def test_repeating_a_request_asks_once(site: Site, page: httpx.Client) -> None:
    client_id = new_id()
    first = ask(page, "Repeated?", ("a.png", picture()), client_id=client_id)
    again = ask(page, "Repeated?", ("a.png", picture()), client_id=client_id)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["turn"]["id"] == again.json()["turn"]["id"]
    # The same id from somebody else is another question.
    other = ask(site.visitor(), "Repeated?", client_id=client_id)
    assert other.json()["turn"]["id"] != first.json()["turn"]["id"]


def test_the_same_request_at_the_same_moment_asks_once(site: Site, page: httpx.Client) -> None:
    client_id = new_id()
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(ask, page, "At once?", client_id=client_id) for _ in range(4)]
        turns = {future.result().json()["turn"]["id"] for future in asked}
    assert len(turns) == 1


def test_a_person_with_many_open_questions_waits(at: Installation) -> None:
    with serving(at, waiting_per_person=2) as site:
        page = site.visitor()
        first = ask(page, "Open 1?").json()
        assert ask(page, "Open 2?").status_code == 201
        busy = ask(page, "Open 3?")
        assert (busy.status_code, busy.json()["error"]["code"]) == (429, "busy")
        assert int(busy.headers["retry-after"]) > 0
        # Others go on.
        assert ask(site.visitor(), "Open 4?").status_code == 201
        # Asking again counts as well.
        site.take("Open 1?").fail("inference", "No.")
        assert ask(page, "Open 5?").status_code == 201
        assert page.post(f"/api/turns/{first['turn']['id']}/retry").status_code == 429


def test_stop_while_waiting(site: Site, page: httpx.Client) -> None:
    asked = ask(page, "Stop, waiting?")
    path = f"/api/turns/{asked.json()['turn']['id']}/stop"
    assert page.post(path).json() == {"state": "cancelled"}
    assert page.post(path).json() == {"state": "cancelled"}
    assert view(page, asked)["state"] == "cancelled"


def test_stop_while_running(site: Site, page: httpx.Client) -> None:
    asked = ask(page, "Stop, running?")
    work = site.take("Stop, running?").say("So f")
    path = f"/api/turns/{work.turn.id}/stop"
    assert page.post(path).json() == {"state": "running"}
    until(work.stop_requested, "the worker is asked to stop")
    work.stopped("So f")
    assert view(page, asked)["answer"] == "So f"
    assert view(page, asked)["finish_reason"] == "cancelled"
    assert page.post(path).json() == {"state": "cancelled"}


def test_asking_again_after_a_failure(site: Site, page: httpx.Client) -> None:
    asked = ask(page, "Again?")
    turn_id = asked.json()["turn"]["id"]
    retry = f"/api/turns/{turn_id}/retry"
    too_early = page.post(retry)
    assert (too_early.status_code, too_early.json()["error"]["code"]) == (400, "bad_request")
    site.take("Again?").fail("out_of_memory", "Too large right now.")
    failed = view(page, asked)
    assert failed["error"] == {"code": "out_of_memory", "message": "Too large right now."}
    again = page.post(retry).json()["turn"]
    assert (again["id"], again["state"], again["error"]) == (turn_id, "ready", None)
    site.take("Again?").answer("Now.")
    assert view(page, asked)["answer"] == "Now."
    assert page.post(retry).status_code == 400


def test_only_the_last_question_can_be_asked_again(site: Site, page: httpx.Client) -> None:
    first = ask(page, "First of two?").json()
    assert page.post(f"/api/turns/{first['turn']['id']}/stop").json() == {"state": "cancelled"}
    assert ask(page, "Second of two?", conversation_id=first["conversation_id"]).status_code == 201
    assert page.post(f"/api/turns/{first['turn']['id']}/retry").status_code == 400


def test_thumbs(site: Site, page: httpx.Client) -> None:
    asked = ask(page, "Good?")
    site.take("Good?").answer("Yes.")
    path = f"/api/turns/{asked.json()['turn']['id']}/feedback"
    for rating in (1, -1, -1, 0, 1):
        assert page.put(path, json={"rating": rating}).status_code == 204
        assert view(page, asked)["feedback"] == rating
    wrong_bodies: list[Any] = [{"rating": 2}, {"rating": True}, {"rating": "1"}, {"rating": 1.0}, {}, [], None]
    for wrong in wrong_bodies:
        assert page.put(path, json=wrong).status_code == 400
    assert page.put(path, content=b"{").status_code == 400
    assert page.put(path, content=b"x" * 100_000).status_code == 413
    assert view(page, asked)["feedback"] == 1


@pytest.mark.parametrize("turn_id", [NOBODY, "x", "%00", "..%2f..", "a" * 5000])
def test_a_turn_that_does_not_exist(page: httpx.Client, turn_id: str) -> None:
    for method, action in (("GET", "events"), ("POST", "stop"), ("POST", "retry"), ("PUT", "feedback")):
        body = b'{"rating": 1}' if action == "feedback" else b""
        response = page.request(method, f"/api/turns/{turn_id}/{action}", content=body)
        assert response.status_code == 404, action
        assert response.json()["error"]["code"] == "not_found"


def test_somebody_elses_turn_does_not_exist_either(site: Site, page: httpx.Client) -> None:
    theirs = ask(site.visitor(), "Theirs?").json()
    turn_id = theirs["turn"]["id"]
    assert page.get(f"/api/turns/{turn_id}/events").status_code == 404
    assert page.post(f"/api/turns/{turn_id}/stop").status_code == 404
    assert page.post(f"/api/turns/{turn_id}/retry").status_code == 404
    assert page.put(f"/api/turns/{turn_id}/feedback", json={"rating": 1}).status_code == 404
    assert ask(page, "Mine?", conversation_id=theirs["conversation_id"]).status_code == 404
    assert site.turn(turn_id).state == "ready"
