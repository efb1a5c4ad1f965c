"""How memory for caches is divided."""

import pytest
import torch

from core.inference.memory import MIB, cache_budget, free_bytes

CPU = torch.device("cpu")


@pytest.mark.parametrize(("part", "megabytes"), [(1.0, 100), (0.75, 75), (0.25, 25)])
def test_models_that_share_it_get_their_parts_of_what_was_set(part: float, megabytes: int) -> None:
    budget = cache_budget(CPU, 100, 0, part)

    assert budget.slot_bytes + budget.prefix_bytes + budget.picture_bytes == megabytes * MIB
    assert budget.slot_bytes > budget.prefix_bytes > budget.picture_bytes > 0


def test_without_a_setting_two_models_together_take_no_more_than_one() -> None:
    free = free_bytes(CPU)

    both = [cache_budget(CPU, 0, 0, part).slot_bytes for part in (0.7, 0.3)]

    # Other processes come and go meanwhile.
    assert sum(both) < free / 4
