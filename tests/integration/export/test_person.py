"""All that is stored about one person, and nothing of anybody else."""

import io
import json
import zipfile
from typing import Any

import pytest

from core.errors import NotFound
from core.export.person import PersonExport
from core.store.models import ApiKey, Delivery, Post, WebSession
from core.store.review.scope import EVERYTHING
from core.values import new_id, utc_now
from tests.integration.export.test_lines import reviewed
from tests.integration.export.told import Told, safe


def opened(told: Told, person_id: str) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(b"".join(PersonExport(told.store, told.blobs, person_id).pieces())))
    assert archive.testzip() is None
    return archive


def rows(archive: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in archive.read(name).splitlines()]


def test_everything_is_there_and_the_others_are_not(told: Told) -> None:
    mine = told.answered(
        "My question", "the answer", safe("me.png"), thread="t", name="Ann", thinking="hm", prompt_tokens=9
    )
    theirs = told.answered("Bob's question", "his answer", safe(colour="blue"), thread="t", person="bob", name="Bobby")
    told.rated(mine, -1, "no good")
    reviewed(told, mine.turn_id, correction="better", verdict="bad", note="noted")
    with told.store.write() as repositories:
        repositories.feedback.set(theirs.turn_id, mine.person_id, 1, "liked it", now=utc_now())
        repositories.feedback.set(mine.turn_id, theirs.person_id, 1, "Bobby likes it", now=utc_now())
        session = repositories.session
        delivery = session.query(Delivery).filter_by(turn_id=mine.turn_id).one()
        delivery.external_id, delivery.target = "D1", {"c": "C1"}
        session.add(Post(delivery_id=delivery.id, position=0, external_id="1700.42"))
        session.add(ApiKey(name=f"laptop {new_id()}", key_hash="k" * 64, person_id=mine.person_id))
        session.add(WebSession(token_hash="w" * 64, person_id=mine.person_id, expires_at=utc_now()))
    archive = opened(told, mine.person_id)
    (turn,) = rows(archive, "turns.jsonl")
    assert (turn["question"], turn["answer"], turn["thinking"]) == ("My question", "the answer", "hm")
    given = [(rating["reason"], rating["yours"]) for rating in turn["feedback"]]
    assert given == [("no good", True), ("Bobby likes it", False)]
    assert [note["text"] for note in turn["notes"]] == ["noted"]
    assert [fix["text"] for fix in turn["corrections"]] == ["better"]
    assert turn["messages"] == ["1700.42"]
    assert [(sent["message"], sent["where"]) for sent in turn["deliveries"]] == [("D1", {"c": "C1"})]
    assert len(turn["events"]) == 1
    (picture,) = turn["pictures"]
    assert archive.read(picture["file"])[:4] == b"\x89PNG"
    assert picture["name"] == "me.png"
    assert [name for name in archive.namelist() if name.startswith("pictures/")] == [picture["file"]]
    profile = json.loads(archive.read("profile.json"))
    assert (profile["name"], profile["platform_id"]) == ("Ann", "ann")
    assert profile["keys"][0]["name"].startswith("laptop")
    assert len(profile["browsers"]) == 1
    assert {given["turn"] for given in rows(archive, "feedback.jsonl")} == {mine.turn_id, theirs.turn_id}
    assert [conversation["id"] for conversation in rows(archive, "conversations.jsonl")] == [mine.conversation_id]
    assert [row["turn"] for row in rows(archive, "usage.jsonl")] == [mine.turn_id]
    everything = b"".join(archive.read(name) for name in archive.namelist()).decode("utf-8", "replace")
    # No secret of his, no question of another person, no name of whoever reviewed.
    for other in ("k" * 64, "w" * 64, "Bob's question", "his answer", "rita", theirs.person_id):
        assert other not in everything, other
    index = archive.read("index.html").decode()
    for said in ("My question", "the answer", "no good", "noted", "better", f'src="{picture["file"]}"'):
        assert said in index
    manifest = json.loads(archive.read("manifest.json"))
    assert (manifest["questions"], manifest["pictures"], manifest["ratings"], manifest["attempts"]) == (1, 1, 2, 1)
    with told.store.read() as repositories:
        assert repositories.review(EVERYTHING).turn(theirs.turn_id) is not None


def test_what_strangers_wrote_is_text_in_the_index(plain: Told) -> None:
    evil = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
    mine = plain.answered(evil, evil, safe(f"{evil}.png"), thread="t", name=evil)
    plain.rated(mine, -1, evil)
    plain.blobs.delete(safe().picture.key)
    archive = opened(plain, mine.person_id)
    index = archive.read("index.html").decode()
    assert "<script" not in index
    assert "onerror=alert" not in index.replace("onerror=alert(2)&gt;", "")
    assert index.count("&lt;script&gt;") == 5
    assert json.loads(archive.read("manifest.json"))["missing"][0]["why"] == "missing"


def test_many_pages_are_read(plain: Told) -> None:
    first = plain.answered("q", "a", thread="t", prompt_tokens=9)
    with plain.store.write() as repositories:
        for n in range(205):
            repositories.usage.add(
                workspace_id="w", person_id=first.person_id, turn_id=new_id(), attempt=n, model="m", prompt_tokens=1,
                picture_tokens=0, cached_tokens=0, completion_tokens=1, engine_s=0.1, now=utc_now(),
            )  # fmt: skip
    assert len(rows(opened(plain, first.person_id), "usage.jsonl")) == 206


def test_nobody(plain: Told) -> None:
    with pytest.raises(NotFound):
        PersonExport(plain.store, plain.blobs, new_id())
