"""Taking over in the console: by forms, within the scope, in the audit log."""

import json
import re
from datetime import timedelta

import httpx
import pytest

from core.admins import Action, Role
from core.conversation.inbound import Accepted, InboundQuestion
from core.conversation.intake import Intake
from core.media.blobs import BlobStore
from core.queue.handover import hand_over
from core.store.models import Conversation, Turn
from core.values import Platform, TurnState, new_id, utc_now
from tests.integration.console.talk import Talk, links
from tests.integration.web.site import picture

Files = list[tuple[str, tuple[str, bytes, str]]]


def key_in(page: str) -> str:
    """The key of the form in a page."""
    (key,) = re.findall(r'name="key" value="([0-9a-f]{32})"', page)
    return str(key)


def say(browser: httpx.Client, conversation_id: str, text: str, *files: bytes, key: str = "") -> httpx.Response:
    """Send the form."""
    key = key or key_in(browser.get(f"/conversations/{conversation_id}").text)
    sent: Files = [("pictures", (f"{n}.png", data, "image/png")) for n, data in enumerate(files)]
    # What a browser sends where no file was chosen.
    sent = sent or [("pictures", ("", b"", "application/octet-stream"))]
    return browser.post(f"/conversations/{conversation_id}/say", data={"key": key, "text": text}, files=sent)


def take(browser: httpx.Client, conversation_id: str, instead_of: str = "") -> httpx.Response:
    return browser.post(f"/conversations/{conversation_id}/take", data={"instead_of": instead_of})


def back(browser: httpx.Client, conversation_id: str, taken_by: str, **fields: str) -> httpx.Response:
    return browser.post(f"/conversations/{conversation_id}/back", data={"taken_by": taken_by, **fields})


def row(talk: Talk, accepted: Accepted) -> Conversation:
    with talk.desk.store.read() as repositories:
        found = repositories.conversations.get(accepted.conversation_id)
    assert found is not None
    return found


def turns(talk: Talk, accepted: Accepted) -> list[Turn]:
    with talk.desk.store.read() as repositories:
        return repositories.turns.of_conversation(accepted.conversation_id)


def test_an_operator_takes_over_writes_and_hands_back(talk: Talk) -> None:
    asked = talk.answered("A dress?", "A red one.", thread="shop")
    anna = talk.desk.add(Role.OPERATOR)
    browser, address = talk.desk.signed_in(anna), f"/conversations/{asked.conversation_id}"
    page = browser.get(address).text
    assert "The bot answers here." in page
    assert 'id="words"' not in page
    answer = take(browser, asked.conversation_id)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{address}#takeover")
    assert "You answer here" in browser.get(address).text
    question = talk.ask("And in blue?", thread="shop")
    assert "1 unanswered" in browser.get(address).text
    words = "<script>alert(1)</script> *no* Markdown"
    assert say(browser, asked.conversation_id, words, picture("blue")).status_code == 303
    page = browser.get(address).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; *no* Markdown" in page
    assert f"{anna.name} answered" in page
    assert "An admin took over." in page
    assert "unanswered" not in page
    (first, second) = turns(talk, asked)
    assert (second.id, second.state, second.answered_by) == (question.turn_id, "answered", anna.id)
    (shown,) = second.answer_pictures
    assert browser.get(f"/pictures/{shown.id}").content == picture("blue")
    assert browser.get(f"/turns/{second.id}/pictures/{shown.id}").status_code == 200
    assert first.answer_pictures == []
    assert back(browser, asked.conversation_id, anna.id).status_code == 303
    assert "Handed back to the model." in browser.get(address).text
    assert row(talk, asked).handed_over_at is None
    done = [(e.action, e.detail) for e in talk.desk.audit(conversation_id=asked.conversation_id) if e.action != "read"]
    assert [entry for entry in done if entry[0] != Action.READ_PICTURE] == [
        (Action.HANDED_BACK, {"answer_open": False}),
        (Action.WROTE, {"characters": len(words), "pictures": 1}),
        (Action.TOOK_OVER, {"instead_of": ""}),
    ]


def test_what_was_left_open_goes_to_the_model_if_so_chosen(talk: Talk, owner: httpx.Client) -> None:
    asked = talk.answered("Before?", "Yes.", thread="open")
    take(owner, asked.conversation_id)
    left = talk.ask("Left open?", thread="open")
    page = owner.get(f"/conversations/{asked.conversation_id}").text
    assert "the open question" in page
    back(owner, asked.conversation_id, row(talk, asked).taken_by, answer_open="1")
    assert [turn.state for turn in turns(talk, asked) if turn.id == left.turn_id] == ["ready"]
    talk.end(talk.claim(left.turn_id)[0], answer="By the model.")


def test_only_operators_and_only_within_their_scope(talk: Talk) -> None:
    asked = talk.answered("Mine?", "Yes.", thread="scope")
    elsewhere = Talk.begin(talk.desk)
    other = elsewhere.answered("Theirs?", "Yes.")
    scoped = talk.desk.add(Role.OPERATOR, everywhere=False, workspaces=(talk.workspace_id(asked),))
    browser = talk.desk.signed_in(scoped)
    for action in (take, lambda b, c: say(b, c, "Hello", key=new_id()), lambda b, c: back(b, c, "")):
        assert action(browser, other.conversation_id).status_code == 404
    assert browser.get(f"/conversations/{other.conversation_id}/takeover").status_code == 404
    assert take(browser, asked.conversation_id).status_code == 303
    for role in (Role.REVIEWER, Role.READ_ONLY):
        reader = talk.desk.signed_in(talk.desk.add(role))
        assert take(reader, asked.conversation_id).status_code == 403
        page = reader.get(f"/conversations/{asked.conversation_id}").text
        assert f"{scoped.name} answers here" in page
        assert "/take" not in page.partition('id="takeover"')[2].replace("/takeover", "")
    assert row(elsewhere, other).handed_over_at is None


def test_a_double_click_says_it_once_and_other_words_need_another_form(talk: Talk, owner: httpx.Client) -> None:
    asked = talk.answered("Twice?", "Yes.", thread="twice")
    take(owner, asked.conversation_id)
    key = key_in(owner.get(f"/conversations/{asked.conversation_id}").text)
    answers = [say(owner, asked.conversation_id, "Once.", picture(), key=key) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [303] * 3
    assert [turn.answer for turn in turns(talk, asked)] == ["Yes.", "Once."]
    again = say(owner, asked.conversation_id, "Something else.", key=key)
    assert again.status_code == 400
    assert "Something else was sent with this form already." in again.text
    wrote = [e for e in talk.desk.audit(conversation_id=asked.conversation_id) if e.action == Action.WROTE]
    assert len(wrote) == 1


def test_what_cannot_be_sent_is_explained_and_not_sent(talk: Talk, owner: httpx.Client) -> None:
    asked = talk.answered("Wrong?", "Yes.", thread="wrong")
    thread = asked.conversation_id
    early = say(owner, thread, "Too early.", key=new_id())
    assert (early.status_code, "take over first" in early.text) == (409, True)
    take(owner, thread)
    tries = [
        (say(owner, thread, " "), 422, "There is nothing to send."),
        (say(owner, thread, "x" * 16_001), 422, "16,000 characters"),
        (say(owner, thread, "Many.", *[picture()] * 11), 422, "at most 10 pictures"),
        (say(owner, thread, "Not a picture.", b"nonsense"), 422, "0.png:"),
        (say(owner, thread, "One of two.", picture(), b"nonsense"), 422, "1.png:"),
        (say(owner, thread, "No key.", key="x"), 400, "Reload the page"),
        (owner.post(f"/conversations/{thread}/say", data={"text": "No files."}), 400, "multipart/form-data"),
        (owner.post(f"/conversations/{thread}/take", data={"instead_of": "me"}), 400, "instead_of is no id"),
    ]
    for answer, status, words in tries:
        assert (answer.status_code, words in answer.text) == (status, True), answer.text
    assert [turn.answer for turn in turns(talk, asked)] == ["Yes."]


def test_another_operator_takes_over_deliberately(talk: Talk) -> None:
    asked = talk.answered("Whose?", "Yes.", thread="whose")
    thread = asked.conversation_id
    anna, ben = talk.desk.add(Role.OPERATOR), talk.desk.add(Role.OPERATOR)
    hers, his = talk.desk.signed_in(anna), talk.desk.signed_in(ben)
    take(hers, thread)
    # He has a page on which nobody had.
    refused = take(his, thread)
    assert (refused.status_code, "Somebody else has taken over" in refused.text) == (409, True)
    page = his.get(f"/conversations/{thread}").text
    assert f"Take over from {anna.name}" in page
    assert f'name="instead_of" value="{anna.id}"' in page
    assert take(his, thread, anna.id).status_code == 303
    assert say(hers, thread, "Still me?", key=new_id()).status_code == 409
    assert back(hers, thread, anna.id).status_code == 409
    assert say(his, thread, "Me.").status_code == 303


def test_the_page_learns_what_happens_meanwhile(talk: Talk, owner: httpx.Client) -> None:
    asked = talk.answered("News?", "Yes.", thread="news")
    take(owner, asked.conversation_id)
    page = owner.get(f"/conversations/{asked.conversation_id}").text
    (poll,) = re.findall(r'hx-get="([^"]*/takeover\?[^"]*)"', page)
    address = poll.replace("&amp;", "&")
    assert owner.get(address).status_code == 204
    talk.ask("Are you there?", thread="news")
    news = owner.get(address)
    assert "1 unanswered" in news.text
    (told,) = json.loads(news.headers["hx-trigger"])["glimt:turns"].items()
    assert told[0] == "turn-2"
    assert f'data-version="{told[1]["version"]}"' in owner.get(f"/turns/{told[1]['id']}").text
    # What was said from another page is told, too.
    say(owner, asked.conversation_id, "I am.")
    (again,) = re.findall(r'hx-get="([^"]*/takeover\?[^"]*)"', news.text)
    later = json.loads(owner.get(again.replace("&amp;", "&")).headers["hx-trigger"])["glimt:turns"]
    assert later["turn-2"]["version"] != told[1]["version"]
    other = talk.desk.signed_in()
    moved = other.get(address).text
    assert "answers here" in moved
    assert "this has changed" in moved


def test_what_waits_for_a_human_stands_on_top_longest_first(talk: Talk) -> None:
    workspace = talk.workspace_id(talk.answered("Nothing waits.", "No."))
    admin = talk.desk.add(Role.OPERATOR, everywhere=False, workspaces=(workspace,))
    browser = talk.desk.signed_in(admin)
    assert "Waiting for a human</h2>" not in browser.get("/").text
    asked = [talk.ask(f"Who helps {n}?", thread=f"wait {n}", person=f"p{n}") for n in range(3)]
    for one in reversed(asked):
        hand_over(talk.desk.store, talk.desk.at.redis, one.conversation_id, 3600)
    with talk.desk.store.write() as repositories:
        waited = repositories.session.get(Conversation, asked[1].conversation_id)
        assert waited is not None
        waited.handed_over_at = utc_now() - timedelta(minutes=45)
    elsewhere = Talk.begin(talk.desk)
    hidden = elsewhere.ask("Hidden?")
    hand_over(talk.desk.store, talk.desk.at.redis, hidden.conversation_id, 3600)
    page = browser.get("/").text
    top = page.partition("Waiting for a human</h2>")[2].partition("</section>")[0]
    assert links(top) == [f"/conversations/{asked[n].conversation_id}#takeover" for n in (1, 2, 0)]
    assert "for 45 min" in top
    assert hidden.conversation_id not in page
    # Not above what somebody has looked for.
    assert "Waiting for a human</h2>" not in browser.get("/?state=handed_over").text
    assert len(links(browser.get("/?human=waiting").text)) == 3
    take(browser, asked[0].conversation_id)
    assert links(browser.get("/?human=taken").text) == [f"/conversations/{asked[0].conversation_id}"]
    assert len(links(browser.get("/?human=waiting").text)) == 2
    # Somebody waits for this admin himself.
    assert "asks you" in browser.get("/").text
    say(browser, asked[0].conversation_id, "I do.")
    assert "asks you" not in browser.get("/").text
    assert browser.get("/?human=whoever").status_code == 400


def test_a_program_is_not_taken_over_from(talk: Talk, owner: httpx.Client) -> None:
    intake = Intake(talk.desk.store, BlobStore(talk.desk.settings.blob_store_url), talk.desk.settings)
    asked = intake.accept(InboundQuestion(Platform.API, talk.workspace, "program", new_id(), "Hello?"))
    assert "/take" not in owner.get(f"/conversations/{asked.conversation_id}").text.replace("/takeover", "")
    assert take(owner, asked.conversation_id).status_code == 404
    assert row(talk, asked).handed_over_at is None


def test_an_admin_who_is_gone_is_named_as_such(talk: Talk, owner: httpx.Client) -> None:
    asked = talk.answered("Gone?", "Yes.", thread="gone")
    with talk.desk.store.write() as repositories:
        repositories.takeovers.take(asked.conversation_id, new_id(), "", utc_now())
    page = owner.get(f"/conversations/{asked.conversation_id}").text
    assert "somebody who is no admin any more answers here" in page


@pytest.mark.parametrize("state", [TurnState.READY, TurnState.RUNNING])
def test_what_the_model_is_at_is_stopped(talk: Talk, owner: httpx.Client, state: TurnState) -> None:
    asked = talk.ask("Stop?", thread=f"stop {state}")
    claimed = talk.claim(asked.turn_id) if state is TurnState.RUNNING else None
    take(owner, asked.conversation_id)
    (turn,) = turns(talk, asked)
    if claimed is None:
        assert turn.state == TurnState.HANDED_OVER
    else:
        assert turn.cancel_requested
        talk.end(claimed[0], answer="Half")
