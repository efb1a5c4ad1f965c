"""Queues in the console: owners say what they are for, reviewers work through them."""

import asyncio
import re
from collections.abc import Iterator
from html import unescape

import httpx
import pytest

from admin.filling import fill_all, kept_full
from core.admins import Action, Role
from core.conversation.inbound import Accepted
from core.values import new_id, utc_now
from tests.integration.console.desk import Desk
from tests.integration.console.talk import Talk
from tests.integration.console.test_reviewing import at
from tests.processes import until


@pytest.fixture
def tidy(desk: Desk, owner: httpx.Client) -> Iterator[None]:
    """Afterwards there is no queue."""
    yield
    for path in re.findall(r'<a data-item href="(/queues/[0-9a-f]+)"', owner.get("/queues").text):
        assert owner.post(f"{path}/remove").status_code == 303


pytestmark = pytest.mark.usefixtures("tidy")
# A form without fields.
FORM = {"sent": ""}


def make(owner: httpx.Client, talk: Talk, accepted: Accepted, kind: str, **more: str) -> str:
    """The address of a new queue over the test's own workspace."""
    data = {"name": f"{kind} {new_id()[-6:]}", "kind": kind, "judges": "1", "days": "1", **more}
    answer = owner.post("/queues", data=data | {"workspace": talk.workspace_id(accepted)})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def fill(desk: Desk) -> int:
    return asyncio.run(fill_all(desk.store))


def thumbs_down(desk: Desk, accepted: Accepted) -> None:
    with desk.store.write() as repositories:
        repositories.feedback.set(accepted.turn_id, accepted.person_id, -1, now=utc_now())


def told(browser: httpx.Client, queue: str) -> str:
    """What the page of a queue says, as words."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", browser.get(queue).text)).split())


def item_of(page: str) -> str:
    """The item that a turn's forms are about."""
    return str(re.findall(r'name="done" value="([0-9a-f]{32})"', page)[0])


def test_a_queue_is_worked_through(talk: Talk, desk: Desk, owner: httpx.Client) -> None:
    asked = [talk.answered(f"Question {n}?", "Yes.", thread=f"{n}") for n in range(3)]
    for accepted in asked[:2]:
        thumbs_down(desk, accepted)
    queue = make(owner, talk, asked[0], "thumbs_down")
    admin = desk.add(Role.REVIEWER)
    reviewer = desk.signed_in(admin)
    assert "2 open 0 done, oldest waits" in told(reviewer, queue), "found as it was made"
    thumbs_down(desk, asked[2])
    assert fill(desk) == 1
    assert "3 open" in told(reviewer, queue)
    queue_id = queue.rpartition("/")[2]
    place = reviewer.post(f"{queue}/next", data=FORM).headers["location"]
    for n, accepted in enumerate(asked):
        assert place == at(accepted, queue=queue_id)
        page = reviewer.get(place.partition("#")[0]).text
        assert f"thumbs down; {2 - n} more open" in page
        early = reviewer.post(f"{queue}/next", data={"done": item_of(page)})
        assert early.status_code == 400
        assert "Judge the answer first" in early.text
        judged = reviewer.post(f"/turns/{accepted.turn_id}/judgement", data={"verdict": "good", "queue": queue_id})
        assert judged.headers["location"] == place
        place = reviewer.post(f"{queue}/next", data={"done": item_of(page)}).headers["location"]
    assert place == f"{queue}?over=1"
    assert "Nothing is free for you here at the moment." in told(reviewer, place)
    assert "0 open 3 done" in told(reviewer, queue)
    assert fill(desk) == 0
    log = [entry.action for entry in desk.audit(admin_name=admin.name)]
    assert (log.count(Action.QUEUE_TAKEN), log.count(Action.QUEUE_DONE)) == (3, 3)


def test_two_reviewers_do_not_meet_and_skipping_goes_on(talk: Talk, desk: Desk, owner: httpx.Client) -> None:
    asked = [talk.answered(f"Question {n}?", "Yes.", thread=f"{n}") for n in range(2)]
    queue = make(owner, talk, asked[0], "sample", percent="100")
    queue_id = queue.rpartition("/")[2]
    first, second = (desk.signed_in(desk.add(Role.REVIEWER)) for _ in range(2))
    here = first.post(f"{queue}/next", data=FORM).headers["location"]
    there = second.post(f"{queue}/next", data=FORM).headers["location"]
    assert [here, there] == [at(accepted, queue=queue_id) for accepted in asked]
    item = item_of(first.get(here.partition("#")[0]).text)
    assert first.post(f"{queue}/next", data={"skip": item}).headers["location"] == f"{queue}?over=1"
    assert "Nothing further is free" in told(first, f"{queue}?over=1")
    assert first.post(f"{queue}/next", data=FORM).headers["location"] == here


def test_agreement_of_two_and_nobody_sees_the_other_before(talk: Talk, desk: Desk, owner: httpx.Client) -> None:
    asked = [talk.answered(f"Question {n}?", "Yes.", thread=f"{n}") for n in range(2)]
    queue = make(owner, talk, asked[0], "sample", percent="100", judges="2")
    admins = [desk.add(Role.REVIEWER), desk.add(Role.REVIEWER)]
    browsers = [desk.signed_in(admin) for admin in admins]
    for accepted, verdicts in zip(asked, (("good", "good"), ("good", "bad")), strict=True):
        for browser, verdict in zip(browsers, verdicts, strict=True):
            place = browser.post(f"{queue}/next", data=FORM).headers["location"].partition("#")[0]
            page = browser.get(place).text
            assert "shown when you have judged" in page
            assert ", judges" not in page
            browser.post(f"/turns/{accepted.turn_id}/judgement", data={"verdict": verdict})
            browser.post(f"/turns/{accepted.turn_id}/notes", data={"text": "seen"})
            assert f", judges {admins[0].name}" in browser.get(place).text
            browser.post(f"{queue}/next", data={"done": item_of(page)})
    words = told(browsers[0], queue)
    assert "0 open 2 done" in words
    assert "verdict 2 2 50 % 0.00 (Cohen)" in words
    assert "Disagreements Question 1?" in words
    assert f"{admins[1].name}: bad" in words
    elsewhere = desk.signed_in(desk.add(Role.REVIEWER, everywhere=False))
    assert elsewhere.get(queue).status_code == 404


def test_the_list_does_not_tell_what_the_first_judge_said(talk: Talk, desk: Desk, owner: httpx.Client) -> None:
    accepted = talk.answered("Which colour?", "Green.")
    make(owner, talk, accepted, "sample", percent="100", judges="2")
    name = f"Wrong {new_id()[-6:]}"
    assert owner.post("/labels", data={"name": name}).status_code == 303
    first, second, onlooker = (desk.add(role) for role in (Role.REVIEWER, Role.REVIEWER, Role.READ_ONLY))
    one, two, three = desk.signed_in(first), desk.signed_in(second), desk.signed_in(onlooker)
    one.post(f"/turns/{accepted.turn_id}/judgement", data={"verdict": "bad"})
    one.post(f"/turns/{accepted.turn_id}/labels", data={"label": name})
    one.post(f"/turns/{accepted.turn_id}/correction", data={"text": "Red."})

    def row(browser: httpx.Client) -> str:
        here = {"workspace": talk.workspace_id(accepted)}
        page: str = browser.get("/", params=here, headers={"hx-request": "true"}).text
        return page

    assert "Which colour?" in row(two)
    assert [(name in row(by), "corrected" in row(by)) for by in (one, two, three)] == [
        (True, True),
        (False, False),
        (True, True),
    ]
    two.post(f"/turns/{accepted.turn_id}/judgement", data={"verdict": "good"})
    assert name in row(two)


def test_a_reviewer_sees_queues_and_counts_of_his_scope_alone(talk: Talk, desk: Desk, owner: httpx.Client) -> None:
    mine, other = talk.answered("Mine?", "Yes."), Talk.begin(desk)
    theirs = other.answered("Theirs?", "Yes.")
    hidden = make(owner, other, theirs, "sample", percent="100")
    both = owner.post(
        "/queues", data={"name": f"both {new_id()[-6:]}", "kind": "sample", "percent": "100", "days": "1"}
    ).headers["location"]
    reviewer = desk.signed_in(desk.add(Role.REVIEWER, everywhere=False, workspaces=(talk.workspace_id(mine),)))
    page = reviewer.get("/queues").text
    assert hidden not in page
    assert both in page
    assert re.search(r"\b1 open", told(reviewer, both))
    assert not re.search(r"\b1 open", told(owner, both)), "not even where it is the end of a longer number"
    for path in (hidden, f"{hidden}/next"):
        answer = reviewer.post(path, data=FORM) if path.endswith("next") else reviewer.get(path)
        assert answer.status_code == 404
    place = reviewer.post(f"{both}/next", data=FORM).headers["location"]
    assert place == at(mine, queue=both.rpartition("/")[2])
    # An item of a turn beyond his scope is none for him, by whichever queue.
    item = item_of(owner.get(owner.post(f"{hidden}/next", data=FORM).headers["location"].partition("#")[0]).text)
    for queue in (both, hidden):
        assert reviewer.post(f"{queue}/next", data={"done": item}).status_code == 404
    page = reviewer.get(f"/conversations/{mine.conversation_id}?turn=1&review=1&queue={hidden.rpartition('/')[2]}").text
    assert "more open" not in page


def test_owners_make_change_and_remove_queues(talk: Talk, desk: Desk, owner: httpx.Client) -> None:
    accepted = talk.answered("Question?", "Yes.")
    for data, says in (
        ({"kind": "mars"}, "no rule"),
        ({"kind": "slow", "seconds": "x"}, "seconds is a number"),
        ({"kind": "sample", "percent": "101"}, "percent is a number"),
        ({"kind": "labelled"}, "Choose the label"),
        ({"kind": "labelled", "label": new_id()}, "no such label"),
        ({"kind": "failed", "judges": "6"}, "judges is a whole number up to 5"),
        ({"kind": "failed", "judges": "0"}, "1 to 5 admins"),
        ({"kind": "failed", "days": "-1"}, "days is a whole number"),
        ({"kind": "failed", "workspace": "x"}, "no such workspace"),
        ({"kind": "failed", "workspace": new_id()}, "no such workspace"),
        ({"kind": "failed", "name": ""}, "1 to 64 printable"),
    ):
        answer = owner.post("/queues", data={"name": "New", **data})
        assert answer.status_code == 400, data
        assert says in unescape(answer.text), answer.text
    queue = make(owner, talk, accepted, "sample", percent="0.01")
    assert "0 open" in told(owner, queue)
    change = {"name": "All of them", "percent": "100", "judges": "2", "enabled": "1"}
    assert owner.post(queue, data=change).headers["location"] == queue
    words = told(owner, queue)
    assert "All of them" in words
    assert "sample of 100 %" in words
    assert "2 judges" in words
    assert "1 open" in words
    assert owner.post(queue, data={**change, "enabled": ""}).status_code == 303
    assert "paused" in told(owner, queue)
    assert owner.post(f"{queue}/remove").headers["location"] == "/queues"
    for answer in (owner.get(queue), owner.post(queue, data=change), owner.post(f"{queue}/next", data=FORM)):
        assert answer.status_code == 404
    how = [entry.detail["how"] for entry in desk.audit(action=Action.QUEUE_CHANGED)[:4]]
    assert how == ["removed", "changed", "changed", "made"]


def test_the_console_fills_by_itself_whatever_becomes_of_one_queue(talk: Talk, desk: Desk, owner: httpx.Client) -> None:
    accepted = talk.answered("Question?", "Yes.")
    broken = make(owner, talk, accepted, "slow", seconds="5")
    queue = make(owner, talk, accepted, "thumbs_down")
    thumbs_down(desk, accepted)
    with desk.store.write() as repositories:
        # As if a later version had written it.
        repositories.queues.existing(broken.rpartition("/")[2]).kind = "from the future"

    def until_found() -> None:
        until(lambda: "1 open" in told(owner, queue), "found")

    async def filling() -> None:
        async with kept_full(desk.store, every_s=0.01):
            await asyncio.to_thread(until_found)

    asyncio.run(filling())
