"""What CI asks the model: one question about each of 300 unseen scenes. The same questions were asked when the card was
written, so what is compared is the model and the code around it, not luck."""

from __future__ import annotations

import json
import random
from pathlib import Path

from .evaluate import Counts, FolderAnswers, count, write_json
from .exam import examine, prompts_for

SCENES = 300
SEED = 2
POINTS = 5.0
"""By so much a kind may fall; and by one answer in any case, since another machine rounds in another way."""


def ask(model: Path) -> Counts:
    """Ask one question about each scene, of every third with its first follow-up; the answers by kind."""
    answers = FolderAnswers(model)
    prompts = []
    for number in range(SCENES):
        made = [p for p in prompts_for(number, SEED) if p.kind != "counting"]
        prompt = random.Random(number).choice(made)
        prompt.rest = prompt.rest[:1] if number % 3 == 0 else []
        prompts.append(prompt)
    return count(examine(answers, prompts))


def fallen(before: Counts, now: Counts) -> list[str]:
    """The kinds that fell by more than `POINTS`, in words; empty where none did."""
    out = []
    for kind, (right, total) in before.items():
        good, of = now.get(kind, (0, 0))
        if of != total:
            out.append(f"{kind}: {of} questions instead of {total}; the exam is another one")
        elif right - good > max(1.0, total * POINTS / 100):
            out.append(f"{kind}: {good} of {of} right, {right} when the card was written")
    return out


def check(model: Path, record: bool = False) -> None:
    """Ask, and end with status 1 if a kind fell; with `record`, write down what was reached instead."""
    path = model / "evaluation.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    now = ask(model)
    if record:
        write_json(path, told | {"check": now})
        return
    before = {kind: (right, total) for kind, (right, total) in told["check"].items()}
    if found := fallen(before, now):
        raise SystemExit("The demo model got worse than its card says:\n" + "\n".join(found))
    print(f"{sum(right for right, _ in now.values())} of {sum(of for _, of in now.values())} right; no kind fell.")
