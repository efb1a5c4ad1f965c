"""The batching stepper and its engine among many: whose turn it is, each one's own sampling, what is counted."""

import itertools
from typing import Any

import pytest

from core.errors import InferenceError
from core.inference.engine import TransformersEngine
from core.inference.fairness import PATIENCE
from core.inference.port import EngineStats, Message, Request, Sampling, Started
from core.inference.stepper import Admitted
from core.values import FinishReason
from tests.integration.inference.conftest import EngineOf, noise
from tests.integration.inference.steppers import batch_stepper
from tests.integration.inference.test_batch import answer, cached, finish, own, sequence
from tests.unit.inference.asking import asked, collect, end_of, said

QUESTION = [Message("user", "How many are there?")]
LONG = [Message("user", "What is in this picture? " * 40)]
SHOWN = [Message("user", "What is in this picture?", (noise(84, 56),))]


@pytest.fixture
def engine(engine_of: EngineOf) -> TransformersEngine:
    return engine_of("qwen2_vl")


def test_one_question_does_not_wait_for_another_persons_many(engine: TransformersEngine) -> None:
    stepper = batch_stepper(engine._loaded, most_rows=2)
    many = [sequence(engine, QUESTION, limit=4, person="many") for _ in range(12)]
    one = sequence(engine, QUESTION, limit=4, person="one")
    for each in many:
        stepper.add(each)
    list(stepper.step())
    told = answer(stepper, one)
    assert isinstance(told[one], Admitted)
    assert sum(bool(each.computed) for each in many) <= 4
    for each in many:
        stepper.remove(each)


def test_a_long_prompt_is_read_while_short_ones_keep_coming(engine: TransformersEngine) -> None:
    stepper = batch_stepper(engine._loaded, tokens=2**15, chunk_tokens=16)
    long = sequence(engine, LONG, person="long")
    stepper.add(long)
    steps = 0
    while not long.computed:
        # As much as can be read in a step.
        short = sequence(engine, QUESTION, limit=1, person=f"short {steps}")
        stepper.add(short)
        for one, outcome in stepper.step():
            if one.limit == 1 and isinstance(outcome, int):
                stepper.remove(one)
        steps += 1
        assert steps <= long.prompt.tokens / 4 + 2
    assert steps > long.prompt.tokens / 16
    finish(stepper, long)
    assert own(engine, LONG, long.computed)


def test_a_long_sequence_gets_its_room_while_short_ones_keep_coming(engine: TransformersEngine) -> None:
    # Room for four short sequences or one long.
    stepper = batch_stepper(engine._loaded, tokens=1024)
    shorts = [sequence(engine, QUESTION, limit=3, person=f"short {n}") for n in range(3 * PATIENCE)]
    long = sequence(engine, LONG, limit=800, person="long")
    for one in shorts[:4]:
        stepper.add(one)
    list(stepper.step())
    stepper.add(long)
    coming, admitted = iter(shorts[4:]), 0
    while not long.computed:
        for one in itertools.islice(coming, 2):
            stepper.add(one)
        for one, outcome in stepper.step():
            admitted += isinstance(outcome, Admitted)
            if one is not long and len(one.computed) >= one.limit:
                stepper.remove(one)
    # The long one itself is among them.
    assert admitted <= PATIENCE + 1
    stepper.remove(long)


def test_each_has_its_own_sampling_whoever_is_beside(engine: TransformersEngine) -> None:
    chosen: list[dict[str, Any]] = [
        {},
        {"temperature": 1.5, "seed": 1},
        {"temperature": 1.5, "seed": 2},
        {"temperature": 1.5, "seed": 1, "top_k": 1},
        {"temperature": 1.5, "seed": 1, "top_p": 1e-9},
        {"repetition_penalty": 50.0},
        {"temperature": 0.9, "top_k": 20, "top_p": 0.8, "repetition_penalty": 1.2, "seed": 7},
    ]
    beside = [sequence(engine, QUESTION, **sampling) for sampling in chosen]
    stepper = batch_stepper(engine._loaded)
    answer(stepper, *beside)
    alone = [sequence(engine, QUESTION, **sampling) for sampling in chosen]
    for one in alone:
        answer(stepper, one)
    assert [one.computed for one in beside] == [one.computed for one in alone]
    greedy, first, second, one_only, nucleus, unrepeated, _ = (one.computed for one in beside)
    assert greedy == one_only == nucleus
    assert greedy != first != second
    prompt = set(beside[0].prompt.ids[0].tolist())
    assert len(set(unrepeated)) == len(unrepeated)
    assert not prompt & set(unrepeated)


def test_sampling_that_cannot_be_fails_alone(engine: TransformersEngine) -> None:
    stepper = batch_stepper(engine._loaded)
    bad, good = sequence(engine, QUESTION, temperature=1.0, seed=2**80), sequence(engine, QUESTION)
    told = answer(stepper, bad, good)
    assert isinstance(told[bad], InferenceError)
    assert own(engine, QUESTION, good.computed)
    assert stepper.stats().running == stepper.stats().waiting == 0


def test_a_stop_string_in_what_the_model_says(engine: TransformersEngine) -> None:
    sampling = Sampling(max_new_tokens=24, temperature=1.0, seed=5)
    whole = said(collect(engine, asked("How many are there?", sampling=sampling)))
    middle = whole[len(whole) // 2 :][:2]
    assert middle.strip()
    stopping = Sampling(max_new_tokens=24, temperature=1.0, seed=5, stop=("never said", middle))
    events = collect(engine, asked("How many are there?", sampling=stopping))
    assert said(events) == whole[: whole.index(middle)].rstrip()
    assert end_of(events).reason is FinishReason.STOP
    assert end_of(events).completion_tokens <= 24


def test_an_engine_counts_what_it_does(engine_of: EngineOf) -> None:
    loaded = engine_of("qwen2_vl")._loaded
    engine = TransformersEngine(loaded, batch_stepper(loaded, prefix_bytes=2**20, picture_bytes=2**16))
    try:
        assert engine.stats() == EngineStats(kv_slots=16, kv_slot_tokens=256, picture_budget=2**16, prefix_budget=2**20)
        begun = []
        for number in range(3):
            request = Request(str(number), tuple(SHOWN), Sampling(max_new_tokens=5), False, "tenant", "conversation")
            begun += [event for event in collect(engine, request) if isinstance(event, Started)]
    finally:
        engine.close()
    stats = engine.stats()
    prompts, known = (sum(counts) for counts in zip(*((s.prompt_tokens, s.cached_tokens) for s in begun), strict=True))
    assert [started.cached_tokens for started in begun] == [0, prompts // 3 - 1, prompts // 3 - 1]
    assert (stats.waiting, stats.running) == (0, 0)
    assert (stats.prompt_tokens, stats.cached_tokens, stats.completion_tokens) == (prompts, known, 15)
    assert stats.steps == 15
    assert (stats.prefix_asked, stats.prefix_reused) == (prompts, known)
    assert (stats.prefix_hits, stats.prefix_misses) == (2, 1)
    assert (stats.picture_hits, stats.picture_misses) == (0, 1)
    assert 0 < stats.picture_bytes <= stats.picture_budget
    assert 0 < stats.prefix_bytes <= stats.prefix_budget


def test_a_follow_up_knows_what_came_before(engine: TransformersEngine) -> None:
    stepper = batch_stepper(engine._loaded)
    first, second = sequence(engine, QUESTION, "conversation"), sequence(engine, QUESTION, "conversation", person="b")
    answer(stepper, first)
    assert cached(answer(stepper, second)[second]) == first.prompt.tokens - 1
