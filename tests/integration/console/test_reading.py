"""Finding and reading conversations."""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image

from core.admins import Action, Role
from core.conversation.inbound import Accepted, InboundQuestion, Named
from core.conversation.intake import Intake
from core.media.blobs import BlobStore
from core.media.safe_picture import SafePicture
from core.queue.streams import TurnWriter
from core.store.admin_tables import AdminSession
from core.store.models import Attachment, Conversation, Turn
from core.store.outcome import Outcome
from core.values import Platform, TurnState, new_id, utc_now
from tests.integration.console.desk import Desk
from tests.integration.web.site import LEASE, OWNER, events_of, picture
from tests.processes import until

XSS = '<img src=x onerror="alert(1)"><script>alert(2)</script>{{7*7}}\'"`'


@dataclass
class Talk:
    """People who ask at a workspace of the test's own, and the worker that answers them."""

    desk: Desk
    workspace: str

    @classmethod
    def begin(cls, desk: Desk) -> "Talk":
        return cls(desk, f"T{new_id()[-8:]}")

    def ask(self, question: str, *pictures: Named, thread: str = "", person: str = "ann") -> Accepted:
        """Commit a question."""
        intake = Intake(self.desk.store, BlobStore(self.desk.settings.blob_store_url), self.desk.settings)
        return intake.accept(
            InboundQuestion(
                platform=Platform.WEB,
                workspace=self.workspace,
                person=person,
                event_key=new_id(),
                question=question,
                conversation=thread or None,
                pictures=pictures,
            )
        )

    def claim(self, turn_id: str) -> tuple[Turn, TurnWriter]:
        """Take the turn, as a worker does."""
        with self.desk.store.write() as repositories:
            turn = repositories.turns.claim(turn_id, OWNER, utc_now(), utc_now() + LEASE)
        assert turn is not None
        return turn, TurnWriter(self.desk.at.redis, turn.id, turn.attempt, 3600)

    def end(self, turn: Turn, writer: TurnWriter | None = None, **outcome: Any) -> None:
        """End it."""
        ended: dict[str, Any] = {"finish_reason": "stop", "model": "scripted:echo", **outcome}
        failed = "error_code" in outcome
        how = Outcome(TurnState.FAILED if failed else TurnState.ANSWERED, **ended)
        with self.desk.store.write() as repositories:
            repositories.turns.finish(turn.id, OWNER, turn.attempt, how, utc_now())
        if writer is not None:
            writer.end()
            writer.flush()

    def answered(self, question: str, answer: str, *pictures: Named, thread: str = "", **outcome: Any) -> Accepted:
        """A question with its answer."""
        accepted = self.ask(question, *pictures, thread=thread)
        self.end(self.claim(accepted.turn_id)[0], answer=answer, **outcome)
        return accepted

    def workspace_id(self, accepted: Accepted) -> str:
        """The row of the workspace."""
        with self.desk.store.read() as repositories:
            conversation = repositories.session.get(Conversation, accepted.conversation_id)
        assert conversation is not None
        return conversation.workspace_id

    def attachment(self, turn_id: str) -> Attachment:
        """The one file of a turn."""
        with self.desk.store.read() as repositories:
            return repositories.session.query(Attachment).filter_by(turn_id=turn_id).one()


@pytest.fixture
def talk(desk: Desk) -> Talk:
    return Talk.begin(desk)


@pytest.fixture(scope="module")
def owner(desk: Desk) -> Iterator[httpx.Client]:
    browser = desk.signed_in()
    yield browser
    browser.close()


def safe(data: bytes, size: tuple[int, int] = (32, 24)) -> Named:
    """A picture as the reader process leaves it."""
    return Named("chart.png", SafePicture.of(data, "image/png", *size))


def links(page: str) -> list[str]:
    """Where the rows of a list lead."""
    return re.findall(r'<a data-item href="([^"]+)"', page)


def test_a_conversation_is_listed_found_and_read(talk: Talk, owner: httpx.Client) -> None:
    word = f"w{new_id()[-8:]}"
    accepted = talk.answered(f"Which {word} is it?", f"一颗红色的{word}星星")
    address = f"/conversations/{accepted.conversation_id}"
    workspace = talk.workspace_id(accepted)
    assert links(owner.get("/", params={"workspace": workspace}).text) == [address]
    found = owner.get("/", params={"q": f"红色 {word}"}).text
    assert links(found) == [f"{address}?turn=1#turn-1"]
    assert f"<mark>{word}</mark>" in found
    assert "<mark>红色</mark>" in found
    page = owner.get(f"{address}?turn=1").text
    assert f"Which {word} is it?" in page
    assert f"一颗红色的{word}星星" in page
    assert "scripted:echo" in page
    said = [(e.action, e.detail) for e in talk.desk.audit(conversation_id=accepted.conversation_id)]
    assert said == [(Action.READ, {"first": 1, "last": 1})]
    searched = talk.desk.audit(action=Action.SEARCHED)[0]
    assert searched.detail == {"asked": {"q": f"红色 {word}"}}


def test_nothing_beyond_the_grants_can_be_reached(talk: Talk, owner: httpx.Client) -> None:
    mine = talk.answered("Mine?", "Yes, xylophone.", safe(picture()))
    theirs = Talk.begin(talk.desk)
    other = theirs.answered("Theirs?", "Yes, xylophone.", safe(picture("blue")))
    reader = talk.desk.signed_in(talk.desk.add(Role.REVIEWER, everywhere=False, workspaces=(talk.workspace_id(mine),)))
    assert links(reader.get("/").text) == [f"/conversations/{mine.conversation_id}"]
    assert links(reader.get("/?q=xylophone").text) == [f"/conversations/{mine.conversation_id}?turn=1#turn-1"]
    assert links(reader.get("/", params={"workspace": theirs.workspace_id(other)}).text) == []
    for accepted, status in ((mine, 200), (other, 404)):
        attachment = talk.attachment(accepted.turn_id).id
        for path in (
            f"/conversations/{accepted.conversation_id}",
            f"/conversations/{accepted.conversation_id}/later?after=0",
            f"/turns/{accepted.turn_id}",
            f"/turns/{accepted.turn_id}/pictures/{attachment}",
            f"/pictures/{attachment}",
            f"/pictures/{attachment}/small",
            f"/turns/{accepted.turn_id}/events",
        ):
            assert reader.get(path).status_code == status, path
            assert owner.get(path).status_code == 200, path
    nobody = talk.desk.signed_in(talk.desk.add(Role.READ_ONLY, everywhere=False))
    assert links(nobody.get("/").text) == []
    assert links(nobody.get("/?q=xylophone").text) == []
    assert talk.workspace not in nobody.get("/").text


def test_everything_of_a_turn_stands_in_its_place(talk: Talk, owner: httpx.Client) -> None:
    accepted = talk.answered(
        "Where is the dot?",
        "**There**, see [here](https://example.com/x).",
        safe(picture(size=(320, 240)), (320, 240)),
        thinking="Let me look.",
        prompt_tokens=30,
        picture_tokens=20,
        cached_tokens=10,
        completion_tokens=5,
        left_out=[{"seq": 1, "what": "text"}, {"seq": 2, "what": "pictures"}, {"seq": 3, "what": "pictures"}],
        boxes=[{"label": "dot", "left": 0.25, "top": 0.5, "right": 0.5, "bottom": 0.75}],
    )
    with talk.desk.store.write() as repositories:
        repositories.feedback.set(accepted.turn_id, accepted.person_id, -1, "not <there>", now=utc_now())
    page = owner.get(f"/conversations/{accepted.conversation_id}").text
    for shown in (
        "<strong>There</strong>, see here",
        '<span class="address">(https://example.com/x)</span>',
        "Let me look.",
        "30 read (20 of pictures, 10 kept), 5 written",
        "no room for the text of turn 1 and the pictures of turn 2 and 3",
        "not &lt;there&gt;",
        "<strong>Bad</strong>, says ann",
        'viewBox="0 0 320 240"',
        '<rect x="80.0" y="120.0" width="80.0" height="60.0"',
        ">dot</li>",
        'alt="chart.png"',
        "Delivery",
    ):
        assert shown in page, shown
    assert 'href="https://example.com' not in page


def test_boxes_are_shown_in_the_earlier_picture_that_they_are_about(talk: Talk, owner: httpx.Client) -> None:
    first = talk.answered("What is it?", "A dot.", safe(picture()), thread="boxes")
    box = {"label": "", "left": 0.0, "top": 0.0, "right": 1.5, "bottom": 1.0}
    second = talk.answered("Where?", "There.", thread="boxes", boxes=[box])
    assert first.conversation_id == second.conversation_id
    attachment = talk.attachment(first.turn_id).id
    for path in (f"/conversations/{second.conversation_id}", f"/turns/{second.turn_id}"):
        page = owner.get(path).text
        assert "Marked in an earlier picture" in page
        assert f'href="/turns/{second.turn_id}/pictures/{attachment}"' in page
        assert 'width="32.0" height="24.0"' in page, "never out of the picture"
    whole = owner.get(f"/turns/{second.turn_id}/pictures/{attachment}").text
    assert "unnamed" in whole
    assert owner.get(f"/turns/{first.turn_id}/pictures/{attachment}").text.count("unnamed") == 0


def test_a_failure_shows_why_and_what_was_tried(talk: Talk, owner: httpx.Client) -> None:
    accepted = talk.ask("Break?")
    turn, _ = talk.claim(accepted.turn_id)
    with talk.desk.store.write() as repositories:
        now = utc_now()
        repositories.turns.retry_later(turn.id, OWNER, turn.attempt, now=now, not_before=now, error_code="oom")
    again, _ = talk.claim(accepted.turn_id)
    talk.end(again, error_code="deadline_exceeded", error_message="The answer took too long.")
    page = owner.get(f"/conversations/{accepted.conversation_id}").text
    assert "deadline_exceeded" in page
    assert "The answer took too long." in page
    assert re.search(r"Attempts</dt><dd>2", page)
    workspace = talk.workspace_id(accepted)
    assert links(owner.get("/", params={"workspace": workspace, "state": "failed"}).text) != []
    assert links(owner.get("/", params={"workspace": workspace, "state": "answered"}).text) == []


def test_whatever_people_and_models_write_is_text(talk: Talk, owner: httpx.Client) -> None:
    with talk.desk.store.write() as repositories:
        workspace = repositories.people.workspace(Platform.WEB, talk.workspace, name=XSS)
        repositories.people.person(workspace.id, "ann", display_name=XSS)
    named = Named(XSS, safe(picture()).picture)
    accepted = talk.answered(
        XSS,
        f"{XSS}\n\n[x](javascript:alert(1)) ![x](https://evil.example/a.png) <b>b</b>\n\n```\n{XSS}\n```",
        named,
        thinking=XSS,
        model=XSS,
        observations=[{"picture": "0" * 64, "model": XSS, "text": XSS}],
        boxes=[{"label": XSS, "left": 0, "top": 0, "right": 1, "bottom": 1}],
    )
    attachment = talk.attachment(accepted.turn_id).id
    for path in (
        "/",
        "/?q=onerror",
        f"/?q={XSS}",
        f"/conversations/{accepted.conversation_id}",
        f"/turns/{accepted.turn_id}",
        f"/turns/{accepted.turn_id}/pictures/{attachment}",
        "/admins",
        "/audit",
        f"/audit?who={XSS}",
    ):
        page = owner.get(path)
        assert page.status_code == 200, path
        tags = re.findall(r"<(script|img)\b[^>]*>", page.text)
        assert 'onerror="' not in page.text, path
        assert "alert(2)</script>" not in page.text, path
        assert "49'" not in page.text, path
        # A part of a page has no script at all.
        assert tags.count("script") == (2 if "<html" in page.text else 0), path
        assert 'evil.example/a.png"' not in page.text


@pytest.mark.parametrize(
    "query",
    [
        "platform=mars",
        "workspace=x",
        "place=../..",
        "state=zz",
        "feedback=zz",
        "mode=zz",
        "slow=x",
        "slow=-1",
        "slow=nan",
        "slow=1e99",
        "since=yesterday",
        "until=9999-12-31",
        "before=zz",
        "before=2026-01-01_x",
        "before=2026-01-01T00:00:00_" + "0" * 32,
        "q=x&before=zz",
    ],
)
def test_a_filter_that_says_nothing_is_refused(owner: httpx.Client, query: str) -> None:
    answer = owner.get(f"/?{query}")
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text


@pytest.mark.parametrize("q", ["?!", "'", '"', "%", "a" * 300, "x" * 5 + "\x00", "* OR *", "\\", "😀"])
def test_any_search_is_answered(owner: httpx.Client, q: str) -> None:
    assert owner.get("/", params={"q": q}).status_code == 200


def test_older_pages_follow_each_other(talk: Talk, owner: httpx.Client) -> None:
    count = 53
    asked = [talk.ask(f"Page {n} zebra", person=f"person {n}") for n in range(count)]
    ids = {f"/conversations/{accepted.conversation_id}" for accepted in asked}
    workspace = ""
    with talk.desk.store.read() as repositories:
        workspace = repositories.people.workspace(Platform.WEB, talk.workspace).id
    for address in (f"/?workspace={workspace}", f"/?workspace={workspace}&q=zebra"):
        seen: list[str] = []
        page = owner.get(address).text
        while True:
            seen += [link.partition("?")[0] for link in links(page)]
            older = re.search(r'<a class="quiet edged" href="(/\?[^"]+before=[^"]+)"', page)
            if older is None:
                break
            page = owner.get(older[1].replace("&amp;", "&")).text
        assert len(seen) == count
        assert set(seen) == ids


def test_htmx_gets_the_list_alone(owner: httpx.Client) -> None:
    part = owner.get("/", headers={"hx-request": "true"})
    assert "<html" not in part.text
    whole = owner.get("/", headers={"hx-request": "true", "hx-history-restore-request": "true"})
    assert "<html" in whole.text


def test_a_picture_is_shown_small_and_whole(talk: Talk, owner: httpx.Client) -> None:
    accepted = talk.answered("Big?", "Yes.", safe(picture(size=(2000, 1000)), (2000, 1000)))
    attachment = talk.attachment(accepted.turn_id).id
    small = owner.get(f"/pictures/{attachment}/small")
    with Image.open(BytesIO(small.content)) as shown:
        assert shown.size == (640, 320)
    assert small.headers["content-type"] == "image/webp"
    whole = owner.get(f"/pictures/{attachment}")
    assert whole.content == picture(size=(2000, 1000))
    assert whole.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert "private" in whole.headers["cache-control"]
    for path in (f"/pictures/{attachment}/small", f"/pictures/{attachment}"):
        etag = owner.get(path).headers["etag"]
        assert owner.get(path, headers={"if-none-match": etag}).status_code == 304
    actions = [e.action for e in talk.desk.audit(conversation_id=accepted.conversation_id)]
    assert set(actions) == {Action.READ_PICTURE}


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
