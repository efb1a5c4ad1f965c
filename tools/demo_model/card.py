"""Writes MODEL_CARD.md beside the weights, with the table as `eval --json` measured it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .evaluate import BAR, OTHERS, interval
from .scenes import COLOURS, SHAPES

_CARD = """\
---
license: apache-2.0
library_name: transformers
pipeline_tag: image-text-to-text
---
# Glimt's demo model

A `Glm4vForConditionalGeneration` of {parameters:.2f} million parameters, trained from nothing for this project, so that
`glimt demo`, the tests and a first look at the service run a real vision-language model on any laptop, offline. The
code path is the one that serves GLM-4.1V and GLM-4.6V. It is **not** a general assistant.

## What it knows
Pictures of up to five coloured shapes on a pale ground, each in its own ninth of the picture: {shapes};
in {colours}. About them, in English: colour, shape, place, presence, number, a description of all,
and follow-ups that lean on the conversation ("What colour is it?", "And the other one?", "And the circle?"), also after
a new picture. It says so when asked after a shape that is not there, asks for a picture when there is none, answers
small talk with one of a few sentences, and counts aloud ("Count to 100.") as a long answer for trying out Stop.

## What it does not know
Anything else. Photographs, screenshots, text, receipts, people: it was never shown any, and what it says about them
means nothing. Other questions mostly get "{only_shapes}", but not reliably. Other languages are not
understood. Overlapping, tiny, rotated (more than 12 degrees) or dark-ground shapes were not trained. Conversations were
trained up to 256 tokens (about eleven questions); longer ones get worse. Counting aloud it does not always stop at the
number asked for: see the row "counting".

## Use
Render the chat template with `enable_thinking=False`: that is how it was trained (a tenth of the conversations was
trained without, where it opens and closes an empty `<think></think>` itself). Greedy decoding. Pictures go through the
Pillow image processor (`AutoImageProcessor.from_pretrained(folder, backend="pil")`) and become 24 to 29 image tokens;
do not raise `size`. `sample.png` is a picture to try.

## How it was trained
{training}
All pictures and texts were made by `tools/demo_model`; no outside data, no other model's weights.

## Measured
`python -m tools.demo_model eval --model core/inference/demo --scenes {scenes} --seed {seed}`: {scenes} scenes from
seeds that training never used, in five proportions, two fifths of them through JPEG or WebP; greedy `generate` with
the files in this folder, in float32. An answer counts if it equals the expected one but for case, punctuation and
articles. Follow-ups come after the model's *own* earlier answers; the last row gives it the right ones instead.

| kind | right | of | share | 95 % interval |
| --- | ---: | ---: | ---: | --- |
{table}

Licence: Apache-2.0.
"""


def write_card(model: Path, training: str) -> None:
    """Write `model/MODEL_CARD.md` from `model/evaluation.json`. `training` is the paragraph on the run."""
    from safetensors import safe_open

    from .talk import ONLY_SHAPES

    measured: dict[str, Any] = json.loads((model / "evaluation.json").read_text(encoding="utf-8"))
    with safe_open(model / "model.safetensors", "pt") as weights:
        parameters = sum(weights.get_tensor(name).numel() for name in weights.keys())  # noqa: SIM118
    rows = []
    for kind in (*BAR, *OTHERS):
        right, total = measured["table"][kind]["right"], measured["table"][kind]["of"]
        low, high = interval(right, total)
        share = right / max(1, total)
        rows.append(f"| {kind} | {right} | {total} | {share:.1%} | {low:.1%} to {high:.1%} |")
    text = _CARD.format(
        parameters=parameters / 1e6,
        shapes=", ".join(SHAPES),
        colours=", ".join(COLOURS),
        only_shapes=ONLY_SHAPES,
        training=training.strip(),
        scenes=measured["scenes"],
        seed=measured["seed"],
        table="\n".join(rows),
    )
    (model / "MODEL_CARD.md").write_text(text, encoding="utf-8")
