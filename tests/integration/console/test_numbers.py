"""The overview over HTTP: numbers within the scope, the queue and workers now, the file of usage, the command line."""

import csv
import gzip
import io
import re
from contextlib import closing
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import update

from core.admins import Action, Role
from core.conversation.erasure import erase_person
from core.media.blobs import BlobStore
from core.queue.presence import WorkerPresence, announce_presence, withdraw_presence
from core.store.models import Conversation, Place, Turn
from core.store.numbers.roll import count_due_days
from core.usage_csv import BOM, COLUMNS
from core.values import new_id, utc_now
from tests.integration.console.desk import Desk, open_desk
from tests.integration.console.talk import Talk, links
from tests.integration.glimt.command import glimt
from tests.processes import Installation


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def tile(page: str, name: str) -> str:
    found = re.search(rf"<dt>{name}</dt><dd>(?:<a[^>]*>)?([^<]+)", page)
    assert found is not None, name
    return found[1].strip()


def put(talk: Talk, conversation_id: str, name: str) -> str:
    """Put a conversation into a channel; its id."""
    with talk.desk.store.write() as repositories:
        conversation = repositories.session.get_one(Conversation, conversation_id)
        place = Place(workspace_id=conversation.workspace_id, external_id=name)
        repositories.session.add(place)
        repositories.session.flush()
        conversation.place_id = place.id
        return place.id


def earlier(talk: Talk, turn_id: str, days: int) -> None:
    """As if it had been asked some days ago."""
    with talk.desk.store.write() as repositories:
        asked = utc_now() - timedelta(days=days)
        values = {
            "created_at": asked,
            "ready_at": asked,
            "started_at": asked,
            "finished_at": asked + timedelta(seconds=3),
        }
        repositories.session.execute(update(Turn).where(Turn.id == turn_id).values(**values))


@pytest.fixture
def asked(talk: Talk) -> dict[str, str]:
    """Two answers and a failure in a workspace of the test's own."""
    first = talk.answered("One", "1", prompt_tokens=100, completion_tokens=10)
    talk.answered("Two", "2", thread="two", prompt_tokens=50, completion_tokens=5)
    failed = talk.ask("Three", thread="two", person="=cmd|'/c calc'!A1")
    talk.end(talk.claim(failed.turn_id)[0], error_code="broken", error_message="It broke.")
    return {
        "workspace": talk.workspace_id(first),
        "place": put(talk, first.conversation_id, "<b>C1</b>"),
        "first": first.turn_id,
        "failed": failed.turn_id,
        "failed_in": failed.conversation_id,
        "person": first.person_id,
    }


def test_the_overview_of_a_workspace(desk: Desk, owner: httpx.Client, asked: dict[str, str]) -> None:
    page = owner.get(f"/numbers?workspace={asked['workspace']}").text
    assert [tile(page, name) for name in ("Questions", "Answered", "Failed", "People", "Tokens")] == [
        "3",
        "67 %",
        "1",
        "2",
        "165",
    ]
    assert page.count('<figure class="chart">') == 8
    assert "&lt;b&gt;C1&lt;/b&gt;" in page
    assert "<b>C1" not in page
    assert "style=" not in page
    failed = re.search(r'href="([^"]+)">[\d-]+ <span class="bad-text">1 failed', page)
    assert failed is not None
    listed = links(owner.get(failed[1].replace("&amp;", "&")).text)
    assert listed == [f"/conversations/{asked['failed_in']}"]
    one = owner.get(f"/numbers?place={asked['place']}&days=7").text
    assert (tile(one, "Questions"), tile(one, "People")) == ("1", "1")
    assert tile(owner.get(f"/numbers?workspace={new_id()}").text, "Questions") == "0"


def test_it_is_compared_with_the_days_before(talk: Talk, owner: httpx.Client, asked: dict[str, str]) -> None:
    earlier(talk, asked["first"], 10)
    # As a worker does in the background.
    count_due_days(talk.desk.store, talk.desk.settings.zone, utc_now())
    page = owner.get(f"/numbers?workspace={asked['workspace']}&days=7").text
    assert tile(page, "Questions") == "2"
    assert "100 % more than before" in page


def test_wrong_days_are_refused_in_words(owner: httpx.Client) -> None:
    for path in ("/numbers?days=5", "/numbers?since=2026-02-30", "/numbers/people?platform=fax", "/usage.csv?days=0"):
        answer = owner.get(path)
        assert answer.status_code == 400, path
        assert "<title>" in answer.text


def test_numbers_end_where_the_scope_ends(desk: Desk, talk: Talk, asked: dict[str, str]) -> None:
    with closing(desk.signed_in(desk.add(Role.REVIEWER, everywhere=False, places=(asked["place"],)))) as browser:
        page = browser.get("/numbers").text
        assert (tile(page, "Questions"), tile(page, "Failed"), tile(page, "People")) == ("1", "0", "1")
        assert [row["channel"] for row in rows(browser.get("/usage.csv").text)] == ["<b>C1</b>"]
        assert "calc" not in browser.get("/numbers/people").text
    with closing(desk.signed_in(desk.add(Role.REVIEWER, everywhere=False))) as browser:
        page = browser.get("/numbers").text
        assert (tile(page, "Questions"), tile(page, "People"), tile(page, "Waiting")) == ("0", "0", "0")
        assert rows(browser.get("/usage.csv").text) == []
        assert talk.workspace not in page


def test_who_asked_is_in_the_audit_log(desk: Desk, owner: httpx.Client, asked: dict[str, str]) -> None:
    before = len(desk.audit())
    owner.get(f"/numbers?workspace={asked['workspace']}")
    owner.get("/numbers/now")
    assert len(desk.audit()) == before, "numbers of days name nobody"
    page = owner.get(f"/numbers/people?workspace={asked['workspace']}").text
    assert "=cmd|&#39;/c calc&#39;!A1" in page
    owner.get(f"/usage.csv?workspace={asked['workspace']}")
    latest, second = desk.audit()[:2]
    assert (latest.action, second.action) == (Action.EXPORTED_USAGE, Action.READ_PEOPLE)
    assert latest.detail["asked"]["workspace"] == asked["workspace"]


def test_the_file_of_usage(desk: Desk, owner: httpx.Client, asked: dict[str, str]) -> None:
    answer = owner.get(f"/usage.csv?workspace={asked['workspace']}")
    assert answer.headers["content-type"].startswith("text/csv; charset=utf-8")
    assert re.fullmatch(r'attachment; filename="glimt-usage-[\d-]+\.csv"', answer.headers["content-disposition"])
    assert answer.text.split("\r\n")[0] == ",".join(COLUMNS)
    assert "\n" not in answer.text.replace("\r\n", "")
    lines = rows(answer.text)
    assert [(line["channel"], line["model"], line["questions"], line["prompt_tokens"]) for line in lines] == [
        ("", "scripted:echo", "1", "0"),
        ("", "scripted:echo", "1", "50"),
        ("<b>C1</b>", "scripted:echo", "1", "100"),
    ]
    assert lines[0]["person"] == "'=cmd|'/c calc'!A1"
    assert (lines[0]["failed"], lines[0]["whole_p95_s"]) == ("1", "")
    assert float(lines[1]["whole_p50_s"]) == float(lines[1]["whole_p95_s"]) >= 0
    excel = owner.get(f"/usage.csv?workspace={asked['workspace']}&bom=1").content
    assert excel.startswith(BOM.encode())
    assert excel.decode("utf-8-sig") == answer.text


def test_an_erased_person_is_in_the_numbers_and_has_no_name(
    desk: Desk, owner: httpx.Client, asked: dict[str, str]
) -> None:
    erase_person(desk.store, BlobStore(desk.settings.blob_store_url), asked["person"], utc_now())
    page = owner.get(f"/numbers?workspace={asked['workspace']}").text
    assert (tile(page, "Questions"), tile(page, "People"), tile(page, "Tokens")) == ("3", "1", "165")
    assert "C1" not in re.sub(r"<form.*?</form>", "", page, flags=re.S)
    lines = rows(owner.get(f"/usage.csv?workspace={asked['workspace']}").text)
    assert [(line["person_name"], line["questions"]) for line in lines][-1] == ("(erased)", "2")
    assert "ann" not in owner.get(f"/numbers/people?workspace={asked['workspace']}").text


def test_the_queue_and_the_workers_now(desk: Desk, talk: Talk, owner: httpx.Client) -> None:
    waiting = talk.ask("Is anybody there?")
    owner_name = f"host:{new_id()[-6:]}"
    said = WorkerPresence(
        owner_name, "demo <i>", 16, 3, {"picture_bytes": 5 * 2**20}, utc_now().timestamp() - 90, 3 * 2**30, 41.5
    )
    announce_presence(desk.at.redis, said)
    page = owner.get("/numbers/now").text
    assert int(tile(page, "Waiting")) >= 1
    assert "the first one for" in page
    for text in (owner_name, "demo &lt;i&gt;", "3 of 16", "41.5", "3.2 GB", "5.2 MB", "90 s"):
        assert text in page, text
    with closing(desk.signed_in(desk.add(Role.OPERATOR, everywhere=False))) as browser:
        page = browser.get("/numbers/now").text
        assert "demo &lt;i&gt;" in page
        assert tile(page, "Waiting") == "0"
        assert owner_name not in page, "how busy others keep a worker is beyond his scope"
    announce_presence(desk.at.redis, WorkerPresence(owner_name, "demo", 0, 2))
    assert "2, stopping" in owner.get("/numbers/now").text
    withdraw_presence(desk.at.redis, owner_name)
    assert owner_name not in owner.get("/numbers/now").text
    talk.end(talk.claim(waiting.turn_id)[0], answer="Yes.")


def test_without_redis_the_numbers_are_there(at: Installation, asked: dict[str, str]) -> None:
    with open_desk(at, redis_url="redis://127.0.0.1:1/0") as desk, closing(desk.signed_in()) as browser:
        page = browser.get(f"/numbers?workspace={asked['workspace']}").text
        assert "Redis does not answer" in page
        assert tile(page, "Questions") == "3"


def test_asking_for_the_queue_is_no_use_of_the_session(desk: Desk) -> None:
    admin = desk.add()
    with closing(desk.signed_in(admin)) as browser:
        with desk.store.write() as repositories:
            (session,) = repositories.admin_sessions.of_admin(admin.id)
            idle_since = utc_now() - timedelta(hours=1)
            repositories.admin_sessions.seen(session.id, idle_since)
        assert browser.get("/numbers/now").status_code == 200
        with desk.store.read() as repositories:
            assert repositories.admin_sessions.of_admin(admin.id)[0].seen_at == idle_since
        browser.get("/numbers")
        with desk.store.read() as repositories:
            assert repositories.admin_sessions.of_admin(admin.id)[0].seen_at > idle_since


def test_the_page_is_sent_compressed_to_who_can_unpack_it(desk: Desk, owner: httpx.Client) -> None:
    with owner.stream("GET", "/numbers?days=90", headers={"accept-encoding": "gzip"}) as answer:
        packed = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) == len(packed) < 25_000
    plain = owner.get("/numbers?days=90", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert len(gzip.decompress(packed)) > 3 * len(packed)
    assert "accept-encoding" in plain.headers["vary"].lower()


def test_the_command_line_writes_the_same_file(desk: Desk, owner: httpx.Client, asked: dict[str, str]) -> None:
    given = {name: value for name, value in desk.at.env.items() if name.startswith(("GLIMT_", "DATABASE_", "REDIS_"))}
    run = glimt(desk.at.folder, "usage", "--bom", **given)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith(BOM)
    mine = [line for line in rows(run.stdout.removeprefix(BOM)) if line["person"].startswith("'=cmd")]
    assert mine
    assert set(mine[0]) == set(COLUMNS)
    assert desk.audit()[0].detail["how"] == "glimt usage"
    assert glimt(desk.at.folder, "usage", "--since", "2026-01-02", "--until", "2026-01-01", **given).returncode == 1
    assert "counted" in glimt(desk.at.folder, "numbers", "rebuild", **given).stdout
    assert tile(owner.get(f"/numbers?workspace={asked['workspace']}").text, "Questions") == "3"
