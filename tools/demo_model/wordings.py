"""How people word their questions, in English and Chinese: for each kind of question those that training shows, and
those that are kept for measuring. Slots in braces are filled by `asker.py`."""

from __future__ import annotations

import random
from collections.abc import Mapping

from . import composing
from .lexicon import Language
from .wordings_en import ENGLISH, Wordings
from .wordings_more import MORE_ENGLISH
from .wordings_more_zh import MORE_CHINESE
from .wordings_zh import CHINESE


def _with_more(wordings: Mapping[str, Wordings], more: Mapping[str, tuple[str, ...]]) -> Mapping[str, Wordings]:
    return {key: ((*seen, *more.get(key, ())), unseen) for key, (seen, unseen) in wordings.items()}


WORDINGS: Mapping[Language, Mapping[str, Wordings]] = {
    "en": _with_more(ENGLISH, MORE_ENGLISH),
    "zh": _with_more(CHINESE, MORE_CHINESE),
}

HELD: Mapping[Language, frozenset[str]] = {
    language: frozenset(composing.plain(w) for _, unseen in wordings.values() for w in unseen)
    for language, wordings in WORDINGS.items()
}
"""The exam's wordings, as `composing.plain` makes them."""


def composed(language: Language, key: str, rng: random.Random) -> str | None:
    """A wording for training that is put together and none of the exam's; None where there is none of that kind."""
    while (template := composing.compose(language, key, rng)) is not None:
        if not composing.repeats(template, HELD[language]):
            return template
    return None


# How a question names a cell of the 3x3 grid; each wording is true of that one cell only. (seen, unseen)
CELL_WORDS: Mapping[Language, tuple[Wordings, ...]] = {
    "en": (
        (
            ("in the top left", "in the top left", "in the upper left", "in the top left corner", "at the top left"),
            ("top left",),
        ),
        (
            ("at the top", "in the top middle", "in the top centre", "at the top in the middle"),
            ("at the top in the centre",),
        ),
        (
            (
                "in the top right",
                "in the top right",
                "in the upper right",
                "in the top right corner",
                "at the top right",
            ),
            ("top right",),
        ),
        (
            ("on the left", "in the middle left", "on the left in the middle", "on the left side"),
            ("in the centre left",),
        ),
        (
            ("in the centre", "in the middle", "in the centre of the picture", "in the very centre"),
            ("in the middle of the picture",),
        ),
        (
            ("on the right", "in the middle right", "on the right in the middle", "on the right side"),
            ("in the centre right",),
        ),
        (
            (
                "in the bottom left",
                "in the bottom left",
                "in the lower left",
                "in the bottom left corner",
                "at the bottom left",
            ),
            ("bottom left",),
        ),
        (
            ("at the bottom", "in the bottom middle", "in the bottom centre", "at the bottom in the middle"),
            ("at the bottom in the centre",),
        ),
        (
            (
                "in the bottom right",
                "in the bottom right",
                "in the lower right",
                "in the bottom right corner",
                "at the bottom right",
            ),
            ("bottom right",),
        ),
    ),
    "zh": (
        (("左上角", "左上角", "左上方"), ("左上",)),
        (("上方", "上面", "上边"), ("上面中间",)),
        (("右上角", "右上角", "右上方"), ("右上",)),
        (("左边", "左边", "左侧"), ("左边中间",)),
        (("中间", "中间", "中央"), ("正中间",)),
        (("右边", "右边", "右侧"), ("右边中间",)),
        (("左下角", "左下角", "左下方"), ("左下",)),
        (("下方", "下面", "下边"), ("下面中间",)),
        (("右下角", "右下角", "右下方"), ("右下",)),
    ),
}

# What things of a scene are called as such: (English singular, Chinese).
NOUNS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "shapes": (("shape", "图形"), ("thing", "东西"), ("object", "东西")),
    "products": (("product", "商品"), ("thing", "东西"), ("item", "商品")),
    "tags": (("tag", "价签"), ("label", "标签"), ("item", "商品")),
    "receipt": (("item", "商品"),),
    "chart": (("bar", "柱子"),),
    "signs": (("sign", "标志"),),
}
