"""The shipped model is asked about 300 scenes that it never saw: no kind may fall below what the card says."""

import json
from pathlib import Path

from core.inference.source import DEMO
from tools.demo_model.card import write_card
from tools.demo_model.check import ask, fallen
from tools.demo_model.exam import BAR


def test_no_kind_fell_below_the_card() -> None:
    told = json.loads((DEMO / "evaluation.json").read_text())["check"]
    now = ask(DEMO)
    assert set(BAR) <= set(now)
    assert fallen({kind: (right, total) for kind, (right, total) in told.items()}, now) == []


def test_the_card_says_what_was_measured(tmp_path: Path) -> None:
    for name in ("evaluation.json", "model.safetensors"):
        (tmp_path / name).symlink_to(DEMO / name)
    write_card(tmp_path, (Path(__file__).parents[3] / "tools/demo_model/HOW_TRAINED.md").read_text())
    assert (tmp_path / "MODEL_CARD.md").read_text() == (DEMO / "MODEL_CARD.md").read_text()
