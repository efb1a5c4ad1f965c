"""Which GPUs hold a model, and how much each of them: arithmetic, for there are none here."""

import pytest

from core.inference.placement import few_that_hold, tokens_that_fit, weight_limits

GIB = 2**30


@pytest.mark.parametrize(
    ("need", "free", "held"),
    [
        (10, [24, 24], (0,)),
        (10, [8, 24], (1,)),
        (10, [24, 8], (0,)),
        (30, [24, 24], (0, 1)),
        (30, [8, 24, 16], (1, 2)),
        (45, [8, 24, 16], (0, 1, 2)),
        (50, [8, 24, 16], None),
        (1, [], None),
        # Not all that is free can be used.
        (24, [24], None),
    ],
)
def test_as_few_gpus_as_hold_it(need: int, free: list[int], held: tuple[int, ...] | None) -> None:
    assert few_that_hold(need * GIB, [gib * GIB for gib in free]) == held


def test_each_gpu_takes_its_share_and_keeps_room() -> None:
    limits = weight_limits(40 * GIB, {0: 24 * GIB, 3: 48 * GIB})
    assert sum(limits.values()) > 40 * GIB
    assert limits[0] < limits[3] < 48 * GIB
    # What is left is in proportion too: each layer's keys and values lie beside it.
    assert 24 * GIB - limits[0] > 6 * GIB
    assert 48 * GIB - limits[3] > 12 * GIB


def test_a_gpu_is_never_filled_up() -> None:
    assert weight_limits(100 * GIB, {0: 24 * GIB, 1: 24 * GIB}) == {0: int(24 * GIB * 0.95), 1: int(24 * GIB * 0.95)}


def test_the_fullest_device_says_how_many_tokens_fit() -> None:
    assert tokens_that_fit({"a": 10, "b": 20}, {"a": 1000, "b": 1000}) == 50
    assert tokens_that_fit({"a": 10}, {"a": 1000, "b": 0}) == 100
