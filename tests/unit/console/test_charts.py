"""Charts: axes that people can read, gaps, one point, nothing at all, and what stands beside the drawing."""

import re
from itertools import pairwise

import pytest
from jinja2 import Environment
from markupsafe import Markup

from admin.charts.plot import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Chart, Series, bars, lines, share
from admin.charts.scale import short_count, short_time, ticks, time_ticks
from admin.pages import Pages

NAMES = [f"Nov {day}" for day in range(1, 31)]


def drawn(chart: Chart) -> str:
    environment: Environment = Pages()._templates
    macro = environment.get_template("charts.html").module.chart  # type: ignore[attr-defined]
    return str(Markup(macro(chart)))


def points(d: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", d)]


@pytest.mark.parametrize("top", [0.0, 0.004, 0.3, 1, 2, 3, 7, 10, 11, 99, 101, 1234, 999_999, 12_345_678])
def test_ticks_hold_the_highest_value_in_few_even_steps(top: float) -> None:
    for levels in (ticks(top), ticks(top, whole=True), time_ticks(top)):
        assert levels[0] == 0
        assert levels[-1] >= top
        assert 2 <= len(levels) <= 7
        steps = {round(b - a, 6) for a, b in pairwise(levels)}
        assert len(steps) == 1
        # No more than twice what is needed.
        assert levels[-1] <= max(2 * top, 1.0)
    assert all(level == int(level) for level in ticks(top, whole=True))


def test_long_durations_are_in_whole_minutes_and_hours() -> None:
    assert [short_time(level) for level in time_ticks(550)] == ["0", "2 min", "4 min", "6 min", "8 min", "10 min"]
    assert [short_time(level) for level in time_ticks(3 * 3600)][:2] == ["0", "1 h"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (7, "7"),
        (999, "999"),
        (1000, "1k"),
        (1250, "1.25k"),
        (999_400, "999k"),
        (999_900, "1M"),
        (2.5, "2.5"),
        (3e9, "3G"),
    ],
)
def test_short_counts(value: float, text: str) -> None:
    assert short_count(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0"), (0.02, "20 ms"), (0.5, "0.5 s"), (119, "119 s"), (150, "2.5 min"), (7200, "2 h"), (2e5, "2.31 d")],
)
def test_short_times(seconds: float, text: str) -> None:
    assert short_time(seconds) == text


def test_bars_stand_on_each_other_and_within_the_plot() -> None:
    chart = bars("q", "Questions", NAMES[:3], [Series("answered", "s1", [3, 0, 1]), Series("failed", "s3", [1, 2, 0])])
    low, high = (re.findall(r"M([\d.]+) ([\d.]+)V([\d.]+)h([\d.]+)", path.d) for path in chart.paths)
    # Nothing is drawn where there is nothing.
    assert (len(low), len(high)) == (2, 2)
    assert low[0][2] == high[0][1], "the second begins where the first ends"
    for x, bottom, top, width in (*low, *high):
        assert LEFT <= float(x) <= float(x) + float(width) <= WIDTH - RIGHT
        assert TOP <= float(top) < float(bottom) <= HEIGHT - BOTTOM
    assert chart.levels[-1].text == "4"
    assert chart.rows[1] == ["Nov 2", "0", "2"]
    assert chart.columns[0].text == "Nov 1: answered 3, failed 1"
    assert chart.description == "Nov 1 to Nov 3. answered: at most 3, Nov 1; failed: at most 2, Nov 2."


def test_a_line_has_gaps_and_a_lone_point_is_a_dot() -> None:
    chart = lines("t", "Whole", NAMES[:6], [Series("p50", "s1", [1.0, 2.0, None, 4.0, None, None])])
    (path,) = chart.paths
    assert re.sub(r"[^ML]", "", path.d) == "MLM"
    assert path.dots == [points(path.d)[2]]
    heights = [y for _, y in points(path.d)]
    assert heights[0] > heights[1] > heights[2]
    assert chart.rows[2] == ["Nov 3", "–"]


def test_one_data_point() -> None:
    chart = lines("t", "Whole", ["Nov 1"], [Series("p50", "s1", [2.0])])
    assert len(chart.paths[0].dots) == 1
    assert not chart.empty
    assert "<circle" in drawn(chart)


@pytest.mark.parametrize("names", [NAMES, []])
def test_nothing_at_all_says_so(names: list[str]) -> None:
    for chart in (
        lines("t", "Whole", names, [Series("p50", "s1", [None] * len(names))]),
        bars("q", "Questions", names, [Series("asked", "s1", [0] * len(names))]),
    ):
        assert chart.empty
        assert chart.paths == []
        assert "nothing in these days" in drawn(chart)
        assert "NaN" not in drawn(chart)


def test_names_below_the_axis_have_room() -> None:
    for count in (1, 4, 7, 30, 90, 92):
        chart = bars("q", "Questions", [f"Nov {n}" for n in range(count)], [Series("asked", "s1", [1] * count)])
        assert 1 <= len(chart.names) <= 5
        assert all(LEFT <= name.at <= WIDTH - RIGHT for name in chart.names)
        gaps = [b.at - a.at for a, b in pairwise(chart.names)]
        assert all(gap >= 50 for gap in gaps)


def test_what_is_drawn_is_escaped_and_said_in_words() -> None:
    evil = '"><script>alert(1)</script>'
    chart = bars(
        "q",
        evil,
        [evil, evil],
        [Series(evil, "s1", [1, 2]), Series("other", "s2", [1, 1])],
        beside=[(evil, [evil] * 2)],
    )
    html = drawn(chart)
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert 'role="img" aria-labelledby="q-t q-d"' in html
    assert html.count("<desc") == 1
    assert html.count("<title>") == 2
    assert html.count('<th scope="row">') == 2
    assert "style=" not in html


def test_shares() -> None:
    assert (share(1, 4), share(0, 3), share(0, 0)) == ("25 %", "0 %", "–")
