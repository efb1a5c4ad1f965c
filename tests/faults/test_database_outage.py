"""The database is away for longer than a lease: nobody's work is taken from them, nobody's answer thrown away."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.values import TurnState, utc_now
from tests.asking import Asker
from tests.faults.outage import refusing
from tests.fixtures_db import PostgresServer
from tests.processes import installation, until

pytestmark = pytest.mark.faults


@pytest.fixture
def asker(postgresql_url: str, tmp_path: Path) -> Iterator[Asker]:
    """An installation on PostgreSQL: nobody can be kept from a SQLite file."""
    with installation(tmp_path, sql_url=postgresql_url) as made:
        yield Asker(made)


def test_an_outage_longer_than_the_lease_costs_no_attempt(
    asker: Asker, postgres_server: PostgresServer, postgresql_url: str
) -> None:
    asker.at.start_worker()
    # The ones end while the database is away, the others afterwards.
    asked = [asker.ask(f"[[slow {seconds}]] one two three four", person=f"{n}") for n, seconds in enumerate("3399")]
    for turn_id in asked:
        asker.wait_for_text(turn_id)
    leases = [asker.turn(turn_id).lease_until or utc_now() for turn_id in asked]
    with refusing(postgres_server, postgresql_url):
        # Later than the last heartbeat could have moved them.
        over = max(leases) + 2 * (max(leases) - utc_now())
        until(lambda: utc_now() > over, "all leases run out")

    turns = asker.wait(asked)

    assert [(turn.state, turn.attempt, turn.failures) for turn in turns] == [(TurnState.ANSWERED, 1, 0)] * 4
    assert all(len(asker.deliveries(turn.id)) == 1 for turn in turns)
    assert "lease_expired" not in (asker.at.folder / "worker-0.log").read_text()
