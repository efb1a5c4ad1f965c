"""Erasing people and conversations, keeping them, and the log of it."""

import csv
import io
import json
import re
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import update

from core.admins import Action, Role
from core.queue.streams import stream_key
from core.store.models import Conversation, Person, Turn
from core.values import new_id, utc_now
from tests.integration.console.talk import Talk, safe
from tests.integration.web.site import picture

# Pictures that no other test has, so that their bytes go with them.
OWN = (31, 23)


def turn_ids(talk: Talk) -> set[str]:
    """Those of the test's own workspace."""
    with talk.desk.store.read() as repositories:
        query = repositories.session.query(Turn.id).join(Conversation, Conversation.id == Turn.conversation_id)
        workspace = repositories.people.known_workspace("web", talk.workspace)  # type: ignore[arg-type]
        assert workspace is not None
        return {row[0] for row in query.filter(Conversation.workspace_id == workspace.id)}


def test_a_person_is_shown_and_erased_only_by_whoever_types_the_name(talk: Talk, owner: httpx.Client) -> None:
    first = talk.answered("Who owes what?", "Ann owes 5.", safe(picture(size=OWN)), thread="t")
    bob = talk.ask("And bob?", thread="t", person="bob")
    waiting = talk.ask("And now?", thread="other")
    transcript = owner.get(f"/conversations/{first.conversation_id}").text
    assert all(f'/people/{one.person_id}">' in transcript for one in (first, bob))
    page = owner.get(f"/people/{first.person_id}")
    assert page.status_code == 200
    for shown in (
        "<dt>Questions</dt><dd>2</dd>",
        "<dt>Conversations</dt><dd>2</dd>",
        "Who owes what?",
        "Erase for good",
    ):
        assert shown in page.text
    refused = owner.post(f"/people/{first.person_id}/erase", data={"typed": "bob"})
    assert refused.status_code == 400
    assert "Nothing was erased" in refused.text
    assert first.turn_id in turn_ids(talk)
    talk.desk.at.redis.xadd(stream_key(first.turn_id), {"t": "secret"})
    gone = owner.post(f"/people/{first.person_id}/erase", data={"typed": " ann "})
    assert gone.status_code == 303
    record = owner.get(gone.headers["location"]).text
    assert "<dt>Questions</dt><dd>2</dd>" in record
    assert "<dt>Pictures</dt><dd>1</dd>" in record
    # Its bytes have just been put.
    assert "1 file of pictures" in record
    assert not turn_ids(talk) & {first.turn_id, waiting.turn_id}
    assert len(turn_ids(talk)) == 1
    assert not talk.desk.at.redis.exists(stream_key(first.turn_id))
    assert owner.get(f"/conversations/{waiting.conversation_id}").status_code == 404
    again = owner.get(f"/people/{first.person_id}").text
    assert "Erased before" in again
    assert "<dt>Questions</dt><dd>0</dd>" in again
    with talk.desk.store.read() as repositories:
        entries, _ = repositories.audit.list(person_id=first.person_id)
    assert [entry.action for entry in entries] == ["read_person", "erased_person", "read_person"]
    assert entries[1].detail == {"shown": {"turns": 2, "pictures": 1, "held": 0}}


def test_who_may_not_read_a_person_does_not_learn_that_there_is_one(talk: Talk) -> None:
    mine, other = talk.answered("Mine?", "Yes."), Talk.begin(talk.desk).answered("Theirs?", "Yes.")
    reader = talk.desk.signed_in(talk.desk.add(Role.REVIEWER, everywhere=False, workspaces=(talk.workspace_id(mine),)))
    page = reader.get(f"/people/{mine.person_id}")
    assert page.status_code == 200
    assert "Erase" not in page.text
    assert reader.get(f"/people/{other.person_id}").status_code == 404
    assert reader.get(f"/people/{new_id()}").status_code == 404
    assert reader.post(f"/people/{mine.person_id}/erase", data={"typed": "ann"}).status_code == 403


def test_a_conversation_is_held_and_only_then_erased(talk: Talk, owner: httpx.Client) -> None:
    accepted = talk.answered("A secret?", "Yes.", safe(picture("green", size=OWN)), thread="t")
    talk.ask("And mine?", thread="t", person="bob")
    at = f"/conversations/{accepted.conversation_id}"
    assert "2 people asked" in owner.get(f"{at}/privacy").text
    assert owner.post(f"{at}/hold", data={"reason": " "}).status_code == 400
    assert owner.post(f"{at}/hold", data={"reason": "A lawsuit, <b>bold</b>"}).status_code == 303
    assert "A lawsuit, &lt;b&gt;bold&lt;/b&gt;" in owner.get(f"{at}/privacy").text
    assert "held: must be kept" in owner.get(at).text
    assert "A lawsuit" in owner.get("/retention").text
    refused = owner.post(f"{at}/erase", data={"typed": "erase"})
    assert (refused.status_code, "End the hold first" in refused.text) == (400, True)
    # Neither with the person who asked there.
    erased = owner.post(f"/people/{accepted.person_id}/erase", data={"typed": "ann"})
    assert "<dt>Questions</dt><dd>0</dd>" in owner.get(erased.headers["location"]).text
    assert len(turn_ids(talk)) == 2
    assert owner.post(f"{at}/hold/end").status_code == 303
    assert owner.post(f"{at}/erase", data={"typed": ""}).status_code == 400
    gone = owner.post(f"{at}/erase", data={"typed": "Erase"})
    assert gone.status_code == 303
    assert "<dt>Questions</dt><dd>2</dd>" in owner.get(gone.headers["location"]).text
    assert turn_ids(talk) == set()
    assert owner.get(at).status_code == 404
    said = [(e.action, e.detail.get("reason")) for e in talk.desk.audit(conversation_id=accepted.conversation_id)]
    assert [action for action, _ in said if action != Action.LISTED and action != Action.READ] == [
        Action.ERASED_CONVERSATION,
        Action.HOLD_ENDED,
        Action.HELD,
    ]
    assert "A lawsuit, <b>bold</b>" in {reason for _, reason in said}
    # Nothing that was said is in the log.
    assert "A secret" not in json.dumps([e.detail for e in talk.desk.audit(conversation_id=accepted.conversation_id)])


def test_a_conversation_without_a_question_can_be_erased(talk: Talk, owner: httpx.Client) -> None:
    accepted = talk.ask("?")
    with talk.desk.store.write() as repositories:
        repositories.session.query(Turn).filter_by(id=accepted.turn_id).delete()
    gone = owner.post(f"/conversations/{accepted.conversation_id}/erase", data={"typed": "erase"})
    assert gone.status_code == 303
    assert owner.get(f"/conversations/{accepted.conversation_id}").status_code == 404


def test_a_rule_counts_only_after_what_it_removes_was_shown(talk: Talk, owner: httpx.Client) -> None:
    old = [talk.answered(f"Old {n}?", "Yes.", safe(picture("red"))) for n in range(3)]
    new = talk.answered("New?", "Yes.")
    workspace = talk.workspace_id(new)
    with talk.desk.store.write() as repositories:
        at = utc_now() - timedelta(days=40)
        there = Turn.id.in_([accepted.turn_id for accepted in old])
        repositories.session.execute(update(Turn).where(there).values(created_at=at))
    rule = {"what": "turns", "workspace": workspace, "keep": "days", "days": "30"}
    page = owner.get("/retention/preview", params=rule).text
    for shown in (
        "<dt>Questions</dt><dd>3</dd>",
        "<dt>Whole conversations</dt><dd>3</dd>",
        "<dt>Pictures</dt><dd>3</dd>",
    ):
        assert shown in page
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
    assert {**fields, **rule} == fields
    assert owner.post("/retention", data=fields).status_code == 409, "nobody has confirmed"
    assert owner.post("/retention", data={**rule, "confirmed": "1"}).status_code == 409, "nobody has seen it"
    stale = owner.post("/retention", data={**fields, "confirmed": "1", "rows": "40"})
    assert (stale.status_code, "look again" in stale.text) == (409, True)
    with talk.desk.store.read() as repositories:
        assert repositories.retention.rules().of(workspace) == {}
    for odd in ("9" * 5000, "٤٠", "-1"):
        assert owner.post("/retention", data={**fields, "confirmed": "1", "rows": odd}).status_code == 409
    assert owner.post("/retention", data={**fields, "confirmed": "1"}).status_code == 303
    listed = owner.get("/retention").text
    assert "questions, answers and their pictures" in listed
    assert "<strong>30 days</strong>" in listed
    (entry,) = talk.desk.audit(action=Action.RETENTION_CHANGED)[:1]
    assert entry.detail["shown"]["rows"] == 3
    assert (entry.detail["days"], entry.detail["before"], entry.detail["workspace"]) == ("30", None, workspace)
    assert owner.post("/retention/run").status_code == 303
    assert "waits for a worker" in owner.get("/retention").text
    assert turn_ids(talk) == {new.turn_id, *(accepted.turn_id for accepted in old)}
    back = {**rule, "keep": "default", "days": ""}
    assert "<strong>kept for ever</strong>" in owner.get("/retention/preview", params=back).text
    none = {"rows": "0", "conversations": "0", "pictures": "0", "byte_size": "0", "confirmed": "1"}
    assert owner.post("/retention", data={**back, **none}).status_code == 303
    with talk.desk.store.read() as repositories:
        assert repositories.retention.rules().of(workspace) == {}


@pytest.mark.parametrize(
    "wish",
    [
        {"what": "nothing", "days": "30"},
        {"what": "turns", "days": "0"},
        {"what": "turns", "days": "x"},
        {"what": "turns", "days": "99999999999"},
        {"what": "audit", "days": "29"},
        {"what": "events", "days": "13"},
        {"what": "turns", "days": "30", "workspace": "0" * 32},
        {"what": "turns", "days": "30", "workspace": "'; drop"},
        {"what": "turns", "days": "30", "keep": "sometimes"},
    ],
)
def test_what_is_no_rule_is_said_so(owner: httpx.Client, wish: dict[str, str]) -> None:
    shown = owner.get("/retention/preview", params=wish)
    assert shown.status_code == 400
    assert 'role="alert"' in shown.text
    assert owner.post("/retention", data={**wish, "confirmed": "1"}).status_code == 400


def test_there_is_one_rule_about_the_log_for_all_workspaces(talk: Talk, owner: httpx.Client) -> None:
    workspace = talk.workspace_id(talk.ask("?"))
    shown = owner.get("/retention/preview", params={"what": "audit", "days": "90", "workspace": workspace})
    assert (shown.status_code, "for all workspaces" in shown.text) == (400, True)


def test_the_log_is_filtered_by_what_stands_in_the_url(talk: Talk, owner: httpx.Client) -> None:
    accepted = talk.answered("Who?", "Ann.")
    reader = talk.desk.signed_in(talk.desk.add(Role.REVIEWER, name=f"rita-{new_id()[-6:]}"))
    reader.get(f"/people/{accepted.person_id}")
    reader.get(f"/conversations/{accepted.conversation_id}")
    today, tomorrow = utc_now(), utc_now() + timedelta(days=1)
    of_person = owner.get("/audit", params={"person": accepted.person_id, "since": f"{today:%Y-%m-%d}"}).text
    assert of_person.count("<tr>") == 2
    assert "read person" in of_person
    assert owner.get("/audit", params={"person": accepted.person_id, "since": f"{tomorrow:%Y-%m-%d}"}).text.count(
        "Nothing in the log meets this"
    )
    until = owner.get("/audit", params={"conversation": accepted.conversation_id, "until": f"{today:%Y-%m-%d}"})
    assert until.text.count("<tr>") == 2
    for wrong in ({"person": "x"}, {"since": "yesterday"}, {"action": "nothing"}, {"before": "x"}):
        assert owner.get("/audit", params=wrong).status_code == 400
    assert "not in place" not in of_person


def test_the_log_can_be_taken_away_and_that_stands_in_it(talk: Talk, owner: httpx.Client) -> None:
    name = f"rita-{new_id()[-6:]}"
    reader = talk.desk.signed_in(talk.desk.add(Role.REVIEWER, name=name))
    # More than a page; and what a spreadsheet would take for a formula.
    for _ in range(3):
        reader.get("/", params={"q": "=1+1"})
    with talk.desk.store.write() as repositories:
        for _ in range(600):
            repositories.audit.add(Action.SEARCHED, admin_name=name, address="＝cmd()", detail={"asked": {"q": "颜色"}})
    page = owner.get("/audit", params={"who": name}).text
    address = re.search(r'href="(/audit/jsonl[^"]*)"', page)
    assert address is not None
    lines = owner.get(address[1].replace("&amp;", "&"))
    assert lines.headers["content-disposition"].startswith("attachment")
    rows = [json.loads(line) for line in lines.text.splitlines()]
    assert len(rows) == 604
    assert {row["admin_name"] for row in rows} == {name}
    assert rows[0]["detail"] == {"asked": {"q": "颜色"}}
    assert rows == sorted(rows, key=lambda row: row["id"], reverse=True)
    table = list(csv.DictReader(io.StringIO(owner.get("/audit/csv", params={"who": name}).text)))
    assert [row["id"] for row in table] == [row["id"] for row in rows]
    assert table[0]["address"] == "'＝cmd()"
    taken = talk.desk.audit(action=Action.EXPORTED_AUDIT)
    assert [entry.detail for entry in taken[:2]] == [
        {"asked": {"who": name}, "file": "csv"},
        {"asked": {"who": name}, "file": "jsonl"},
    ]
    assert owner.get("/audit/xml").status_code == 400
    assert reader.get("/audit/csv").status_code == 403


def test_a_name_that_was_chosen_by_somebody_else_is_inert(talk: Talk, owner: httpx.Client) -> None:
    accepted = talk.answered("<script>alert(1)</script>", "x")
    with talk.desk.store.write() as repositories:
        mine = update(Person).where(Person.id == accepted.person_id)
        repositories.session.execute(mine.values(display_name="<img src=x onerror=alert(1)>", external_id="a\"b'<"))
    for path in (f"/people/{accepted.person_id}", f"/conversations/{accepted.conversation_id}/privacy"):
        page = owner.get(path).text
        assert "<img src=x" not in page
        assert "<script>alert" not in page
