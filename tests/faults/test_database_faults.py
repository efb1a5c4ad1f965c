"""PostgreSQL goes away and comes back, as when it is restarted. (An SQLite file cannot go away by itself.)"""

import json
import urllib.error
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.queue.follow import Text
from core.values import TurnState
from tests.asking import Asker, ended
from tests.fixtures_db import PostgresServer
from tests.processes import installation, post_json, until

pytestmark = pytest.mark.faults

LONG = "[[tokens 40]] [[pace 20]]"
LONG_ANSWER = " ".join(f"word{n}" for n in range(1, 41))


@dataclass
class Database:
    """One database of the server, which can be away."""

    server: PostgresServer
    name: str

    def go(self) -> None:
        self.server.refuse(self.name)

    def come_back(self) -> None:
        self.server.admit(self.name)


@pytest.fixture
def database(postgres_server: PostgresServer) -> Iterator[Database]:
    name = postgres_server.create()
    yield Database(postgres_server, name)
    postgres_server.drop(name)


@pytest.fixture
def asker(database: Database, tmp_path: Path) -> Iterator[Asker]:
    with installation(tmp_path, sql_url=database.server.url(database.name)) as made:
        yield Asker(made)


def test_an_answer_that_ends_while_the_database_is_away_is_kept_and_stored_once(
    asker: Asker, database: Database
) -> None:
    # A lease that outlives the fault: what happens to one that does not is the business of the worker's faults.
    asker.at.start_worker(GLIMT_LEASE_S="60")
    turn_id = asker.ask(LONG)
    asker.wait_for_text(turn_id)
    database.go()
    log = asker.at.folder / "worker-0.log"
    until(lambda: "answer_kept_in_hand" in log.read_text(), "the answer has ended and cannot be stored")
    database.come_back()

    (turn,) = asker.wait([turn_id])

    assert (turn.state, turn.answer, turn.attempt, turn.failures) == (TurnState.ANSWERED, LONG_ANSWER, 1, 0)
    assert len(asker.deliveries(turn_id)) == 1
    assert len(asker.usages(turn_id)) == 1
    events = asker.follow(turn_id)
    assert "".join(event.text for event in events if isinstance(event, Text)) == LONG_ANSWER == ended(events).answer
    (later,) = asker.wait([asker.ask("and later")])
    assert later.answer == "and later"


def test_a_request_while_the_database_is_away_is_refused_with_the_advice_to_try_again(
    asker: Asker, database: Database
) -> None:
    asker.at.start_worker()
    ask = f"{asker.at.start_bots()}/v1/chat/completions"
    body = {"model": "scripted:echo", "messages": [{"role": "user", "content": "Are you there?"}]}
    database.go()

    with pytest.raises(urllib.error.HTTPError) as refused:
        post_json(ask, body)

    assert refused.value.code == 503
    assert int(refused.value.headers["Retry-After"]) > 0
    assert "try again" in json.load(refused.value)["error"]["message"]
    database.come_back()
    answer = post_json(ask, body)
    assert isinstance(answer["choices"], list)
    assert answer["choices"][0]["message"]["content"] == "Are you there?"
