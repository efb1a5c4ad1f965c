"""Recorded steps, as far as a machine without a GPU can tell: "recording" is computing again on the same memory."""

from collections.abc import Callable

import pytest
import torch

from core.inference.engine import TransformersEngine
from core.inference.graphs import MOST_RECORDINGS, Bucket, DecodeGraphs, Decoding, bucket_of
from core.inference.ragged import Layout
from core.inference.slots import KvSlots, LayerShape
from tests.integration.inference.checkpoints import BATCHED
from tests.integration.inference.conftest import EngineOf
from tests.integration.inference.steppers import batch_stepper
from tests.integration.inference.test_batch import answer, sequence
from tests.integration.inference.test_families import conversations, generate

CPU = torch.device("cpu")


def again(step: Callable[[], None]) -> Callable[[], None]:
    return step


def small_slots(count: int, length: int = 256) -> KvSlots:
    slots = KvSlots([LayerShape(1, 4, 4)], count * length, torch.float32, CPU)
    slots.cut(length, 0)
    return slots


@pytest.mark.parametrize("family", BATCHED)
def test_recorded_steps_say_what_generate_says(engine_of: EngineOf, family: str) -> None:
    engine = engine_of(family)
    stepper = batch_stepper(engine._loaded, chunk_tokens=40, record=again)
    asked = {name: sequence(engine, messages) for name, messages in conversations(family).items()}
    answer(stepper, *asked.values())
    for name, messages in conversations(family).items():
        alone = generate(engine, messages)
        assert asked[name].computed[: len(alone)] == alone, name
    assert stepper.forward.graphs is not None
    assert stepper.forward.graphs.usable
    assert stepper.forward.graphs.played > 0


def test_rows_that_leave_and_join_change_no_token_of_the_others(engine_of: EngineOf) -> None:
    engine = engine_of("qwen2_vl")
    plain, recorded = batch_stepper(engine._loaded), batch_stepper(engine._loaded, chunk_tokens=16, record=again)
    told = []
    for stepper in (plain, recorded):
        limits = [3, 9, 20, 5, 12]
        talks = list(conversations("qwen2_vl").values())
        asked = [sequence(engine, talk, limit=limit) for talk, limit in zip(talks, limits, strict=True)]
        answer(stepper, *asked)
        told.append([one.computed for one in asked])
    assert told[0] == told[1]


def test_sampling_from_a_recorded_step_is_sampling(engine_of: EngineOf) -> None:
    engine = engine_of("qwen2_vl")
    told = []
    for record in (None, again):
        stepper = batch_stepper(engine._loaded, record=record)
        talks = list(conversations("qwen2_vl").values())
        asked = [sequence(engine, talk, temperature=0.8, seed=7) for talk in talks]
        answer(stepper, *asked)
        told.append([one.computed for one in asked])
    assert told[0] == told[1]


def stepper_with(engine: TransformersEngine, record: Callable[[Callable[[], None]], Callable[[], None]]) -> list[int]:
    stepper = batch_stepper(engine._loaded, record=record)
    asked = [sequence(engine, talk) for talk in conversations("qwen2_vl").values()]
    answer(stepper, *asked)
    assert stepper.forward.graphs is not None
    assert not stepper.forward.graphs.usable
    assert len(stepper.forward.graphs) == 0
    assert stepper.forward.graphs.played == 0
    return [token for one in asked for token in one.computed]


def test_a_recording_that_fails_or_lies_is_never_played_again(engine_of: EngineOf) -> None:
    engine = engine_of("qwen2_vl")

    def fails(step: Callable[[], None]) -> Callable[[], None]:
        raise RuntimeError("operation not permitted when stream is capturing")

    attempts = []

    def lies(step: Callable[[], None]) -> Callable[[], None]:
        attempts.append(step)
        graphs = step.__closure__

        def play() -> None:
            assert graphs is not None
            own = next(cell.cell_contents for cell in graphs if isinstance(cell.cell_contents, DecodeGraphs))
            own._logits.add_(own._logits.abs().max())

        return play

    plain = batch_stepper(engine._loaded)
    asked = [sequence(engine, talk) for talk in conversations("qwen2_vl").values()]
    answer(plain, *asked)
    expected = [token for one in asked for token in one.computed]
    assert stepper_with(engine, fails) == expected
    assert stepper_with(engine, lies) == expected
    assert len(attempts) == 1


def test_buckets_are_powers_of_two_within_the_slots() -> None:
    slots = small_slots(24, 1024)
    assert bucket_of(1, 1, slots, 64) == Bucket(1, 256, 1024)
    assert bucket_of(3, 256, slots, 64) == Bucket(4, 256, 1024)
    assert bucket_of(9, 257, slots, 64) == Bucket(16, 512, 1024)
    # Never more rows than slots, or than the stepper holds.
    assert bucket_of(17, 1024, slots, 64) == Bucket(24, 1024, 1024)
    assert bucket_of(9, 1, slots, 12) == Bucket(12, 256, 1024)
    assert bucket_of(25, 1, slots, 64) is None


def zeros(ids: torch.Tensor, positions: torch.Tensor, layout: Layout) -> torch.Tensor:
    return torch.zeros(len(ids), 8)


def test_only_so_many_recordings_are_kept() -> None:
    slots = small_slots(256)
    graphs = DecodeGraphs(zeros, slots, CPU, most_rows=256, dimensions=1, record=again)
    for tokens in (16, 8, 4, 2, 1, 32):
        slots.cut(256 * tokens, 0)
        for reach in range(6):
            for rows in (1, 2, 4, 8, 16):
                graphs([Decoding(0, min(256 * 2**reach, slots.length) - 1, 0)] * rows, [])
    assert len(graphs) == MOST_RECORDINGS


def test_what_pads_a_bucket_writes_where_nothing_is_yet() -> None:
    slots = small_slots(8)
    places: list[list[int]] = []

    def decode(ids: torch.Tensor, positions: torch.Tensor, layout: Layout) -> torch.Tensor:
        places.append(layout.places.tolist())
        return torch.zeros(len(ids), 8)

    graphs = DecodeGraphs(decode, slots, CPU, most_rows=8, dimensions=4, record=again)
    # Slots 5 and 6 belong to prompts of which 30 and 40 tokens are there; slot 7 is empty.
    assert graphs([Decoding(3, place, 2) for place in (9, 8, 7, 6, 5)], [30, 40]) is not None
    assert places[-1] == [9, 8, 7, 6, 5, 30, 40, 0]
