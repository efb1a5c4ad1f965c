"""A worker that is asked to stop keeps no turn, whatever it was doing in that moment."""

from collections.abc import Callable
from pathlib import Path

from core.inference.scripted import Script, ScriptedEngine
from core.store.database import Store
from core.values import TurnState
from tests.integration.worker.workbench import Workbench, workbench
from worker.held import HeldTurn, HeldTurns


class LookedAt(HeldTurns):
    """Its worker winds down in the moment between the claim and the entry here: nothing is held, as it seems."""

    def __init__(self, cancel_request: Callable[[str], object]) -> None:
        super().__init__(cancel_request)
        self.bench: Workbench | None = None

    def add(self, turn_id: str, attempt: int) -> HeldTurn:
        assert self.bench is not None
        self.bench.answerer.refuse_new()
        assert self.wait_until_empty(0)
        return super().add(turn_id, attempt)


def test_a_turn_claimed_while_winding_down_is_given_back_at_once(store: Store, tmp_path: Path) -> None:
    register: list[LookedAt] = []

    def looked_at(cancel_request: Callable[[str], object]) -> HeldTurns:
        register.append(LookedAt(cancel_request))
        return register[0]

    with workbench(store, ScriptedEngine(lambda _: Script("x", then="hang")), tmp_path, looked_at) as bench:
        register[0].bench = bench
        turn = bench.answered()

    assert (turn.state, turn.attempt, turn.failures, turn.lease_owner) == (TurnState.READY, 1, 0, "")
    assert register[0].wait_until_empty(0)


def test_a_message_that_comes_while_winding_down_is_left_to_others(store: Store, tmp_path: Path) -> None:
    with workbench(store, ScriptedEngine(lambda _: Script("x")), tmp_path) as bench:
        turn_id = bench.ask()
        with store.write() as repositories:
            turn = bench.turn(turn_id)
            repositories.turns.mark_dispatched([turn_id], turn.created_at, turn.created_at)
        bench.answerer.refuse_new()
        bench.answerer.answer(turn_id)
        turn = bench.turn(turn_id)

    assert (turn.state, turn.attempt, turn.dispatch_again_at) == (TurnState.READY, 0, None)
