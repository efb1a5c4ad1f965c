"""Warming up: an engine's own questions, and that nobody waits for them."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from core.inference.engine import TransformersEngine
from core.inference.port import Sampling
from core.inference.stepper import Sequence
from core.inference.warm_up import warm_up_requests
from core.values import FinishReason
from tests.integration.inference.conftest import EngineOf
from tests.integration.inference.steppers import PlayedStepper
from tests.unit.inference.asking import asked, collect, end_of, gather

PATIENCE_S = 30


@pytest.fixture
def engine(engine_of: EngineOf) -> TransformersEngine:
    return engine_of("glm4v")


@contextmanager
def warming(
    engine: TransformersEngine, play: Callable[[Sequence, int], int]
) -> Iterator[tuple[TransformersEngine, PlayedStepper]]:
    """A new engine with the real model's prompts that warms up."""
    stepper = PlayedStepper(play)
    made = TransformersEngine(engine._loaded, stepper)
    try:
        made.warm_up()
        yield made, stepper
    finally:
        made.close()


def test_it_asks_itself_with_and_without_a_picture(engine: TransformersEngine) -> None:
    asked_: dict[Sequence, int] = {}
    both = threading.Event()

    def play(sequence: Sequence, number: int) -> int:
        asked_[sequence] = number + 1
        if list(asked_.values()) == [2, 2]:
            both.set()
        return 65

    with warming(engine, play) as (_, stepper):
        assert both.wait(PATIENCE_S)
        assert stepper.emptied.wait(PATIENCE_S)
        assert sorted(len(sequence.prompt.pictures) for sequence in asked_) == [0, 1]
        # Nothing of it is kept for others.
        assert {(sequence.tenant, sequence.scope) for sequence in asked_} == {("", "")}


def test_its_own_questions_make_way(engine: TransformersEngine) -> None:
    first, go_on = threading.Event(), threading.Event()
    own: list[Sequence] = []

    def play(sequence: Sequence, _number: int) -> int:
        if sequence.sampling.seed is None and not go_on.is_set():
            own.append(sequence)
            first.set()
            assert go_on.wait(PATIENCE_S)
        return 65

    with warming(engine, play) as (made, _):
        assert first.wait(PATIENCE_S)

        async def run() -> None:
            stream = made.submit(asked("What?", sampling=Sampling(max_new_tokens=3, seed=1)))
            go_on.set()
            assert end_of(await gather(stream)).reason is FinishReason.LENGTH

        asyncio.run(run())
        # The step at hand was its last.
        assert [len(sequence.computed) for sequence in own] == [1]


def test_it_can_be_closed_in_the_middle(engine: TransformersEngine) -> None:
    first, go_on = threading.Event(), threading.Event()

    def play(_sequence: Sequence, _number: int) -> int:
        first.set()
        assert go_on.wait(PATIENCE_S)
        return 65

    with warming(engine, play) as (made, stepper):
        assert first.wait(PATIENCE_S)
        closing = threading.Thread(target=made.close)
        closing.start()
        go_on.set()
        closing.join(PATIENCE_S)
        assert not closing.is_alive()
        assert stepper.held == []


@pytest.mark.parametrize("family", ["glm4v", "smolvlm", "glm4_moe_lite", "gemma3"])
def test_a_real_model_can_answer_its_own_questions(engine_of: EngineOf, family: str) -> None:
    made = engine_of(family)
    requests = warm_up_requests(sees=family != "glm4_moe_lite")
    assert len(requests) == (1 if family == "glm4_moe_lite" else 2)
    for request in requests:
        # Under another name than those of the engine's own warm-up, which may be under way.
        events = collect(made, replace(request, id=f"{request.id}-again"))
        assert end_of(events).reason in (FinishReason.STOP, FinishReason.LENGTH)
