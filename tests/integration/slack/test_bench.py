"""`glimt bench slack`: what it says of a few messages."""

import pytest

from bench.slack import Outcome, measure


def test_a_few_messages_are_acknowledged_and_counted() -> None:
    told = measure(rate=10, seconds=1, mode="http")
    assert (told.mode, told.messages, told.lost, told.doubled) == ("http", 10, 0, 0)
    assert 0 < told.p50_ms <= told.p99_ms <= told.most_ms
    assert told.bots_cpu_ms > 0


@pytest.mark.parametrize("bad", ["late", "lost", "doubled"])
def test_whatever_is_amiss_is_no_good(bad: str) -> None:
    fine: dict[str, float] = {"late": 0, "lost": 0, "doubled": 0}
    values = {"mode": "http", "rate": 1.0, "p50_ms": 1.0, "p99_ms": 1.0, "most_ms": 1.0, "bots_cpu_ms": 1.0}
    made = Outcome(messages=1, answered=1, **values, **{**fine, bad: 1})  # type: ignore[arg-type]
    assert not made.good
    assert f"1 {'later than 3 s' if bad == 'late' else bad}" in str(made)
