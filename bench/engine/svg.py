"""Plots as inline SVG, without a library: bars and lines, with axes, units and a legend. Colours are CSS variables."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 16, 46
BAR, GAP, LABEL = 20, 12, 165


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of `value`, from `least` to `most` over the rounds; `colour` is the number of a CSS variable."""

    label: str
    value: float
    colour: int
    least: float = 0.0
    most: float = 0.0


def bars(title: str, unit: str, rows: Sequence[Bar], *, marks: Mapping[str, float] | None = None) -> str:
    """Horizontal bars, and a dashed line for each of `marks`."""
    marks = marks or {}
    top = max([*(max(row.value, row.most) for row in rows), *marks.values(), 1e-9])
    ticks = _ticks(top)
    end = max(ticks[-1], top)
    width = WIDTH - LABEL - 60
    height = len(rows) * (BAR + GAP) + GAP
    scale = width / end
    parts = []
    for tick in ticks:
        x = LABEL + tick * scale
        parts.append(_line(x, TOP, x, TOP + height, "grid"))
        parts.append(_text(x, TOP + height + 16, _number(tick), "middle"))
    for index, row in enumerate(rows):
        y = TOP + GAP + index * (BAR + GAP)
        parts.append(_text(LABEL - 8, y + BAR * 0.7, row.label, "end"))
        parts.append(
            f'<rect x="{LABEL}" y="{y}" width="{row.value * scale:.1f}" height="{BAR}" rx="2" '
            f'style="fill:var(--c{row.colour})"><title>{escape(row.label)}: {_number(row.value)} {escape(unit)}'
            f"</title></rect>"
        )
        reach = row.value
        if row.most > row.least:
            middle = y + BAR / 2
            parts.append(_line(LABEL + row.least * scale, middle, LABEL + row.most * scale, middle, "spread"))
            reach = max(reach, row.most)
        parts.append(_text(LABEL + reach * scale + 6, y + BAR * 0.7, _number(row.value), "start", "value"))
    for name, value in marks.items():
        x = LABEL + value * scale
        parts.append(_line(x, TOP - 4, x, TOP + height, "mark"))
        parts.append(_text(x - 4, TOP + 6, name, "end"))
    parts.append(_text(LABEL + width / 2, TOP + height + 36, unit, "middle", "axis"))
    return _svg(title, parts, TOP + height + 44)


@dataclass(frozen=True, slots=True)
class Line:
    """Points (x, y) in order of x."""

    label: str
    points: Sequence[tuple[float, float]]
    colour: int
    dashed: bool = False


def lines(title: str, x_unit: str, y_unit: str, rows: Sequence[Line], *, log_x: bool = False) -> str:
    """Lines over a common axis, linear or of powers of two, from zero upwards."""
    xs = sorted({x for row in rows for x, _ in row.points})
    top = max([y for row in rows for _, y in row.points] + [1e-9])
    ticks = _ticks(top)
    end = max(ticks[-1], top)
    legend = 18 * math.ceil(len(rows) / 2) + 8
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    first, last = xs[0], xs[-1]

    def across(x: float) -> float:
        if first == last:
            return LEFT + width / 2
        share = math.log2(x / first) / math.log2(last / first) if log_x else (x - first) / (last - first)
        return LEFT + share * width

    def down(y: float) -> float:
        return TOP + height - y / end * height

    parts = []
    for tick in ticks:
        parts.append(_line(LEFT, down(tick), LEFT + width, down(tick), "grid"))
        parts.append(_text(LEFT - 6, down(tick) + 4, _number(tick), "end"))
    step = 1 if log_x else max(1, math.ceil(len(xs) / 12))
    for x in xs[::step]:
        parts.append(_text(across(x), TOP + height + 16, _number(x), "middle"))
    for number, row in enumerate(rows):
        style = f'style="stroke:var(--c{row.colour})"' + (' stroke-dasharray="5 4"' if row.dashed else "")
        at = " ".join(f"{across(x):.1f},{down(y):.1f}" for x, y in row.points)
        parts.append(f'<polyline class="line" points="{at}" {style}/>')
        for x, y in row.points:
            said = f"{row.label}, {_number(x)} {x_unit}: {_number(y)} {y_unit}"
            parts.append(
                f'<circle cx="{across(x):.1f}" cy="{down(y):.1f}" r="2.5" style="fill:var(--c{row.colour})">'
                f"<title>{escape(said)}</title></circle>"
            )
        x, y = LEFT + number % 2 * (width / 2), HEIGHT + 12 + number // 2 * 18
        parts.append(f'<line class="line" x1="{x}" y1="{y - 4}" x2="{x + 22}" y2="{y - 4}" {style}/>')
        parts.append(_text(x + 28, y, row.label, "start"))
    parts.append(_text(LEFT + width / 2, TOP + height + 36, x_unit, "middle", "axis"))
    middle = TOP + height / 2
    parts.append(
        f'<text class="axis" x="14" y="{middle}" text-anchor="middle" transform="rotate(-90 14 {middle})">'
        f"{escape(y_unit)}</text>"
    )
    return _svg(title, parts, HEIGHT + legend)


def _ticks(top: float) -> list[float]:
    """From 0 to at least `top`, about five, of 1, 2 or 5 times a power of ten."""
    raw = top / 4
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)
    return [step * n for n in range(math.ceil(top / step - 1e-9) + 1)]


def _number(value: float) -> str:
    if value == int(value):
        return f"{int(value):,}".replace(",", " ")
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str, kind: str = "tick") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(title: str, parts: Sequence[str], height: float) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title, quote=True)}">'
        + "".join(parts)
        + "</svg>"
    )
