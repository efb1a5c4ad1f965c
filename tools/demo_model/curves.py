"""Draws a run's curve: what it got right, over the minutes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench.engine.svg import Line, lines

from .exam import BAR

POINTS = 24
_STYLE = """<style>
:root { --c0: #2563c9; --c1: #8a8983; --c2: #b98900; --c3: #c2410c; --c4: #0f7f6d; --c5: #7aa5ee; }
svg { font: 12px system-ui, sans-serif; background: #fcfcfb; }
.grid { stroke: #e2e1dc; } .line { fill: none; stroke-width: 2; } text { fill: #5f5f5a; }
</style>"""
# Kinds that are drawn one by one; the exam within a run is small, so they jump.
SHOWN = ("colour", "total", "arithmetic", "followup")


def draw_curve(curve: Path, to: Path) -> None:
    """Write the lines of `curve`, a `curve.jsonl`, as an SVG: the share of answers' tokens that was right in training,
    and of answers in the exams within the run, if there were any."""
    rows: list[dict[str, Any]] = [json.loads(line) for line in curve.read_text(encoding="utf-8").splitlines()]
    learned = [(row["minutes"], row["right"]) for row in rows if "right" in row]
    exams = [(row["minutes"], row["exam"]) for row in rows if "exam" in row]
    step = max(1, len(learned) // POINTS)
    drawn = [Line("tokens of answers, in training", _percent(learned[step // 2 :: step]), 1)]
    if exams:
        means = [(minutes, sum(exam.values()) / len(exam)) for minutes, exam in exams]
        drawn.append(Line("unseen scenes: mean of all kinds", _percent(means), 0))
        for number, kind in enumerate(k for k in BAR if k in SHOWN):
            points = [(minutes, exam[kind]) for minutes, exam in exams if kind in exam]
            drawn.append(Line(f"unseen scenes: {kind}", _percent(points), 2 + number, dashed=True))
    svg = lines("Learning", "minutes", "% right", drawn)
    head = '<svg xmlns="http://www.w3.org/2000/svg" '
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(svg.replace("<svg ", head, 1).replace(">", ">" + _STYLE, 1) + "\n", encoding="utf-8")


def _percent(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(round(minutes, 1), round(100 * share, 1)) for minutes, share in points]
