"""`glimt retention` as whoever runs Glimt types it."""

import json
import os
from datetime import timedelta
from pathlib import Path

from sqlalchemy import update

from core.media.blobs import BlobStore
from core.store.database import Store
from core.store.migrate import upgrade
from core.store.models import Turn
from core.store.retention.figures import Figures
from core.store.retention.rules import What
from core.values import AttachmentState, Platform, TurnState, utc_now
from tests.integration.glimt.command import glimt


def test_rules_are_listed_tried_and_carried_out(tmp_path: Path) -> None:
    data = tmp_path / "data"
    upgrade(f"sqlite:///{data / 'glimt.db'}")
    blobs, store = BlobStore(f"file://{data / 'blobs'}"), Store(f"sqlite:///{data / 'glimt.db'}")
    key = blobs.put(b"a picture")
    os.utime(data / "blobs" / key[:2] / key[2:4] / key, (0, 0))
    now = utc_now()
    with store.write() as repositories:
        workspace = repositories.people.workspace(Platform.SLACK, "T1", "Acme")
        ann = repositories.people.person(workspace.id, "ann")
        thread = repositories.conversations.get_or_create(workspace.id, "t", ann.id)
        turn = repositories.turns.add(thread.id, ann.id, "zebrafish?", now=now - timedelta(days=40))
        done = {"state": TurnState.DELIVERED, "answer": "Yes."}
        repositories.session.execute(update(Turn).where(Turn.id == turn.id).values(**done))
        stored = {"state": AttachmentState.STORED, "blob_key": key, "byte_size": 9}
        repositories.attachments.add(turn.id, 0, **stored)  # type: ignore[arg-type]
    empty = glimt(tmp_path, "retention", "list")
    assert (empty.returncode, empty.stdout) == (0, "")
    assert "everything is kept" in empty.stderr
    tried = glimt(tmp_path, "retention", "dry-run", "--what", "turns", "--days", "30", "--json")
    (counted,) = json.loads(tried.stdout).values()
    assert (counted["rows"], counted["conversations"], counted["pictures"], counted["byte_size"]) == (1, 1, 1, 9)
    wrong = glimt(tmp_path, "retention", "dry-run", "--what", "audit", "--days", "7")
    assert (wrong.returncode, wrong.stderr) == (1, "glimt: audit can be kept from 30 to 36500 days.\n")
    with store.write() as repositories:
        rule = {"by": "olga", "shown": Figures(), "now": now}
        repositories.retention.set_rule(workspace.id, What.TURNS, 30, **rule)  # type: ignore[arg-type]
    listed = glimt(tmp_path, "retention", "list").stdout
    assert listed.startswith("slack Acme\tturns\t30 days\tset by olga")
    assert glimt(tmp_path, "retention", "dry-run").stdout.startswith("turns\t1\t1 conversations, 1 pictures, 9 bytes")
    ran = glimt(tmp_path, "retention", "run", "--json")
    assert json.loads(ran.stdout) == {"turns": counted}
    assert not blobs.exists(key)
    nothing = glimt(tmp_path, "retention", "run")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert "Nothing had to go." in nothing.stderr
    with store.write() as repositories:
        # Another process is at it.
        assert repositories.retention.claim_run("another", utc_now(), timedelta(hours=1)) is not None
    refused = glimt(tmp_path, "retention", "run")
    assert refused.returncode == 1
    assert "Another process is at it" in refused.stderr
    store.close()
