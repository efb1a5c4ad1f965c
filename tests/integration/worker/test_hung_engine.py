"""An engine that hangs keeps neither its deadline nor a stop: the worker leaves it alone and goes on."""

import asyncio
import threading
from pathlib import Path

import pytest

from core.errors import DeadlineExceeded, OutOfMemory
from core.inference.port import Delta, EngineStats, Events, Message, Request, Started
from core.inference.stream import EventStream, Mailbox
from core.queue.connect import connect
from core.queue.streams import TurnWriter
from core.store.database import Store
from core.values import TurnState
from tests.integration.worker.workbench import NOWHERE, workbench
from tests.processes import PATIENCE_S
from worker.draft import Draft
from worker.engine_run import run_engine
from worker.held import HeldTurn, HeldTurns, Stop
from worker.live import LiveView

# Long enough for the fake to say its word, short enough to wait for.
SOON_S = 0.05


class HungEngine:
    """Begins to answer, then neither goes on nor ends. `begun` is set when it was asked."""

    model_name = "hung"
    context_tokens = 4096

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.cancelled: list[str] = []

    def count_tokens(self, message: Message) -> int:
        return 1

    def submit(self, request: Request) -> Events:
        mailbox = Mailbox()
        mailbox.post(Started(3), Delta("One"))
        self.begun.set()
        return EventStream(mailbox, lambda: None)

    def cancel(self, request_id: str) -> bool:
        self.cancelled.append(request_id)
        return True

    def stats(self) -> EngineStats:
        return EngineStats()

    def close(self) -> None:
        pass


class FailingEngine(HungEngine):
    def submit(self, request: Request) -> Events:
        mailbox = Mailbox()
        mailbox.fail(OutOfMemory("while computing"))
        return EventStream(mailbox, lambda: None)


def run(engine: HungEngine, held: HeldTurn, *, deadline_s: float = PATIENCE_S, grace_s: float = SOON_S) -> Draft:
    draft = Draft("hung")
    request = Request(held.request_id, (Message("user", "?"),), deadline_s=deadline_s)

    async def attempt() -> None:
        with LiveView(TurnWriter(connect(NOWHERE), "turn", 1, 60), 0.0) as live:
            await run_engine(engine, request, draft, live, held, grace_s)

    with pytest.raises(DeadlineExceeded):
        asyncio.run(attempt())
    return draft


def test_the_deadline_is_kept_for_the_engine() -> None:
    held = HeldTurn("turn", 1)
    draft = run(HungEngine(), held, deadline_s=SOON_S)
    assert draft.text == "One"
    assert held.on_stop is None


def test_an_engine_that_does_not_stop_is_left_alone() -> None:
    engine = HungEngine()
    register = HeldTurns(engine.cancel)
    held = register.add("turn", 1)

    def stop() -> None:
        assert engine.begun.wait(PATIENCE_S)
        register.stop("turn", 1, Stop.CANCELLED)

    stopping = threading.Thread(target=stop)
    stopping.start()
    assert run(engine, held).text == "One"
    stopping.join()
    assert engine.cancelled == ["turn:1"]


def test_a_stop_that_came_before_the_engine_is_kept_too() -> None:
    engine = HungEngine()
    run(engine, HeldTurn("turn", 1, stop=Stop.GIVE_BACK))
    assert engine.cancelled == ["turn:1"]


def test_what_the_engine_raises_is_passed_on() -> None:
    request = Request("turn:1", (Message("user", "?"),))

    async def attempt() -> None:
        with LiveView(TurnWriter(connect(NOWHERE), "turn", 1, 60), 0.0) as live:
            await run_engine(FailingEngine(), request, Draft("hung"), live, HeldTurn("turn", 1))

    with pytest.raises(OutOfMemory):
        asyncio.run(attempt())


def test_a_turn_in_a_hung_engine_is_given_back(sqlite_store: Store, tmp_path: Path) -> None:
    engine = HungEngine()
    with workbench(sqlite_store, engine, tmp_path) as bench:
        turn_id = bench.ask()
        answering = threading.Thread(target=bench.answerer.answer, args=(turn_id,))
        answering.start()
        assert engine.begun.wait(PATIENCE_S)
        bench.held.stop_all(Stop.GIVE_BACK)
        answering.join(PATIENCE_S)

        turn = bench.turn(turn_id)

        assert (turn.state, turn.attempt, turn.failures, turn.lease_owner) == (TurnState.READY, 1, 0, "")
        assert bench.held.wait_until_empty(0)


def test_a_turn_in_a_hung_engine_fails_at_its_deadline(sqlite_store: Store, tmp_path: Path) -> None:
    with workbench(sqlite_store, HungEngine(), tmp_path, turn_deadline_s=SOON_S) as bench:
        turn = bench.answered()

    assert (turn.state, turn.error_code, turn.answer) == (TurnState.FAILED, "deadline_exceeded", "One")
