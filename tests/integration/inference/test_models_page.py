"""docs/models.md says what the tests here prove, no more and no less.

`python -m tests.integration.inference.test_models_page` writes its table anew.
"""

import re
from pathlib import Path

from core.inference.families import family_of
from tests.integration.inference.checkpoints import BATCHED, FAMILIES, TEXT_ONLY
from tests.integration.inference.test_families import CONVERSATIONS, conversations

PAGE = Path(__file__).parents[3] / "docs" / "models.md"
BEGIN, END = "<!-- proven: written by tests/integration/inference/test_models_page.py -->", "<!-- /proven -->"
HEAD = ("`model_type`", "computed", *CONVERSATIONS, "in chunks", "reuse")
# Checkpoints that are no `model_type` of their own.
NAMED = {
    "paligemma2": "`paligemma` with Gemma 2 inside (PaliGemma 2)",
    "vipllava": "anything else (tested with `vipllava`)",
}


def row(family: str) -> tuple[str, ...]:
    """One line: the tests of test_families.py run for all; those of test_batch.py for what is batched."""
    batched, causal = family in BATCHED, family_of(family).causal
    # A text model is asked other questions, without pictures.
    asked = {"no picture", "follow-up"} if family in TEXT_ONLY else set(conversations(family))
    return (
        NAMED.get(family, f"`{family}`"),
        "in common steps" if batched else "one by one",
        *("= generate" if name in asked else "–" for name in CONVERSATIONS),
        ("= generate" if causal else "as a whole") if batched else "–",
        ("= generate" if causal else "none") if batched else "–",
    )


def table() -> str:
    """The families × checks table, in Markdown."""
    lines = [HEAD, ("---",) * len(HEAD), *(row(family) for family in FAMILIES)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def test_the_table_is_what_is_proven() -> None:
    _, _, rest = PAGE.read_text().partition(BEGIN)
    written, _, _ = rest.partition(END)
    assert written.strip() == table(), "run: python -m tests.integration.inference.test_models_page"


def test_every_family_has_its_notes() -> None:
    _, _, notes = PAGE.read_text().partition("## Notes")
    lines, _, _ = notes.partition("\n\n- ")
    first_cells = "\n".join(re.findall(r"^\| ([^|]+) \|", lines, re.MULTILINE))
    assert set(re.findall(r"`(\w+)`", first_cells)) - {"model_type"} == set(FAMILIES) - set(NAMED)


if __name__ == "__main__":
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}")
