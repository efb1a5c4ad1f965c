from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.inference.port import Sampling
from core.inference.sampling import Sampler, choose_all

NONE = torch.tensor([], dtype=torch.long)
LOGITS = torch.tensor([0.0, 3.0, 2.0, 1.0, -1.0])


def sampler(prompt: tuple[int, ...] = (), suppressed: torch.Tensor = NONE, **sampling: Any) -> Sampler:
    return Sampler(Sampling(**sampling), torch.tensor(prompt, dtype=torch.long), suppressed)


def drawn(times: int = 400, **kwargs: Any) -> set[int]:
    chooser = sampler(seed=1, **kwargs)
    return {chooser.choose(LOGITS) for _ in range(times)}


def test_greedy_takes_the_largest() -> None:
    assert sampler().choose(LOGITS) == 1
    assert sampler(top_k=1, top_p=0.1, seed=3).choose(LOGITS) == 1


def test_suppressed_tokens_never_come() -> None:
    assert sampler(suppressed=torch.tensor([1])).choose(LOGITS) == 2
    assert drawn(temperature=2.0, suppressed=torch.tensor([1, 2])) == {0, 3, 4}


def test_the_logits_are_left_as_they_are() -> None:
    before = LOGITS.clone()
    sampler(prompt=(1,), suppressed=torch.tensor([2]), repetition_penalty=2.0, temperature=1.0, top_k=2).choose(LOGITS)
    assert torch.equal(LOGITS, before)


def test_top_k() -> None:
    assert drawn(temperature=2.0, top_k=2) == {1, 2}


def test_top_p_keeps_the_smallest_set_that_reaches_it() -> None:
    chances = LOGITS.softmax(0)
    assert drawn(temperature=1.0, top_p=float(chances[1]) - 0.01) == {1}
    assert drawn(temperature=1.0, top_p=float(chances[1]) + 0.01) == {1, 2}
    assert drawn(temperature=1.0, top_p=1e-9) == {1}


def test_a_seed_repeats_itself_and_none_does_not() -> None:
    def series(seed: int | None) -> list[int]:
        chooser = sampler(temperature=2.0, seed=seed)
        return [chooser.choose(LOGITS) for _ in range(60)]

    assert series(5) == series(5)
    assert series(5) != series(6)
    assert series(None) != series(None)


def test_temperature_sharpens() -> None:
    def share(temperature: float) -> float:
        chooser = sampler(temperature=temperature, seed=0)
        return sum(chooser.choose(LOGITS) == 1 for _ in range(500)) / 500

    assert share(0.2) > share(1.0) > share(2.0)


def test_repetition_penalty_counts_prompt_and_answer() -> None:
    assert sampler(prompt=(1,), repetition_penalty=2.0).choose(LOGITS) == 2
    chooser = sampler(repetition_penalty=4.0)
    # Each is taken once; then the penalised ones compete again.
    assert [chooser.choose(LOGITS) for _ in range(3)] == [1, 2, 3]


def test_the_penalty_makes_negative_scores_more_negative() -> None:
    logits = torch.tensor([-1.0, -1.5])
    assert sampler(prompt=(0,), repetition_penalty=2.0).choose(logits) == 1


def test_rows_that_are_decided_together_are_what_they_are_alone() -> None:
    rows = torch.randn(8, 50, generator=torch.Generator().manual_seed(0))
    knobs: list[dict[str, Any]] = [
        {},
        {"temperature": 0.9, "seed": 1},
        {"temperature": 0.9, "seed": 2},
        {"temperature": 0.9, "seed": 1, "top_k": 5},
        {"temperature": 0.9, "seed": 1, "top_k": 5, "repetition_penalty": 3.0, "prompt": (7, 9)},
        {"repetition_penalty": 3.0, "prompt": (3,)},
        {"temperature": 1.5, "top_p": 0.6, "seed": 4},
        {},
    ]
    together, alone = [sampler(**one) for one in knobs], [sampler(**one) for one in knobs]
    for _ in range(20):
        expected = [one.choose(row) for one, row in zip(alone, rows, strict=True)]
        assert choose_all(together, rows) == expected


def test_draws_follow_the_chances() -> None:
    chances = LOGITS.softmax(0)
    chooser = sampler(temperature=1.0, seed=0)
    times = 4000
    counts = torch.bincount(torch.tensor([chooser.choose(LOGITS) for _ in range(times)]), minlength=5)
    # Four standard deviations.
    assert ((counts / times - chances).abs() <= 4 * (chances * (1 - chances) / times).sqrt()).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_logits(dtype: torch.dtype) -> None:
    assert sampler(temperature=0.01, seed=0).choose(LOGITS.to(dtype)) == 1


@given(
    st.lists(st.floats(-50, 50), min_size=2, max_size=20),
    st.floats(0.05, 2.0),
    st.floats(0.01, 1.0),
    st.integers(0, 25),
    st.integers(0, 2**31),
)
def test_something_allowed_always_comes(
    values: list[float], temperature: float, top_p: float, top_k: int, seed: int
) -> None:
    suppressed = torch.tensor([0])
    chooser = sampler(suppressed=suppressed, temperature=temperature, top_p=top_p, top_k=top_k, seed=seed)
    assert 0 < chooser.choose(torch.tensor(values)) < len(values)
