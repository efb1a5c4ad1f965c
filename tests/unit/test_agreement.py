"""How far judges agree, against figures that others have published."""

from itertools import product

import pytest

from core.agreement import Agreement, agreement, disagree


def by_two(yes_yes: int, yes_no: int, no_yes: int, no_no: int) -> list[dict[str, bool]]:
    """Things that two have judged, from the four cells of their table."""
    cells = [((True, True), yes_yes), ((True, False), yes_no), ((False, True), no_yes), ((False, False), no_no)]
    return [{"a": a, "b": b} for (a, b), count in cells for _ in range(count)]


def test_nothing_that_two_have_judged_is_no_agreement() -> None:
    assert agreement([]) is None
    assert agreement([{}, {"a": "good"}, {"b": "bad"}]) is None


def test_cohens_kappa_of_two() -> None:
    # The example of the English Wikipedia's article on Cohen's kappa: 35 of 50, kappa 0.4.
    told = agreement(by_two(20, 5, 10, 15))
    assert told is not None
    assert (told.things, told.judges, told.method) == (50, 2, "Cohen")
    assert told.share == pytest.approx(0.7)
    assert told.kappa == pytest.approx(0.4)


@pytest.mark.parametrize(("cells", "kappa"), [((45, 15, 25, 15), 0.1304), ((25, 35, 5, 35), 0.2593)])
def test_the_same_share_with_another_chance(cells: tuple[int, int, int, int], kappa: float) -> None:
    # From the same article: both agree on 60 of 100.
    told = agreement(by_two(*cells))
    assert told is not None
    assert told.share == pytest.approx(0.6)
    assert told.kappa == pytest.approx(kappa, abs=5e-5)


def test_fleiss_kappa_of_many() -> None:
    # The table of the English Wikipedia's article on Fleiss' kappa: ten things, fourteen judges, kappa 0.210.
    table = [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]  # fmt: skip
    things = []
    for row in table:
        said = [category for category, count in enumerate(row) for _ in range(count)]
        things.append({f"judge {n}": category for n, category in enumerate(said)})
    told = agreement(things)
    assert told is not None
    assert (told.things, told.judges, told.method) == (10, 14, "Fleiss")
    assert told.share == pytest.approx(0.378, abs=5e-4)
    assert told.kappa == pytest.approx(0.210, abs=5e-4)


def test_different_pairs_of_judges() -> None:
    told = agreement([{"a": 1, "b": 1}, {"b": 2, "c": 2}, {"a": 1, "c": 2, "d": 1}, {"d": 1}])
    assert told is not None
    assert (told.things, told.judges, told.method) == (3, 4, "Fleiss")
    assert told.share == pytest.approx((1 + 1 + 1 / 3) / 3)
    assert told.kappa is not None
    assert told.kappa < told.share


def test_where_all_always_say_the_same_chance_explains_it() -> None:
    assert agreement(by_two(9, 0, 0, 0)) == Agreement(9, 2, 1.0, None, "Cohen")


def test_full_agreement_and_full_disagreement() -> None:
    full, none = agreement(by_two(5, 0, 0, 5)), agreement(by_two(0, 5, 5, 0))
    assert full is not None
    assert none is not None
    assert (full.share, full.kappa) == (1.0, 1.0)
    assert (none.share, none.kappa) == (0.0, -1.0)


def test_kappa_is_never_more_than_one() -> None:
    for a, b, c, d in product((0, 1, 4), repeat=4):
        told = agreement(by_two(a, b, c, d))
        assert told is None or told.kappa is None or -1 <= told.kappa <= 1


def test_who_disagrees() -> None:
    assert disagree({"a": "good", "b": "bad"})
    assert not disagree({"a": "good", "b": "good"})
    assert not disagree({})
