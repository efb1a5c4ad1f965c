"""`glimt eval`: asks every model in turn and puts accuracy, speed and memory side by side."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from core.errors import ConfigurationError
from glimt.evaluation.data import Item, read_items
from glimt.evaluation.score import anls, exact

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Scored:
    """An answer and what it is worth."""

    item: Item
    text: str
    right: bool
    likeness: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """What one model came to. Shares are 0 to 1, times are in seconds."""

    model: str
    scored: tuple[Scored, ...] = ()
    load_s: float = 0.0
    total_s: float = 0.0
    first_s: float = 0.0
    peak_bytes: int = 0
    device_peak_bytes: int = 0
    error: str = ""
    kinds: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def right(self) -> float:
        """The share of exact answers."""
        return sum(s.right for s in self.scored) / max(1, len(self.scored))

    @property
    def likeness(self) -> float:
        """Mean ANLS."""
        return sum(s.likeness for s in self.scored) / max(1, len(self.scored))

    def summary(self) -> dict[str, Any]:
        """For `--json`."""
        if self.error:
            return {"model": self.model, "error": self.error}
        return {
            "model": self.model,
            "exact": round(self.right, 4),
            "anls": round(self.likeness, 4),
            "questions": len(self.scored),
            "failed": sum(bool(s.error) for s in self.scored),
            "kinds": {kind: {"right": right, "of": of} for kind, (right, of) in self.kinds.items()},
            "load_s": round(self.load_s, 2),
            "first_token_s": round(self.first_s, 3),
            "questions_per_s": round(len(self.scored) / self.total_s, 2) if self.total_s else None,
            "peak_mib": self.peak_bytes >> 20,
            "device_peak_mib": self.device_peak_bytes >> 20,
        }


def evaluate(
    data: Path, models: Sequence[str], *, at_once: int, limit: int, as_json: bool, html: Path | None, say: Say
) -> None:
    """Ask all `models` the questions of `data`, print the table (or JSON), and write the page where asked.

    Raises:
        NotFound, ConfigurationError: the data is not as it should be.
        ConfigurationError: no model could be asked at all.
    """
    items = read_items(data, limit)
    sides = []
    for model in models:
        print(f"{model}: {len(items)} questions …", file=sys.stderr, flush=True)
        sides.append(_side(model, items, at_once))
        if sides[-1].error:
            print(f"  {sides[-1].error}", file=sys.stderr, flush=True)
    if html is not None:
        from glimt.evaluation.page import write_page

        write_page(html, data.name, sides)
    say(json.dumps([side.summary() for side in sides], ensure_ascii=False) if as_json else table(sides))
    if all(side.error for side in sides):
        raise ConfigurationError(f"No model answered: {sides[0].error}")


def _side(model: str, items: Sequence[Item], at_once: int) -> Side:
    asked = [{"pictures": [str(path.resolve()) for path in i.pictures], "question": i.question} for i in items]
    work = json.dumps({"model": model, "items": asked, "at_once": at_once})
    # Its log and its progress go where ours go.
    ran = subprocess.run(
        [sys.executable, "-m", "glimt.evaluation.side"], input=work, stdout=subprocess.PIPE, text=True, check=False
    )
    try:
        told = json.loads(ran.stdout)
    except ValueError:
        return Side(model, error=f"its process ended with status {ran.returncode}; its last words are above")
    if "error" in told:
        return Side(model, error=told["error"])
    scored = tuple(_score(item, answer) for item, answer in zip(items, told["answers"], strict=True))
    kinds: dict[str, tuple[int, int]] = {}
    for one in scored:
        right, total = kinds.get(one.item.kind, (0, 0))
        kinds[one.item.kind] = (right + one.right, total + 1)
    firsts = [answer["first_s"] for answer in told["answers"] if answer.get("first_s")]
    return Side(
        model,
        scored,
        told["load_s"],
        told["total_s"],
        median(firsts) if firsts else 0.0,
        told["peak_bytes"],
        told["device_peak_bytes"],
        kinds=dict(sorted(kinds.items())),
    )


def _score(item: Item, answer: dict[str, Any]) -> Scored:
    text = answer["text"]
    if "error" in answer:
        return Scored(item, text, False, 0.0, answer["error"])
    return Scored(item, text, exact(text, item.answers), anls(text, item.answers))


def table(sides: Sequence[Side]) -> str:
    """What is printed: a row for each measure, a column for each model."""
    rows = [["", *(side.model for side in sides)]]

    def row(name: str, value: Callable[[Side], str]) -> None:
        rows.append([name, *("–" if side.error else value(side) for side in sides)])

    row("exact match", lambda s: f"{s.right:.1%}")
    row("ANLS", lambda s: f"{s.likeness:.3f}")
    kinds = sorted({kind for side in sides for kind in side.kinds if kind})
    for kind in kinds:
        row(f"  {kind}", lambda s, k=kind: "{} of {}".format(*s.kinds.get(k, (0, 0))))  # type: ignore[misc]
    row("first text, median", lambda s: f"{s.first_s * 1000:.0f} ms")
    row("questions a second", lambda s: f"{len(s.scored) / s.total_s:.1f}")
    row("loaded in", lambda s: f"{s.load_s:.1f} s")
    row("memory, at most", lambda s: f"{s.peak_bytes / 2**20:.0f} MiB")
    if any(side.device_peak_bytes for side in sides):
        row("of the GPU, at most", lambda s: f"{s.device_peak_bytes / 2**20:.0f} MiB")
    if any(s.error for side in sides for s in side.scored):
        row("failed", lambda s: str(sum(bool(one.error) for one in s.scored)))
    widths = [max(len(line[column]) for line in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(w) if n == 0 else cell.rjust(w) for n, (cell, w) in enumerate(zip(line, widths, strict=True))
        )
        for line in rows
    )
