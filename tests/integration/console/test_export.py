"""Exporting from the page, with a token, and what of it is refused, broken off and written down."""

import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import httpx
import pytest

from admin.bearer import PREFIX
from admin.manage import set_enabled
from core.admins import Action, Role
from core.store.admin_tables import AuditEntry
from core.values import new_id, utc_now
from serving.secrets import hash_secret
from tests.integration.console.desk import Desk, open_desk
from tests.integration.console.talk import Talk, safe
from tests.integration.web.site import picture
from tests.processes import Installation, until


def bearer(desk: Desk, admin_id: str, *, lasts: timedelta = timedelta(days=1)) -> dict[str, str]:
    """Headers of a program with a new token of this admin."""
    secret = PREFIX + new_id()
    with desk.store.write() as repositories:
        repositories.admin_tokens.add(
            admin_id, new_id(), hash_secret(secret), now=utc_now(), expires_at=utc_now() + lasts
        )
    return {"authorization": f"Bearer {secret}"}


def opened(answer: httpx.Response) -> tuple[list[dict[str, Any]], dict[str, Any], zipfile.ZipFile]:
    """Lines, manifest and archive."""
    assert answer.status_code == 200, answer.text
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    lines = [json.loads(line) for line in archive.read("conversations.jsonl").splitlines()]
    return lines, json.loads(archive.read("manifest.json")), archive


def entries(desk: Desk, name: str) -> list[AuditEntry]:
    return [e for e in desk.audit(admin_name=name) if e.action in (Action.EXPORTED, Action.EXPORT_ENDED)]


def test_what_the_list_shows_is_what_is_exported(desk: Desk) -> None:
    talk = Talk.begin(desk)
    word = f"okapi{new_id()[-6:]}"
    wanted = talk.answered(f"{word} one", "yes", safe(picture()))
    talk.answered("another", "no")
    admin = desk.add(Role.REVIEWER)
    browser = desk.signed_in(admin)
    assert f'href="/export?q={word}"' in browser.get(f"/?q={word}").text
    page = browser.get(f"/export?q={word}").text
    assert f'name="q" value="{word}"' in page
    answer = browser.get(f"/api/export?q={word}&images=files")
    lines, manifest, archive = opened(answer)
    assert [line["metadata"]["conversation"] for line in lines] == [wanted.conversation_id]
    assert archive.read(lines[0]["images"][0]) == picture()
    assert (manifest["conversations"], manifest["turns"], manifest["pictures"]) == (1, 1, 1)
    assert "attachment" in answer.headers["content-disposition"]
    ended, begun = entries(desk, admin.name)
    assert begun.detail["filters"] == {"q": word}
    assert begun.detail["redacted"] == []
    assert ended.detail["how"] == "whole"
    assert (ended.detail["conversations"], ended.detail["pictures"]) == (1, 1)


def test_only_the_lines_as_jsonl(desk: Desk) -> None:
    talk = Talk.begin(desk)
    asked = talk.answered("Mail ann@example.org", "yes", safe(picture()))
    where = talk.workspace_id(asked)
    answer = desk.signed_in().get(f"/api/export?workspace={where}&format=jsonl&redact=email&images=data-urls")
    assert answer.headers["content-type"] == "application/jsonl"
    (line,) = [json.loads(line) for line in answer.text.splitlines()]
    assert "ann@" not in answer.text
    assert line["images"][0].startswith("data:image/png;base64,")


def test_nobody_exports_beyond_his_scope(desk: Desk) -> None:
    talk, other = Talk.begin(desk), Talk.begin(desk)
    mine, theirs = talk.answered("mine", "1"), other.answered("theirs", "2")
    admin = desk.add(Role.REVIEWER, everywhere=False, workspaces=(talk.workspace_id(mine),))
    lines, _, _ = opened(desk.signed_in(admin).get("/api/export"))
    assert [line["metadata"]["conversation"] for line in lines] == [mine.conversation_id]
    nothing = desk.signed_in(admin).get(f"/api/export?workspace={other.workspace_id(theirs)}")
    assert opened(nothing)[0] == []


def test_a_program_comes_with_a_token_in_its_admins_place(desk: Desk) -> None:
    talk = Talk.begin(desk)
    asked = talk.answered("for a program", "yes")
    admin = desk.add(Role.REVIEWER, everywhere=False, workspaces=(talk.workspace_id(asked),))
    program = httpx.Client(base_url=desk.url, headers=bearer(desk, admin.id))
    lines, _, _ = opened(program.get("/api/export"))
    assert [line["metadata"]["conversation"] for line in lines] == [asked.conversation_id]
    with desk.store.read() as repositories:
        (token,) = repositories.admin_tokens.of_admin(admin.id)
    assert token.last_used_at is not None
    assert entries(desk, admin.name)[1].detail["token"] == token.name
    # It opens nothing else, and is not asked for its role of yesterday.
    for path in ("/", "/export", "/tokens", "/sessions"):
        assert program.get(path).status_code == 401, path
    with desk.store.write() as repositories:
        repositories.admins.grant(admin.id, workspaces=(), places=())
    assert opened(program.get("/api/export"))[0] == []
    with desk.store.write() as repositories:
        repositories.admins.change(admin.id, role=Role.READ_ONLY, email="", everywhere=True)
    assert program.get("/api/export").status_code == 403
    with desk.store.write() as repositories:
        repositories.admins.disable(admin.id)
    assert program.get("/api/export").status_code == 401


def test_tokens_of_a_disabled_admin_stay_ended_when_he_is_let_in_again(desk: Desk) -> None:
    owner, admin = desk.signed_in(desk.add(Role.OWNER)), desk.add(Role.REVIEWER)
    program = httpx.Client(base_url=desk.url, headers=bearer(desk, admin.id))
    assert program.get("/api/export").status_code == 200
    for how in ("disable", "enable"):
        assert owner.post(f"/admins/{admin.id}/{how}", data={"sent": ""}).status_code == 303
        assert program.get("/api/export").status_code == 401
    bearer(desk, admin.id)
    set_enabled(desk.settings, admin.name, enabled=False)
    with desk.store.read() as repositories:
        assert repositories.admin_tokens.of_admin(admin.id) == []


def test_wrong_and_old_tokens_are_refused_in_words_for_programs(desk: Desk) -> None:
    admin = desk.add()
    program = httpx.Client(base_url=desk.url)
    for headers in ({}, {"authorization": "Bearer nothing"}, bearer(desk, admin.id, lasts=timedelta(seconds=-1))):
        answer = program.get("/api/export", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["error"]["code"] == "not_signed_in"
    both = desk.signed_in(admin).get("/api/export", headers=bearer(desk, admin.id))
    assert (both.status_code, both.json()["error"]["code"]) == (400, "bad_request")
    wrong = desk.signed_in(admin).get("/api/export?kind=poems")
    assert (wrong.status_code, wrong.json()["error"]["message"][:4]) == (400, "kind")
    assert desk.signed_in(admin).get("/api/export?q=!!!").status_code == 400
    # What a proxy asks for is none of ours.
    assert desk.signed_in(admin).get("/api/export", headers={"authorization": "Basic eDp5"}).status_code == 200


def test_whoever_tries_tokens_has_to_wait(at: Installation) -> None:
    # A console of its own: the others' tries come from the same address.
    with open_desk(at) as own:
        program = httpx.Client(base_url=own.url, headers={"authorization": "Bearer nothing"})
        codes = [program.get("/api/export").status_code for _ in range(12)]
    assert codes[0] == 401
    assert codes[-1] == 429


def test_another_site_starts_no_export(desk: Desk) -> None:
    browser = desk.signed_in()
    followed = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert browser.get("/api/export", headers=followed).status_code == 403
    assert browser.get("/export", headers=followed).status_code == 200


def test_tokens_are_made_shown_once_and_ended(desk: Desk) -> None:
    admin = desk.add(Role.REVIEWER)
    browser = desk.signed_in(admin)
    page = browser.post("/tokens", data={"name": "nightly <b>", "days": "30"}).text
    secret = page.split('<code class="secret">')[1].split("<")[0]
    assert secret.startswith(PREFIX)
    assert "nightly &lt;b&gt;" in page
    again = browser.get("/tokens").text
    assert secret not in again
    assert browser.post("/tokens", data={"name": "nightly <b>", "days": "30"}).status_code == 400
    assert browser.post("/tokens", data={"name": "x", "days": "9999"}).status_code == 400
    program = httpx.Client(base_url=desk.url, headers={"authorization": f"Bearer {secret}"})
    assert program.get("/api/export").status_code == 200
    with desk.store.read() as repositories:
        (token,) = repositories.admin_tokens.of_admin(admin.id)
    stranger = desk.signed_in(desk.add(Role.REVIEWER))
    stranger.post("/tokens/end", data={"token": token.id})
    assert program.get("/api/export").status_code == 200, "only one's own"
    assert browser.post("/tokens/end", data={"token": token.id}).status_code == 303
    assert program.get("/api/export").status_code == 401
    actions = [entry.action for entry in desk.audit(admin_name=admin.name)]
    assert actions.count(Action.TOKEN_MADE) == actions.count(Action.TOKEN_ENDED) == 1


def test_a_client_that_goes_away_is_written_down(desk: Desk) -> None:
    talk = Talk.begin(desk)
    for n in range(3):
        talk.answered(f"q{n}", "x" * 200_000, thread=f"t{n}")
    admin = desk.add(Role.REVIEWER)
    headers = bearer(desk, admin.id)
    with httpx.stream("GET", f"{desk.url}/api/export?format=jsonl", headers=headers) as answer:
        next(answer.iter_raw(100))
    until(lambda: len(entries(desk, admin.name)) == 2, "the end is written down")
    ended, _ = entries(desk, admin.name)
    # What fits into the buffers of the sockets is sent before anybody can go away.
    assert ended.detail["how"] in ("the client went away", "whole")


def test_a_fault_in_the_middle_is_no_whole_file(desk: Desk) -> None:
    talk = Talk.begin(desk)
    first = talk.answered("first", "1", safe(picture("red")))
    talk.answered("second", "2", safe(picture("blue")))
    where = talk.workspace_id(first)
    # A folder where the picture should be: the blob store fails, which is something else than a missing picture.
    key = talk.attachment(talk.answered("third", "3", safe(picture("green"))).turn_id).blob_key
    path = desk.settings.data_dir / "blobs" / key[:2] / key[2:4] / key
    path.unlink()
    path.mkdir()
    admin = desk.add()
    try:
        with pytest.raises(httpx.RemoteProtocolError):
            desk.signed_in(admin).get(f"/api/export?workspace={where}&images=files")
        with pytest.raises(httpx.RemoteProtocolError):
            desk.signed_in(admin).get(f"/api/export?workspace={where}&format=jsonl&images=data-urls")
    finally:
        path.rmdir()
    until(lambda: len(entries(desk, admin.name)) == 4, "the end is written down")
    assert [e.detail["how"] for e in entries(desk, admin.name) if e.action == Action.EXPORT_ENDED] == ["store", "store"]


def test_all_about_one_person(desk: Desk) -> None:
    talk = Talk.begin(desk)
    asked = talk.answered("mine <script>alert(1)</script>", "yes", safe(picture()), thread="t")
    other = talk.ask("somebody else's", thread="t", person="bob")
    owner = desk.add()
    browser = desk.signed_in(owner)
    found = browser.get(f"/export/people?person={asked.person_id}").text
    assert f'action="/people/{asked.person_id}/export"' in found
    # Also where a person is shown.
    assert f'action="/people/{asked.person_id}/export"' in browser.get(f"/people/{asked.person_id}").text
    answer = browser.post(f"/people/{asked.person_id}/export")
    assert answer.status_code == 200
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    turns = [json.loads(line) for line in archive.read("turns.jsonl").splitlines()]
    assert [turn["id"] for turn in turns] == [asked.turn_id]
    assert other.turn_id not in archive.read("turns.jsonl").decode()
    assert archive.read(turns[0]["pictures"][0]["file"]) == picture()
    index = archive.read("index.html").decode()
    assert "&lt;script&gt;" in index
    assert "<script" not in index
    assert json.loads(archive.read("profile.json"))["platform_id"] == "ann"
    assert json.loads(archive.read("manifest.json"))["questions"] == 1
    actions = [entry.action for entry in desk.audit(admin_name=owner.name)]
    assert actions[:2] == [Action.EXPORT_ENDED, Action.PERSON_EXPORTED]
    assert len(desk.audit(admin_name=owner.name, person_id=asked.person_id)) == 3, "and that the person was looked at"
    assert browser.post(f"/people/{new_id()}/export").status_code == 404
