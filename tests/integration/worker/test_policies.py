"""What admins decide reaches the model, and turns reach the model that was decided."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.conversation.inbound import InboundQuestion
from core.conversation.personas import PERSONAS
from core.inference.scripted import Script
from core.policy.watch import PolicyWatch
from core.queue.connect import connect
from core.queue.embedded import EmbeddedRedis
from core.queue.fleet import Fleet
from core.queue.presence import WorkerPresence, announce_presence
from core.store.database import Store
from core.values import Platform, TurnState, new_id
from tests.asking import Asker
from tests.deciding import decide
from tests.integration.worker.test_personas import ask_at
from tests.integration.worker.workbench import OWNER, workbench
from tests.processes import installation, until
from tests.unit.inference.eyes_pair import Played


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedRedis]:
    # Not under pytest's folder: a path to a Unix socket must stay short.
    with tempfile.TemporaryDirectory(prefix="glimt-redis-") as folder:
        with EmbeddedRedis(Path(folder) / "redis.sock", Path(folder)) as made:
            yield made


SHOP = {"name": "shop", "system_prompt": "You sell.", "temperature": 1.0, "max_new_tokens": 40, "thinking": True}


@pytest.mark.parametrize(
    ("workspace", "chosen", "told", "temperature", "tokens", "thinks"),
    [
        (
            {"personas": [SHOP], "persona": "shop", "languages": ["zh"]},
            "",
            "You sell.\n\nAlways answer in Chinese",
            1.0,
            40,
            True,
        ),
        ({"personas": [SHOP]}, "shop", "You sell.", 1.0, 40, True),
        (
            {"personas": [SHOP], "hidden": ["shop"], "temperature": 0.4},
            "shop",
            "What the settings say.",
            0.4,
            512,
            False,
        ),
        ({"temperature": 0.4, "max_new_tokens": 9}, "tutor", PERSONAS["tutor"].system, 0.2, 9, False),
        ({"system_prompt": "For this workspace."}, "", "For this workspace.", 0.7, 512, False),
    ],
)
def test_what_is_decided_reaches_the_model(
    sqlite_store: Store,
    tmp_path: Path,
    workspace: dict[str, Any],
    chosen: str,
    told: str,
    temperature: float,
    tokens: int,
    thinks: bool,
) -> None:
    model = Played("mind", lambda _: Script("Hm."))
    watch = PolicyWatch(sqlite_store)
    decide(sqlite_store, Platform.SLACK, "team", **workspace)
    watch.look()
    said = "What the settings say."
    with workbench(sqlite_store, model.engine, tmp_path, policies=watch, system_prompt=said, temperature=0.7) as bench:
        bench.answerer.answer(ask_at(bench, chosen))
    (request,) = model.requests
    assert request.messages[0].role == "system"
    assert request.messages[0].text.startswith(told)
    assert (request.sampling.temperature, request.sampling.max_new_tokens) == (temperature, tokens)
    assert request.reasoning is thinks


def decided(store: Store, **document: Any) -> PolicyWatch:
    decide(store, Platform.SLACK, "team", **document)
    watch = PolicyWatch(store)
    watch.look()
    return watch


def fleet_of(server: EmbeddedRedis, **models: str) -> Fleet:
    redis = connect(server.url)
    redis.flushdb()
    for owner, model in models.items():
        announce_presence(redis, WorkerPresence(owner, model, 2, 0))
    return Fleet(redis)


def test_a_turn_for_another_model_goes_back_while_somebody_runs_it(
    sqlite_store: Store, tmp_path: Path, server: EmbeddedRedis
) -> None:
    model = Played("mind", lambda _: Script("Hm."))
    watch, fleet = decided(sqlite_store, model="big"), fleet_of(server, other="big")
    with workbench(sqlite_store, model.engine, tmp_path, policies=watch, fleet=fleet) as bench:
        turn_id = ask_at(bench, "")
        bench.answerer.answer(turn_id)
        assert (bench.turn(turn_id).state, bench.turn(turn_id).failures) == (TurnState.READY, 0)
    assert model.requests == []


def test_while_nobody_runs_the_model_another_one_answers(
    sqlite_store: Store, tmp_path: Path, server: EmbeddedRedis
) -> None:
    model = Played("mind", lambda _: Script("Hm."))
    # What a note in Redis says of this worker itself leads nowhere: it would get the turn again and again.
    watch, fleet = decided(sqlite_store, model="big"), fleet_of(server, **{OWNER: "big"})
    with workbench(sqlite_store, model.engine, tmp_path, policies=watch, fleet=fleet) as bench:
        turn_id = ask_at(bench, "")
        bench.answerer.answer(turn_id)
        turn = bench.turn(turn_id)
    assert (turn.state, turn.answer, turn.model) == (TurnState.ANSWERED, "Hm.", "mind")


def test_where_no_other_may_answer_the_question_fails_and_says_why(
    sqlite_store: Store, tmp_path: Path, server: EmbeddedRedis
) -> None:
    model = Played("mind", lambda _: Script("Hm."))
    watch, fleet = decided(sqlite_store, model="big", model_required=True), fleet_of(server)
    with workbench(sqlite_store, model.engine, tmp_path, policies=watch, fleet=fleet, max_failures=1) as bench:
        turn_id = ask_at(bench, "")
        bench.answerer.answer(turn_id)
        turn = bench.turn(turn_id)
    assert (turn.state, turn.error_code) == (TurnState.FAILED, "model_not_running")
    assert "is not running" in turn.error_message
    assert model.requests == []


def test_of_two_workers_the_one_with_the_model_answers(tmp_path: Path) -> None:
    small, big = "scripted:echo?tokens=2", "scripted:echo?tokens=3"
    with installation(tmp_path, GLIMT_SWEEP_S="0.2", GLIMT_MAX_FAILURES="30", GLIMT_RETRY_BASE_S="0.2") as made:
        decide(made.store, Platform.SLACK, "team", "C-BIG", model=big, model_required=True)
        decide(made.store, Platform.SLACK, "team", "C-SMALL", model=small)
        decide(made.store, Platform.SLACK, "team", "C-NONE", model="of nobody")
        asker = Asker(made)

        def ask(place: str, n: int) -> str:
            return asker.intake.accept(
                InboundQuestion(Platform.SLACK, "team", f"U{n}", new_id(), f"Question {n}", place=place)
            ).turn_id

        made.start_worker(GLIMT_MODEL=small)
        # The big one is not there yet: its question is not answered by the other, and waits.
        early = ask("C-BIG", 99)
        until(lambda: asker.turn(early).failures, "it was tried")
        made.start_worker(GLIMT_MODEL=big)
        turns = {
            turn_id: place for n in range(9) for place in ("C-BIG", "C-SMALL", "C-NONE") for turn_id in [ask(place, n)]
        }
        ended = asker.wait([early, *turns])

    assert {turn.state for turn in ended} == {TurnState.ANSWERED}
    by_place = {place: {t.model for t in ended if turns.get(t.id, "C-BIG") == place} for place in set(turns.values())}
    assert by_place["C-BIG"] == {big}
    assert by_place["C-SMALL"] == {small}
    assert by_place["C-NONE"] <= {small, big}
