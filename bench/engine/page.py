"""The result as a page: goals, plots, tables. One file that fetches nothing.

`python -m bench.engine.page RESULT.json PAGE.html` draws it again from what was measured before.
"""

import json
import sys
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from statistics import median
from typing import Any

from bench.engine.goals import GOALS
from bench.engine.lineup import SIDES
from bench.engine.style import STYLE
from bench.engine.svg import Bar, Line, bars, lines

NAMES = {
    "ours": "Glimt",
    "sequential": "generate, one by one",
    "static32": "generate, batches of 32",
    "vllm": "vLLM, compiled",
    "openvino": "OpenVINO GenAI",
}
Result = dict[str, Any]


def write_page(result: Result, file: Path) -> None:
    """Write the page of `result` (the JSON of `glimt bench engine`) to `file`."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(render(result), encoding="utf-8")


def render(result: Result) -> str:
    """The page of `result`."""
    body = [_head(result), *_warning(result), _goals(result), *_plots(result), _sides(result), _absent(result)]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<title>Glimt: the engine, measured</title>\n'
        f"<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n" + "\n".join(body) + "\n</main>\n</body>\n</html>\n"
    )


def _head(result: Result) -> str:
    machine, workload = result["machine"], result["workload"]
    able = ", ".join(machine["instructions"]) or "no bfloat16 instructions"
    on = machine["gpu"] if machine["device"] != "cpu" else f"{machine['processor']}, {machine['cores']} cores ({able})"
    facts = {
        "Date": result["date"],
        "Machine": f"{on}; load before: {machine['load_before']}",
        "Model": f"{machine['parameters'] / 1e6:.0f} M parameters, {machine['model_type']}, {machine['dtype']}, "
        f"{machine['threads']} threads, torch {machine['torch']}",
        "Command": f"<code>{escape(result['command'])}</code>",
    }
    rows = "".join(
        f"<dt>{name}</dt><dd>{text if name == 'Command' else escape(text)}</dd>" for name, text in facts.items()
    )
    return (
        "<h1>The engine, measured</h1>\n"
        "<p>Every side reads the same checkpoint, answers the same questions about the same pictures, and has a "
        "process of its own; only one computes at a time, and rounds alternate. "
        f"<b>W</b>: {workload['questions']} questions at once, {workload['prompt_tokens']} tokens each of which "
        f"{workload['picture_tokens']} are a picture, {workload['new_tokens']} new tokens. "
        "<b>Poisson</b>: the same questions, arriving one by one"
        + (f", {workload['poisson_per_s']} a second on average" if workload["poisson_per_s"] else "")
        + f". <b>M</b>: one conversation about one picture, {workload['turns']} turns. "
        "Bars show the median over rounds, and the thin line the range.</p>\n"
        f"<dl>{rows}</dl>"
    )


def _warning(result: Result) -> list[str]:
    machine = result["machine"]
    if not machine["disturbed"]:
        return []
    return [
        "<p class=warning><b>The machine was not quiet.</b> Other work took "
        f"{machine['busy_with_others_cores']:.1f} of {machine['cores']} cores while this was measured. Ratios of "
        "rounds that lie side by side suffer less than seconds do, but neither should be quoted.</p>"
    ]


def _goals(result: Result) -> str:
    rows = []
    for goal in GOALS:
        met = goal.met(result["ratios"])
        verdict = {True: ("good", "✓ reached"), False: ("bad", "✗ missed"), None: ("none", "–")}[met]
        spread = result["spread"].get(goal.ratio)
        between = (
            f"{spread['least']:.2f} to {spread['most']:.2f}" if spread and spread["most"] > spread["least"] else ""
        )
        rows.append(
            f"<tr><td>{escape(goal.text)}</td><td class=n>{goal.wanted}</td>"
            f"<td class=n>{goal.shown(result['ratios'])}</td><td class=n>{between}</td>"
            f'<td class="{verdict[0]}">{verdict[1]}</td><td><code>{goal.ratio}</code></td></tr>'
        )
    return _table(
        "Goals",
        ("what", "goal", "measured", "range", "", "key in the JSON"),
        rows,
        f"All by one command: <code>{escape(result['command'])}</code>",
    )


def _plots(result: Result) -> list[str]:
    floor = result["floor"]
    unit = "answers per second"
    plots = [
        _bars(
            result,
            "W: answers per second",
            unit,
            "w_answers_per_s",
            {"floor of this machine": floor["w_answers_per_s"]},
            note=f"The floor: {floor['reading_prompts_s']:.2g} s to read the prompts and pictures at the measured "
            f"products of matrices, {floor['decoding_s']:.2g} s to decode at the measured memory bandwidth "
            f"({floor['read_gb_per_s']:.1f} GB/s) or products, whichever takes longer.",
        ),
        _bars(result, "W: time to the first token, p50", "seconds", "w_ttft_p50_s"),
        _bars(result, "W: time to the first token, p95", "seconds", "w_ttft_p95_s"),
        _bars(result, "Poisson: latency of an answer, p50", "seconds", "poisson_latency_p50_s"),
        _bars(result, "Poisson: latency of an answer, p95", "seconds", "poisson_latency_p95_s"),
        _bars(
            result,
            "Peak memory",
            "MiB",
            "peak_mb",
            note=f"The most that the process held at once, loading included. Engines with a budget for keys and values "
            f"have {result['workload']['cache_mb']} MiB.",
        ),
        _talk(result),
        *_growth(result),
    ]
    return [plot for plot in plots if plot]


def _bars(
    result: Result, title: str, unit: str, key: str, marks: dict[str, float] | None = None, note: str = ""
) -> str:
    rows = []
    for side in SIDES:
        if (value := result["sides"].get(side, {}).get(key)) is not None:
            values = value if isinstance(value, list) else [value]
            rows.append(Bar(NAMES[side], median(values), SIDES.index(side), min(values), max(values)))
    return _figure(title, bars(title, unit, rows, marks=marks), note) if rows else ""


def _talk(result: Result) -> str:
    rows = [Line(_label(name), list(enumerate(values, 1)), *_look(name)) for name, values in result["m_ttft_s"].items()]
    title = "M: time to the first token of each turn"
    rates = {"pictures": "picture_hit_rate", "tokens of prompts": "prefix_tokens_reused"}
    found = [f"{what} {result['caches'][key]:.0%}" for what, key in rates.items() if result["caches"][key] is not None]
    note = f"Found again instead of computed, behind the first turn: {', '.join(found)}." if found else ""
    return _figure(title, lines(title, "turn", "seconds", rows), note) if rows else ""


def _growth(result: Result) -> list[str]:
    growth = result["growth"]
    plots = []
    if in_flight := growth["in_flight_s_per_answer"]:
        rows = [
            Line(_label(side), _points(values, lambda value: value), *_look(side)) for side, values in in_flight.items()
        ]
        title = "Growth: cost of an answer, by questions in flight"
        plots.append(_figure(title, lines(title, "questions in flight", "seconds per answer", rows, log_x=True)))
    for key, title, unit in (
        ("ttft_s", "Growth: time to the first token, by turns of a conversation", "seconds"),
        ("computed_tokens", "Growth: tokens of the prompt that had to be computed, by turns", "tokens"),
    ):
        rows = [
            Line(_label(name), _points(values, lambda turn: turn[key]), *_look(name))  # noqa: B023  # used at once
            for name, values in growth["turns"].items()
        ]
        rows = [row for row in rows if row.points]
        if rows:
            plots.append(_figure(title, lines(title, "turn", unit, rows)))
    return plots


def _points(values: dict[Any, Any], figure: Callable[[Any], float | None]) -> list[tuple[float, float]]:
    """JSON makes strings of the numbers that are keys."""
    found = ((float(x), figure(value)) for x, value in values.items())
    return [(x, y) for x, y in found if y is not None]


def _label(name: str) -> str:
    side, _, rest = name.partition(", ")
    return NAMES[side] + (f", {rest}" if rest else "")


def _look(name: str) -> tuple[int, bool]:
    """Colour, and whether the line is dashed: ours with something left out."""
    return SIDES.index(name.partition(",")[0]) + (5 if "pictures used" in name else 0), "nothing" in name


def _sides(result: Result) -> str:
    columns = (
        ("w_answers_per_s", "answers/s"),
        ("w_ttft_p50_s", "first token p50, s"),
        ("w_ttft_p95_s", "p95, s"),
        ("poisson_latency_p50_s", "Poisson latency p50, s"),
        ("poisson_latency_p95_s", "p95, s"),
        ("distance_to_floor", "times the floor"),
        ("peak_mb", "peak MiB"),
        ("loaded_s", "loaded in, s"),
    )
    rows = []
    for side in SIDES:
        if side in result["sides"]:
            figures = result["sides"][side]
            cells = "".join(f"<td class=n>{_cell(figures.get(key))}</td>" for key, _ in columns)
            rows.append(f"<tr><td>{NAMES[side]}</td>{cells}</tr>")
    return _table("All sides", ("", *(name for _, name in columns)), rows, "Medians over rounds.")


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    number = median(value) if isinstance(value, list) else value
    return f"{number:.2f}" if number < 100 else f"{number:,.0f}".replace(",", " ")


def _absent(result: Result) -> str:
    rows = "".join(f"<li>{NAMES[side]}: {escape(reason)}</li>" for side, reason in result["absent"].items())
    return f"<h2>Not measured</h2><ul>{rows}</ul>" if rows else ""


def _table(title: str, heads: Sequence[str], rows: Sequence[str], note: str) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    return (
        f"<section><h2>{title}</h2><div class=wide><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div><p class=note>{note}</p></section>"
    )


def _figure(title: str, svg: str, note: str = "") -> str:
    below = f"<figcaption>{escape(note)}</figcaption>" if note else ""
    return f"<figure><h2>{escape(title)}</h2>{svg}{below}</figure>"


def main() -> None:
    """Draw the page of a JSON file."""
    if len(sys.argv) != 3:
        raise SystemExit("usage: python -m bench.engine.page RESULT.json PAGE.html")
    write_page(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))


if __name__ == "__main__":
    main()
