"""Finding and reading conversations."""

import re
from io import BytesIO

import httpx
from PIL import Image

from core.admins import Action, Role
from core.values import Platform, new_id, utc_now
from tests.integration.console.talk import Talk, links, safe
from tests.integration.web.site import OWNER, picture


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
