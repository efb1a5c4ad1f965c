"""Writes MODEL_CARD.md beside the weights, with the tables as `eval` measured them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .evaluate import interval
from .exam import BAR, KINDS
from .lexicon import COLOURS, GOODS, PATTERNS, PRODUCTS, SHAPES, SIGNS
from .phrases import ONLY_KNOW

_CARD = """\
---
license: apache-2.0
library_name: transformers
pipeline_tag: image-text-to-text
language: [en, zh]
---
# Glimt's demo model

A `Glm4vForConditionalGeneration` of {parameters:.1f} million parameters, trained from nothing for this project, so
that `glimt demo`, the tests and a first look at the service run a real vision-language model on any laptop, offline.
The code path is the one that serves GLM-4.1V and GLM-4.6V. It is **not** a general assistant.

## What it knows
Drawn pictures, in English and Chinese:
- up to five coloured shapes ({shapes}; {colours});
- one or two goods of a shop ({products}; {patterns}), with or without a price;
- price tags and small receipts of {goods};
- bar charts of three to five bars; signs ({signs}); sums on a blackboard; a large word, a price or a code;
- two pictures with one difference.

About them: colour, shape, place in words or as a box, presence, number, price, total, what is cheapest, the largest
bar, a description, what is written, and follow-ups that lean on the conversation ("What colour is it?", "And the
other one?", "No, the circle."), also after a new picture. Where thinking is on, it works a sum out before it answers.
It says so when asked after something that is not there, asks for a picture when there is none, and counts aloud
("Count to 100.") as a long answer for trying out Stop, with a picture before it or none.

## What it does not know
Anything else. To other pictures and questions it says "{only_know}" Real photographs of the things above are other
pictures to it. Words that are not in its list are read letter by letter at best, and it was shown none longer than
four letters. Conversations were trained up to 448 tokens (about twenty questions); longer ones get worse. Prices
that a picture does not show are guessed, and what is cheapest or dearest is right little more often than by chance.

## Use
Render the chat template with `enable_thinking=False`, or with thinking on for sums. Greedy decoding. Pictures go
through the Pillow image processor (`AutoImageProcessor.from_pretrained(folder, backend="pil")`) and become 52 to 68
image tokens; do not raise `size`. `sample.png` is a picture to try.

## How it was trained
{training}
All pictures and texts were made by `tools/demo_model`; no outside data, no other model's weights, but for photographs
of scikit-image, at which it learned to say that it does not know them. The curves: `docs/demo_model/curve.svg`
and, for the second part, `docs/demo_model/curve_words.svg`.

## Measured
{scenes} scenes from seeds that training never used, **every question about a scene in a wording that training never
showed** (greetings, counting and questions about other things are those of the training); a
third to a half of goods, tags, receipts, charts, signs and boards in a layout, and half of the printed texts in a
typeface that it never showed; in eight sizes, two fifths through JPEG. Greedy. An answer counts if it equals the
expected one but for case, punctuation and articles; a box, if it covers at least half (IoU ≥ 0.5). Follow-ups come
after the model's *own* earlier answers. {how}

| kind | bar | right | of | share | 95 % interval | English | Chinese |
| --- | ---: | ---: | ---: | ---: | --- | ---: | ---: |
{table}

The bar is the project's aim. Below it: {below}.

Chinese is at most three points behind English in {chinese}.

### What pictures suffer
Share of right answers over all kinds that have a bar, on the first scenes of the same exam. The last row is for
comparison: other scenes as they are sent, but in the wordings, layouts and typefaces of the training.

| condition | scenes | right | of | share | 95 % interval |
| --- | ---: | ---: | ---: | ---: | --- |
{conditions}

`python -m tools.demo_model check --model core/inference/demo` asks one question about each of 300 other scenes, which
CI does: a kind that falls by more than five points below what it reached when this card was written fails it.

Licence: Apache-2.0.
"""


def write_card(model: Path, training: str) -> None:
    """Write `model/MODEL_CARD.md` from `model/evaluation.json`. `training` is the paragraph on the run."""
    from safetensors import safe_open

    told: dict[str, Any] = json.loads((model / "evaluation.json").read_text(encoding="utf-8"))
    with safe_open(model / "model.safetensors", "pt") as weights:
        parameters = sum(weights.get_tensor(name).numel() for name in weights.keys())  # noqa: SIM118
    text = _CARD.format(
        parameters=parameters / 1e6,
        shapes=", ".join(SHAPES),
        colours=", ".join(COLOURS),
        products=", ".join(PRODUCTS),
        patterns=", ".join(PATTERNS),
        goods=", ".join(GOODS),
        signs=", ".join(SIGNS),
        only_know=ONLY_KNOW["en"],
        training=training.strip(),
        scenes=told["scenes"],
        how=told["how"],
        table="\n".join(_rows(told)),
        below=", ".join(_below(told)) or "nothing",
        chinese=_chinese(told),
        conditions="\n".join(_conditions(told)),
    )
    (model / "MODEL_CARD.md").write_text(text, encoding="utf-8")


def _share(pair: tuple[int, int]) -> str:
    return f"{pair[0] / pair[1]:.1%}" if pair[1] else "–"


def _rows(told: dict[str, Any]) -> list[str]:
    rows = []
    for kind in [k for k in KINDS if k in told["all"]]:
        right, total = told["all"][kind]
        low, high = interval(right, total)
        english, chinese = (_share(told[language].get(kind, (0, 0))) for language in ("en", "zh"))
        bar = f"{BAR[kind]} %" if kind in BAR else ""
        rows.append(
            f"| {kind} | {bar} | {right} | {total} | {right / total:.1%} | {low:.1%} to {high:.1%} "
            f"| {english} | {chinese} |"
        )
    return rows


def _below(told: dict[str, Any]) -> list[str]:
    out = []
    for kind, bar in BAR.items():
        right, total = told["all"][kind]
        if 100 * right / total < bar:
            out.append(f"{kind} ({right / total:.1%} of {bar} %)")
    return out


def _chinese(told: dict[str, Any]) -> str:
    kinds = [k for k in BAR if k in told["en"] and k in told["zh"]]
    near = [k for k in kinds if _points(told["en"][k]) - _points(told["zh"][k]) <= 3]
    far = [k for k in kinds if k not in near]
    return f"{len(near)} of {len(kinds)} kinds" + (f", not in {', '.join(far)}" if far else "")


def _points(pair: tuple[int, int]) -> float:
    return 100 * pair[0] / pair[1]


def _conditions(told: dict[str, Any]) -> list[str]:
    rows = []
    for condition, table in told["conditions"].items():
        right = sum(table["counts"][k][0] for k in BAR if k in table["counts"])
        total = sum(table["counts"][k][1] for k in BAR if k in table["counts"])
        low, high = interval(right, total)
        rows.append(
            f"| {condition} | {table['scenes']} | {right} | {total} | {right / total:.1%} | {low:.1%} to {high:.1%} |"
        )
    return rows
