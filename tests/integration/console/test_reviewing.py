"""Reviewing in the console, as a browser without scripts does it: forms that lead back to the turn."""

import re
from html import unescape

import httpx
import pytest

from core.admins import Action, Role
from core.conversation.inbound import Accepted
from core.values import new_id
from tests.integration.console.desk import Desk
from tests.integration.console.talk import Talk, links
from tests.integration.console.test_strange_words import XSS


@pytest.fixture(scope="module")
def label(desk: Desk, owner: httpx.Client) -> str:
    """The name of a label that reviewers may put."""
    name = f"Wrong colour {new_id()[-6:]}"
    assert owner.post("/labels", data={"name": name}).status_code == 303
    return name


def at(accepted: Accepted, seq: int = 1, queue: str = "") -> str:
    """Where the forms of a turn lead back to."""
    queued = f"&queue={queue}" if queue else ""
    return f"/conversations/{accepted.conversation_id}?turn={seq}&review=1{queued}#turn-{seq}"


def post(browser: httpx.Client, accepted: Accepted, what: str, **data: str) -> None:
    """Send a form of the turn; it must lead back."""
    answer = browser.post(f"/turns/{accepted.turn_id}/{what}", data=data or {"sent": ""})
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == at(accepted)


def forms(page: str) -> set[str]:
    """Where the forms of a page lead."""
    return set(re.findall(r'<form method="post" action="([^"]+)"', page))


def test_a_whole_review_without_a_script(talk: Talk, desk: Desk, label: str) -> None:
    accepted = talk.answered("Which colour?", "It is **red** here.")
    admin = desk.add(Role.REVIEWER)
    reviewer = desk.signed_in(admin)
    address = f"/conversations/{accepted.conversation_id}"
    page = reviewer.get(address).text
    assert "not reviewed" in page
    opened = unescape(re.findall(r'data-open href="([^"]+)"', page)[0])
    assert opened == at(accepted)
    page = reviewer.get(opened.partition("#")[0]).text
    assert f"/turns/{accepted.turn_id}/judgement" in forms(page)
    assert f'<option value="{label}">' in page
    post(reviewer, accepted, "flag", reason="odd")
    post(reviewer, accepted, "labels", label=label.upper())
    post(reviewer, accepted, "notes", text="Look at\r\nthe corner.")
    post(reviewer, accepted, "correction", text="It is **blue** here.")
    post(reviewer, accepted, "judgement", verdict="bad")
    back = reviewer.post(f"{address}/assign", data={"to": admin.name, "turn": "1"})
    assert back.headers["location"] == at(accepted)
    assert reviewer.post(f"{address}/review", data={"state": "done"}).headers["location"] == address
    for viewer in (reviewer, desk.signed_in(desk.add(Role.READ_ONLY))):
        page = viewer.get(address).text
        for shown in (
            f"<strong>Flagged</strong> by {admin.name}: odd",
            f'<li class="badge">{label} <small>{admin.name}</small>',
            "Look at\nthe corner.",
            "<h3>Original</h3>",
            "It is <strong>red</strong> here.",
            f"<h3>Corrected by {admin.name}</h3>",
            "It is <strong>blue</strong> here.",
            "<del>red</del><ins>blue</ins>",
            f"<strong>Bad</strong>, judges {admin.name}",
            "reviewed</span>",
            f"with {admin.name}",
        ):
            assert shown in page, shown
    assert forms(page) == {"/sign-out"}, "who only reads has no forms"
    said = [(e.action, e.detail) for e in desk.audit(conversation_id=accepted.conversation_id, admin_name=admin.name)]
    assert [one for one in said[::-1] if one[0] != Action.READ] == [
        (Action.FLAGGED, {"turn": 1, "flag": True}),
        (Action.LABELLED, {"turn": 1, "label": label.upper(), "put": True}),
        (Action.NOTED, {"turn": 1, "characters": 20}),
        (Action.CORRECTED, {"turn": 1, "characters": 20}),
        (Action.JUDGED, {"turn": 1, "verdict": "bad"}),
        (Action.ASSIGNED, {"to": admin.name}),
        (Action.STATE_SET, {"state": "done"}),
    ]


def test_everything_is_taken_back_by_forms_too(talk: Talk, desk: Desk, label: str, owner: httpx.Client) -> None:
    accepted = talk.answered("Which colour?", "Red.")
    post(owner, accepted, "flag")
    post(owner, accepted, "labels", label=label)
    post(owner, accepted, "notes", text="A note.")
    post(owner, accepted, "correction", text="Blue.")
    post(owner, accepted, "correction", text="Green.")
    post(owner, accepted, "judgement", verdict="good")
    page = owner.get(at(accepted).partition("#")[0]).text
    assert page.index("Corrected by") < page.index('<ol class="earlier">') < page.rindex("Blue.")
    assert 'aria-pressed="true"' in page
    note = next(path for path in forms(page) if path.startswith("/notes/"))
    assert owner.post(note, data={"text": "Another one."}).headers["location"] == at(accepted)
    assert "Another one." in owner.get(at(accepted).partition("#")[0]).text
    other = desk.signed_in()
    assert other.post(note, data={"text": "Not mine."}).status_code == 404
    owner.post(note, data={"text": ""})
    post(owner, accepted, "flag", flag="0")
    post(owner, accepted, "labels", label=label, put="0")
    post(owner, accepted, "correction", text="")
    post(owner, accepted, "judgement", verdict="")
    page = owner.get(f"/conversations/{accepted.conversation_id}").text
    for gone in ("Flagged", 'badge">Wrong', "one.", "Corrected by", ", judges"):
        assert gone not in page.partition('<dialog id="keys"')[0].partition("<section")[2], gone


def test_the_part_that_htmx_asks_for_is_the_turn_with_its_forms(talk: Talk, owner: httpx.Client) -> None:
    accepted = talk.answered("Which colour?", "Red.")
    part = {"hx-request": "true"}
    shown = owner.get(f"/turns/{accepted.turn_id}?review=1", headers=part).text
    assert shown.lstrip().startswith("<article")
    assert "data-reviewing" in shown
    changed = owner.post(f"/turns/{accepted.turn_id}/judgement", data={"verdict": "good"}, headers=part)
    assert changed.status_code == 200
    assert "<html" not in changed.text
    assert "data-reviewing" in changed.text
    assert "<strong>Good</strong>, judges" in changed.text
    assert "data-reviewing" not in owner.get(f"/turns/{accepted.turn_id}", headers=part).text


def test_what_is_wrong_is_said(talk: Talk, owner: httpx.Client) -> None:
    accepted, running = talk.answered("Which colour?", "Red."), talk.ask("Which one?")
    for path, data, status, says in (
        (f"/turns/{accepted.turn_id}/notes", {"text": " "}, 400, "Write the note first"),
        (f"/turns/{accepted.turn_id}/notes", {"text": "ä" * 5001}, 400, "at most 5000"),
        (f"/turns/{accepted.turn_id}/flag", {"reason": "x" * 1001}, 400, "at most 1000"),
        (f"/turns/{accepted.turn_id}/correction", {"text": "星" * 20_001}, 400, "at most 20000"),
        (f"/turns/{accepted.turn_id}/correction", {"text": "星" * 60_000}, 413, "too much"),
        (f"/turns/{accepted.turn_id}/labels", {"label": "never"}, 400, "no such label"),
        (f"/turns/{accepted.turn_id}/judgement", {"verdict": "great"}, 400, "no verdict"),
        (f"/turns/{running.turn_id}/judgement", {"verdict": "good"}, 400, "still being written"),
        (f"/turns/{new_id()}/judgement", {"verdict": "good"}, 404, "no such turn"),
        ("/turns/x/judgement", {"verdict": "good"}, 404, ""),
        (f"/notes/{new_id()}", {"text": "x"}, 404, "no such note"),
        (f"/conversations/{accepted.conversation_id}/review", {"state": "great"}, 400, "no state"),
        (f"/conversations/{accepted.conversation_id}/assign", {"to": "nobody known"}, 400, "no admin"),
        (f"/conversations/{new_id()}/assign", {"to": ""}, 404, "no such conversation"),
    ):
        answer = owner.post(path, data=data)
        assert answer.status_code == status, (path, data)
        assert says in unescape(answer.text), (path, answer.text)
    longest = "星" * 20_000
    post(owner, accepted, "correction", text=longest)
    assert longest in owner.get(f"/conversations/{accepted.conversation_id}").text


def test_a_reviewer_never_gets_beyond_his_scope(talk: Talk, desk: Desk, label: str) -> None:
    mine, theirs = talk.answered("Mine?", "Yes."), Talk.begin(desk).answered("Theirs?", "Yes.")
    boss = desk.add()
    owner = desk.signed_in(boss)
    post(owner, theirs, "flag", reason="secret reason")
    post(owner, theirs, "labels", label=label)
    post(owner, theirs, "notes", text="secret note")
    owner.post(f"/conversations/{theirs.conversation_id}/assign", data={"to": boss.name})
    note = next(path for path in forms(owner.get(at(theirs).partition("#")[0]).text) if path.startswith("/notes/"))
    admin = desk.add(Role.REVIEWER, everywhere=False, workspaces=(talk.workspace_id(mine),))
    reviewer = desk.signed_in(admin)
    for path, data in (
        (f"/turns/{theirs.turn_id}/flag", {"reason": ""}),
        (f"/turns/{theirs.turn_id}/labels", {"label": label}),
        (f"/turns/{theirs.turn_id}/notes", {"text": "x"}),
        (f"/turns/{theirs.turn_id}/correction", {"text": "x"}),
        (f"/turns/{theirs.turn_id}/judgement", {"verdict": "good"}),
        (note, {"text": "x"}),
        (f"/conversations/{theirs.conversation_id}/review", {"state": "done"}),
        (f"/conversations/{theirs.conversation_id}/assign", {"to": admin.name}),
    ):
        assert reviewer.post(path, data=data).status_code == 404, path
    assert links(reviewer.get("/?flagged=1").text) == []
    page = reviewer.get("/").text
    assert boss.name not in page
    assert "secret" not in page
    # Nor does he give conversations to others, whose names he would have to know.
    there = f"/conversations/{mine.conversation_id}/assign"
    assert reviewer.post(there, data={"to": boss.name}).status_code == 403
    assert reviewer.post(there, data={"to": new_id()}).status_code == 403, "nor can he find out who there is"
    assert reviewer.post(there, data={"to": admin.name}).status_code == 303
    assert boss.name not in reviewer.get(f"/conversations/{mine.conversation_id}").text
    assert boss.name in owner.get(f"/conversations/{mine.conversation_id}").text


def test_the_filters_live_in_the_url(talk: Talk, desk: Desk, label: str) -> None:
    admin = desk.add()
    owner = desk.signed_in(admin)
    first, second = talk.answered("First?", "Yes.", thread="1"), talk.answered("Second?", "Yes.", thread="2")
    post(owner, first, "flag")
    post(owner, second, "labels", label=label)
    owner.post(f"/conversations/{second.conversation_id}/assign", data={"to": admin.name})
    owner.post(f"/conversations/{second.conversation_id}/review", data={"state": "done"})
    workspace = talk.workspace_id(first)
    label_id = re.findall(rf'<option value="([0-9a-f]{{32}})" >{label}</option>', owner.get("/").text)[0]
    for query, found in (
        ("flagged=1", [first]),
        (f"label={label_id}", [second]),
        ("assigned=me", [second]),
        (f"assigned={admin.id}", [second]),
        ("assigned=nobody", [first]),
        ("review=done", [second]),
        ("review=in_review", [first]),
        ("review=new", []),
        (f"review=done&label={label_id}&flagged=1", []),
    ):
        page = owner.get(f"/?workspace={workspace}&{query}").text
        assert links(page) == [f"/conversations/{accepted.conversation_id}" for accepted in found], query
        hits = links(owner.get(f"/?workspace={workspace}&q=yes&{query}").text)
        assert len(hits) == len(found), query
    page = owner.get(f"/?workspace={workspace}&flagged=1&review=in_review&assigned=nobody").text
    assert "1 flagged" in page
    assert 'name="flagged" value="1" checked' in page
    assert '<option value="in_review" selected>' in page
    assert '<option value="nobody" selected>' in page
    page = owner.get(f"/?workspace={workspace}&assigned=me").text
    assert f"with {admin.name}" in page
    assert label in page
    for wrong in ("review=zz", "label=x", "assigned=zz", "assigned=../x"):
        assert owner.get(f"/?{wrong}").status_code == 400, wrong


def test_new_questions_after_the_review_are_told(talk: Talk, owner: httpx.Client) -> None:
    first = talk.answered("First?", "Yes.", thread="same")
    owner.post(f"/conversations/{first.conversation_id}/review", data={"state": "done"})
    talk.answered("Second?", "Yes.", thread="same")
    assert "reviewed, then 1 new" in owner.get(f"/conversations/{first.conversation_id}").text
    assert "reviewed, then 1 new" in owner.get(f"/?workspace={talk.workspace_id(first)}").text


def test_labels_are_owners_to_make(owner: httpx.Client) -> None:
    name = f"Odd {new_id()[-6:]}"
    assert owner.post("/labels", data={"name": name}).headers["location"] == "/labels"
    page = owner.get("/labels").text
    label_id = re.findall(rf'action="/labels/([0-9a-f]+)"[^§]*?value="{name}"', page)[-1]
    for path, data, says in (
        ("/labels", {"name": name.upper()}, "already"),
        ("/labels", {"name": ""}, "1 to 64 printable"),
        (f"/labels/{label_id}", {"name": "x" * 65}, "1 to 64 printable"),
    ):
        answer = owner.post(path, data=data)
        assert answer.status_code == 400
        assert says in answer.text
    assert owner.post(f"/labels/{label_id}", data={"name": name.upper()}).status_code == 303
    assert owner.post(f"/labels/{label_id}/retire", data={"sent": ""}).status_code == 303
    assert f"Offer {name.upper()}" in owner.get("/labels").text
    assert owner.post(f"/labels/{label_id}/offer", data={"sent": ""}).status_code == 303
    assert f"Retire {name.upper()}" in owner.get("/labels").text


def test_whatever_reviewers_write_is_text(talk: Talk, desk: Desk, owner: httpx.Client) -> None:
    accepted = talk.answered("Which colour?", f"Red. {XSS}")
    owner.post("/labels", data={"name": XSS[:64]})
    page = owner.get("/labels").text
    assert XSS[:64] not in page
    post(owner, accepted, "flag", reason=XSS)
    post(owner, accepted, "labels", label=XSS[:64])
    post(owner, accepted, "notes", text=f"</textarea>{XSS}")
    post(owner, accepted, "correction", text=f"</textarea>{XSS} [x](javascript:alert(1))")
    made = owner.post("/queues", data={"name": XSS[:60], "kind": "flagged", "judges": "1"})
    assert made.status_code == 303
    for path in (
        at(accepted).partition("#")[0],
        f"/turns/{accepted.turn_id}?review=1",
        "/",
        "/?flagged=1",
        "/labels",
        "/queues",
        made.headers["location"],
        f"/conversations/{accepted.conversation_id}?turn=1&review=1&queue={made.headers['location'].rpartition('/')[2]}",
    ):
        answer = owner.get(path)
        assert answer.status_code == 200, path
        assert 'onerror="' not in answer.text, path
        assert "alert(2)</script>" not in answer.text, path
        assert "</textarea><img" not in answer.text, path
        assert "49'" not in answer.text, path
        assert 'href="javascript' not in answer.text, path
    owner.post(f"{made.headers['location']}/remove")
