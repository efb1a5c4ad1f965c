"""Memory: what a step takes stays free, and the rest is divided."""

import pytest
import torch
from structlog.testing import capture_logs

from core.inference.footprint import estimate, step_footprint, trials
from core.inference.memory import MIB, cache_budget, free_bytes, share_of
from core.inference.ragged import layer_shapes
from core.inference.slots import SHORTEST, KvSlots, LayerShape, slot_length
from tests.integration.inference.conftest import EngineOf

CPU = torch.device("cpu")
CUDA = torch.device("cuda")


@pytest.mark.parametrize("family", ["qwen2_vl", "glm4_moe_lite"])
def test_the_heaviest_steps_can_be_made(engine_of: EngineOf, family: str) -> None:
    loaded = engine_of(family)._loaded
    layers = layer_shapes(loaded.model, CPU)
    token_bytes = sum(layer.bytes(loaded.model.dtype) for layer in layers)
    taken = [trial() // token_bytes for trial in trials(loaded, layers, 3, 64, 100 * 100)]
    # A prompt as long as can be; three rows and a chunk in slots of their own; a picture, which takes none.
    assert taken == [slot_length(loaded.context_tokens + 1), 4 * SHORTEST] + [0] * (loaded.processor is not None)


def test_an_estimate_grows_with_what_is_computed(engine_of: EngineOf) -> None:
    loaded = engine_of("qwen2_vl")._loaded
    layers = layer_shapes(loaded.model, CPU)
    assert step_footprint(loaded, layers, 8, 512, 10**6) == estimate(loaded, 520, 8)
    assert 0 < estimate(loaded, 100, 8) < estimate(loaded, 200, 8) < estimate(loaded, 200, 16)


def test_a_step_is_left_its_room() -> None:
    assert share_of(CPU, 1000, 900) == 250
    assert share_of(CPU, 1000, 100) == 100
    assert share_of(CUDA, 1000, 600) == 540
    assert share_of(CUDA, 1000, 0) == 0


def test_a_step_that_takes_everything_leaves_nothing() -> None:
    budget = cache_budget(CPU, 0, step_bytes=2**60)
    assert (budget.slot_bytes, budget.prefix_bytes, budget.picture_bytes) == (0, 0, 0)


def test_who_sets_more_than_there_is_gets_it_and_a_warning() -> None:
    megabytes = 2 * free_bytes(CPU) // MIB
    with capture_logs() as logs:
        budget = cache_budget(CPU, megabytes, step_bytes=MIB)
    assert budget.slot_bytes + budget.prefix_bytes + budget.picture_bytes == megabytes * MIB
    assert [(entry["event"], entry["cache_mb"]) for entry in logs] == [("cache_leaves_no_room", megabytes)]
    with capture_logs() as logs:
        cache_budget(CPU, 1, step_bytes=MIB)
    assert logs == []


@pytest.mark.parametrize(("in_one", "in_other"), [(50, 90), (90, 50), (0, 70), (70, 0), (0, 0)])
def test_slots_that_change_places_change_what_is_in_them(in_one: int, in_other: int) -> None:
    alike = LayerShape(2, 4, 3)
    slots = KvSlots([alike, alike, LayerShape(1, 2, 2), alike], 1024, torch.float32, CPU)
    for tensor in (*slots.keys, *slots.values):
        tensor.copy_(torch.rand(tensor.shape))
    assert [keys.shape[-1] for keys in slots.keys] == [4, 4, 2, 4]
    one = [tensor[1, :, :in_one].clone() for tensor in (*slots.keys, *slots.values)]
    other = [tensor[3, :, :in_other].clone() for tensor in (*slots.keys, *slots.values)]
    untouched = [tensor[[0, 2]].clone() for tensor in (*slots.keys, *slots.values)]
    slots.swap(1, 3, in_one, in_other)
    for number, tensor in enumerate((*slots.keys, *slots.values)):
        assert torch.equal(tensor[3, :, :in_one], one[number])
        assert torch.equal(tensor[1, :, :in_other], other[number])
        assert torch.equal(tensor[[0, 2]], untouched[number])


def test_slots_that_are_cut_anew_keep_what_is_in_them() -> None:
    slots = KvSlots([LayerShape(2, 4, 3), LayerShape(1, 2, 2)], 2048, torch.float32, CPU)
    for slot in range(3):
        for tensor in (*slots.keys, *slots.values):
            tensor[slot] = torch.rand(tensor[slot].shape)
    before = [slots.save(slot, 200) for slot in range(3)]
    for length in (512, 256):
        slots.cut(length, 3)
        assert (slots.length, slots.count) == (length, 2048 // length)
        for slot, saved in enumerate(before):
            now = slots.save(slot, 200)
            assert all(torch.equal(one, other) for one, other in zip(now.parts, saved.parts, strict=True))
