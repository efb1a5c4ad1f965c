"""Writes an exam's questions as a file for `glimt eval`, so that any model can be measured on them."""

from __future__ import annotations

import json
from pathlib import Path

from .exam import BOX, prompts_for


def write_questions(out: Path, scenes: int, seed: int) -> None:
    """Write `out/questions.jsonl` and its pictures: what is asked first about each scene. Boxes, which every model
    words in its own way, and what needs a conversation before it are left out."""
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(scenes):
        for prompt in prompts_for(number, seed):
            if (
                prompt.exchanges
                or not prompt.quiet
                or BOX.search(prompt.expected)
                or prompt.kind in ("talk", "counting")
            ):
                continue
            names = []
            for place, image in enumerate(prompt.pictures):
                names.append(f"{number}-{place}.png")
                image.save(out / names[-1])
            row = {"pictures": names, "question": prompt.question, "answers": [prompt.expected], "kind": prompt.kind}
            rows.append(json.dumps(row, ensure_ascii=False))
    (out / "questions.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    print(f"{len(rows)} questions about {scenes} scenes in {out / 'questions.jsonl'}")
