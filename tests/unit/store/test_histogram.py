"""Percentiles of a histogram against those of the durations themselves."""

import random
import statistics

import pytest

from core.store.numbers.histogram import ERROR, GROWTH, SMALLEST_S, Histogram, bin_of, exact_percentile

PARTS = (0.0, 0.01, 0.5, 0.9, 0.95, 0.99, 1.0)


def filled(durations: list[float]) -> Histogram:
    histogram = Histogram()
    for seconds in durations:
        histogram.add(seconds)
    return histogram


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("size", [1, 2, 3, 20, 5000])
def test_a_percentile_is_as_near_to_the_exact_one_as_is_said(seed: int, size: int) -> None:
    dice = random.Random(seed)
    durations = sorted(max(SMALLEST_S, dice.lognormvariate(1.0, 1.5)) for _ in range(size))
    histogram = filled(durations)
    for part in PARTS:
        exact, found = exact_percentile(durations, part), histogram.percentile(part)
        assert exact is not None
        assert found is not None
        assert abs(found - exact) <= exact * ERROR * (1 + 1e-9), (part, exact, found)
    assert ERROR < 0.044


def test_the_exact_percentile_is_that_of_the_standard_library() -> None:
    durations = [float(n) for n in range(1, 1001)]
    assert exact_percentile(durations, 0.5) == statistics.median_low(durations)
    # 19 of 20 do not exceed it.
    assert exact_percentile(durations, 0.95) == 950.0
    assert exact_percentile([], 0.5) is None


def test_the_ends_of_bins_belong_to_the_lower_one() -> None:
    assert [bin_of(SMALLEST_S * GROWTH**n) for n in (0, 1, 2, 100)] == [0, 1, 2, 100]
    assert bin_of(SMALLEST_S * GROWTH**7 * 1.001) == 8


def test_what_no_bin_is_for_counts_at_the_ends() -> None:
    assert bin_of(0.0) == bin_of(1e-9) == 0
    assert bin_of(1e12) == bin_of(40 * 86_400)
    assert filled([0.0]).percentile(0.5) == SMALLEST_S


def test_added_up_they_are_as_if_counted_together() -> None:
    first, second = filled([0.1, 2.0, 2.0]), filled([2.0, 30.0])
    first.merge(second)
    assert first.counts == filled([0.1, 2.0, 2.0, 2.0, 30.0]).counts
    assert Histogram.read(first.stored()).counts == first.counts
    assert Histogram().percentile(0.95) is None
