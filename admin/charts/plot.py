"""Where everything of a chart stands, in units of its view box; one unit is about a pixel on a phone."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from admin.charts.scale import Format, short_count, short_time, ticks, time_ticks

WIDTH, HEIGHT = 360, 190
LEFT, RIGHT, TOP, BOTTOM = 44, 8, 10, 24
PLOT_WIDTH, PLOT_HEIGHT = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
# Words under the axis.
MOST_NAMES = 5
WIDEST_BAR = 28.0

Kind = Literal["bars", "lines"]
Value = float | None


@dataclass(frozen=True, slots=True)
class Series:
    """Values over the same places of the axis, None where there is none. `style` is a class of numbers.css."""

    name: str
    style: str
    values: Sequence[Value]


@dataclass(frozen=True, slots=True)
class Path:
    """One series as it is drawn: `d` of an SVG path; `dots` are points that no line leads to."""

    style: str
    d: str
    dots: list[tuple[float, float]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Mark:
    """A word or number beside an axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Column:
    """The stretch over one place of the axis, which says its figures when it is pointed at."""

    x: float
    width: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart and its table: one row for each name, a text for each series and what stands beside them."""

    id: str
    title: str
    description: str
    series: list[Series]
    kind: Kind
    empty: bool
    paths: list[Path]
    levels: list[Mark]
    names: list[Mark]
    columns: list[Column]
    head: list[str]
    rows: list[list[str]]


def bars(
    id: str, title: str, names: Sequence[str], series: list[Series], *, beside: Sequence[tuple[str, list[str]]] = ()
) -> Chart:
    """Counts, one series upon the other. `beside` are further columns of the table."""
    sums = [sum(values) for values in zip(*([value or 0.0 for value in one.values] for one in series), strict=True)]
    top = max(sums, default=0.0)
    levels = ticks(top, whole=True)
    place = _Places(len(names))
    thick = min(WIDEST_BAR, place.width * 0.76)
    paths, floor = [], [0.0] * len(names)
    for one in series:
        parts = []
        for at, value in enumerate(one.values):
            if not value:
                continue
            low, high = _y(floor[at], levels[-1]), _y(floor[at] + value, levels[-1])
            floor[at] += value
            # What is there can be seen.
            high = min(high, low - 0.8)
            parts.append(f"M{place.middle(at) - thick / 2:.1f} {low:.1f}V{high:.1f}h{thick:.1f}V{low:.1f}z")
        paths.append(Path(one.style, "".join(parts)))
    return _chart(id, title, names, series, "bars", paths, levels, short_count, _exact_count, beside, empty=not top)


def lines(id: str, title: str, names: Sequence[str], series: list[Series]) -> Chart:
    """Durations in seconds, with gaps where nothing was measured."""
    top = max((value for one in series for value in one.values if value is not None), default=0.0)
    levels = time_ticks(top) if top else ticks(1.0)
    place = _Places(len(names))
    paths = []
    for one in series:
        parts, dots = [], []
        for at, value in enumerate(one.values):
            if value is None:
                continue
            x, y = round(place.middle(at), 1), round(_y(value, levels[-1]), 1)
            before = at > 0 and one.values[at - 1] is not None
            behind = at + 1 < len(names) and one.values[at + 1] is not None
            parts.append(f"{'L' if before else 'M'}{x} {y}")
            if not before and not behind:
                dots.append((x, y))
        paths.append(Path(one.style, "".join(parts), dots))
    nothing = not any(value is not None for one in series for value in one.values)
    return _chart(id, title, names, series, "lines", paths, levels, short_time, _exact_time, (), empty=nothing)


def share(part: float, whole: float) -> str:
    """As a percentage; a dash where there is nothing to have a share of."""
    return f"{100 * part / whole:.0f} %" if whole else "–"


class _Places:
    """Equal stretches of the axis."""

    def __init__(self, count: int) -> None:
        self.width = PLOT_WIDTH / max(1, count)

    def middle(self, at: int) -> float:
        return LEFT + (at + 0.5) * self.width


def _chart(
    id: str,
    title: str,
    names: Sequence[str],
    series: list[Series],
    kind: Kind,
    paths: list[Path],
    levels: list[float],
    short: Format,
    exact: Format,
    beside: Sequence[tuple[str, list[str]]],
    *,
    empty: bool,
) -> Chart:
    place = _Places(len(names))
    rows, columns = [], []
    for at, name in enumerate(names):
        values = [one.values[at] for one in series]
        texts = ["–" if value is None else exact(value) for value in values]
        rows.append([name, *texts, *(column[at] for _, column in beside)])
        figures = ", ".join(f"{one.name} {text}" for one, text in zip(series, texts, strict=True))
        columns.append(Column(round(LEFT + at * place.width, 1), round(place.width, 1), f"{name}: {figures}"))
    return Chart(
        id=id,
        title=title,
        description=_described(names, series, exact),
        series=series,
        kind=kind,
        empty=empty,
        paths=[path for path in paths if path.d],
        levels=[Mark(round(_y(level, levels[-1]), 1), short(level)) for level in levels],
        names=[Mark(round(place.middle(at), 1), names[at]) for at in _some(len(names))],
        columns=[] if empty else columns,
        head=["", *(one.name for one in series), *(name for name, _ in beside)],
        rows=rows,
    )


def _described(names: Sequence[str], series: list[Series], exact: Format) -> str:
    """The extent and the highest value of each series, in words."""
    if not names:
        return "Nothing to show."
    said = []
    for one in series:
        known = [(value, -at) for at, value in enumerate(one.values) if value is not None]
        if not known or max(known)[0] == 0:
            said.append(f"{one.name}: none")
            continue
        most, at = max(known)
        said.append(f"{one.name}: at most {exact(most)}, {names[-at]}")
    return f"{names[0]} to {names[-1]}. {'; '.join(said)}."


def _some(count: int) -> list[int]:
    """Evenly spaced places, whose names have room."""
    if count <= MOST_NAMES:
        return list(range(count))
    step = -(-count // MOST_NAMES)
    return list(range(step // 2, count, step))


def _y(value: float, top: float) -> float:
    return TOP + PLOT_HEIGHT * (1 - value / top)


def _exact_count(value: float) -> str:
    # A thin space between groups of digits, which no language takes for a decimal sign.
    return f"{value:,.0f}".replace(",", "\u202f")


def _exact_time(value: float) -> str:
    return short_time(value)
