"""Retention where something breaks: the database goes away in the middle of a run; two workers begin at once."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from core.conversation.retention import Retention
from core.errors import StoreError
from core.media.blobs import BlobStore
from core.store.database import Store
from core.store.models import Turn
from core.store.retention.figures import Figures
from core.store.retention.rules import What
from core.store.retention_tables import RetentionRun
from core.values import Platform, TurnState, utc_now
from tests.asking import Asker
from tests.faults.outage import refusing
from tests.fixtures_db import PostgresServer
from tests.processes import until

pytestmark = pytest.mark.faults

OLD = 40


def asked_long_ago(store: Store, turns: int) -> None:
    """Turns of `OLD` days ago, each in a conversation of its own, and a rule by which they go."""
    at = utc_now() - timedelta(days=OLD)
    with store.write() as repositories:
        workspace = repositories.people.workspace(Platform.WEB, "local")
        ann = repositories.people.person(workspace.id, "ann")
        for n in range(turns):
            thread = repositories.conversations.get_or_create(workspace.id, f"old {n}", ann.id)
            repositories.turns.add(thread.id, ann.id, f"zebrafish {n}", now=at)
        repositories.session.execute(update(Turn).values(state=TurnState.DELIVERED))
        repositories.retention.set_rule(None, What.TURNS, OLD - 10, by="olga", shown=Figures(), now=utc_now())


def left(store: Store) -> int:
    """How many turns there are."""
    with store.read() as repositories:
        return len(repositories.session.scalars(select(Turn.id)).all())


def test_a_run_goes_on_where_the_database_went_away(
    postgresql_url: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    store, blobs = Store(postgresql_url), BlobStore(f"file://{tmp_path / 'blobs'}")
    asked_long_ago(store, 30)
    outages: list[int] = []
    retention = Retention(store, blobs, "worker", lambda _: bool(outages) and outages.pop() > 0, batch=7)
    # The first pause lets the run stop after one batch, as a worker does that is asked to end.
    outages.append(1)
    begun = retention.run_now("test")
    assert begun is not None
    assert left(store) == 23
    with refusing(postgres_server, postgresql_url), pytest.raises(StoreError):
        retention.round()
    finished = retention.round()
    assert finished is not None
    assert (finished.id, left(store)) == (begun.id, 0)
    assert finished.removed["turns"]["rows"] == 30
    assert finished.removed["turns"]["conversations"] == 30
    store.close()


def test_two_workers_that_begin_at_once_make_one_run(asker: Asker) -> None:
    store = asker.at.store
    asked_long_ago(store, 250)
    for _ in range(2):
        asker.at.start_worker()
    until(lambda: left(store) == 0, "everything old is gone")

    def over() -> bool:
        with store.read() as repositories:
            return all(run.finished_at is not None for run in repositories.retention.runs(9))

    until(over, "the run is over")
    with store.read() as repositories:
        (run,) = repositories.session.scalars(select(RetentionRun)).all()
        assert run.removed["turns"]["rows"] == 250
    # What is asked meanwhile is answered as ever.
    assert asker.wait([asker.ask("Still there?")])[0].state == TurnState.ANSWERED
