"""How things are named in questions, and how answers are worded, in both languages."""

from __future__ import annotations

import random

from .canvas import Box
from .lexicon import (
    MASS,
    NUMBERS,
    NUMBERS_ZH,
    PLACES,
    PLACES_ZH,
    Language,
    article,
    join,
    sentence,
    zh,
)
from .places import MORE_CELL_WORDS
from .scenes import Scene, Thing
from .wordings import CELL_WORDS, NOUNS, WORDINGS, composed

# How many of the questions in training, and of the places in them, are in words that are put together or kept for
# training alone; the others are taken from the lists.
COMPOSED = 0.6

ONLY_KNOW = {
    "en": "I only know shapes, goods, tags, receipts, charts, signs and sums.",
    "zh": "我只认识图形、商品、价签、收据、图表、标志和算式。",
}


class Phrases:
    """Picks words with `rng`; `unseen`: only such as training never shows."""

    def __init__(self, language: Language, rng: random.Random, unseen: bool) -> None:
        self.language: Language = language
        self._rng = rng
        self.unseen = unseen

    def question(self, key: str, **slots: str) -> str:
        """A question of the kind `key`, its slots filled."""
        template = self._rng.choice(WORDINGS[self.language][key][self.unseen])
        if not self.unseen and self._rng.random() < COMPOSED:
            template = composed(self.language, key, self._rng) or template
        text = template.format(**slots)
        return text[0].upper() + text[1:]

    def place(self, cell: int) -> str:
        """Words for a cell."""
        seen, unseen = CELL_WORDS[self.language][cell]
        if not self.unseen and self._rng.random() < COMPOSED:
            return self._rng.choice(MORE_CELL_WORDS[self.language][cell])
        # What is unseen is the wording of the question, and of some places; there are few other words for a place.
        return self._rng.choice(unseen if self.unseen and self._rng.random() < 0.3 else seen)

    def noun(self, kind: str) -> str:
        """What things of such a scene are called as such."""
        return self._rng.choice(NOUNS[kind])[self.language == "zh"]

    def ref(self, scene: Scene, thing: Thing, by: str) -> str:
        """`thing` named by its "name", "place" or "colour"."""
        english = self.language == "en"
        if by == "place":
            place, noun = self.place(thing.cell), self.noun(scene.kind)
            return f"the {noun} {place}" if english else f"{place}的{noun}"
        if by == "colour":
            if english:
                return f"the {thing.colour} {self._rng.choice(('one', self.noun(scene.kind)))}"
            return zh(thing.colour) + self._rng.choice(("的那个", "的" + self.noun(scene.kind)))
        return self.name(scene.kind, thing.name)

    def name(self, kind: str, name: str) -> str:
        """The definite name: "the star"."""
        english = self.language == "en"
        if kind == "chart":
            return self._rng.choice((name, f"the {name} bar") if english else (name, f"{name}的柱子"))
        if kind == "signs":
            return f"the {name} sign" if english else f"{zh(name)}标志"
        return f"the {name}" if english else zh(name)

    def bare(self, kind: str, name: str) -> str:
        """The name alone, as after "any"."""
        if kind == "signs":
            return f"{name} sign" if self.language == "en" else f"{zh(name)}标志"
        return name if self.language == "en" else zh(name)

    def indefinite(self, kind: str, name: str) -> str:
        """The name with its article, where it takes one."""
        bare = self.bare(kind, name)
        return bare if self.language == "zh" or (name in MASS and kind != "signs") else article(bare)

    # Answers.

    def say(self, english: str, chinese: str) -> str:
        """A sentence in the language of the conversation."""
        return sentence(english) if self.language == "en" else chinese + "。"

    def word(self, word: str) -> str:
        """One word, or something printed, as an answer."""
        return self.say(word, zh(word))

    def named(self, name: str) -> str:
        """What something is."""
        return self.say(name if name in MASS else article(name), zh(name))

    def at(self, cell: int) -> str:
        """Where something is."""
        return self.say(PLACES[cell], "在" + PLACES_ZH[cell])

    def yes(self, true: bool) -> str:
        """Yes or no."""
        return self.say("yes", "是的") if true else self.say("no", "不是")

    def there(self, true: bool) -> str:
        """Yes or no to "is there"."""
        return self.say("yes", "有") if true else self.say("no", "没有")

    def number(self, count: int) -> str:
        """How many."""
        return self.say(NUMBERS[count], NUMBERS_ZH[count] + "个" if count else "没有")

    def only_know(self) -> str:
        """What is said to everything else."""
        return ONLY_KNOW[self.language]

    # Descriptions.

    def describe(self, scene: Scene) -> str:
        """All of a scene in one sentence or two."""
        describe = getattr(self, f"_{scene.kind}")
        text: str = describe(scene)
        return text

    def _shapes(self, scene: Scene) -> str:
        parts = [
            f"{article(t.colour)} {t.name} {PLACES[t.cell]}"
            if self.language == "en"
            else f"{PLACES_ZH[t.cell]}有{zh(t.colour)}{zh(t.name)}"
            for t in scene.things
        ]
        return self._list(parts)

    def look(self, thing: Thing) -> str:
        """A product in words: "red striped shoe"."""
        if self.language == "en":
            return " ".join(
                w for w in (thing.colour, thing.pattern if thing.pattern != "plain" else "", thing.name) if w
            )
        return zh(thing.colour) + (zh(thing.pattern) if thing.pattern != "plain" else "") + zh(thing.name)

    def _products(self, scene: Scene) -> str:
        parts = []
        for t in scene.things:
            look = article(self.look(t)) if self.language == "en" else self.look(t)
            parts.append(look + ({"en": " for ", "zh": ""}[self.language] + t.price if t.price else ""))
        return self._list(parts)

    def _tags(self, scene: Scene) -> str:
        return self._list(
            [f"{t.name} {t.price}" if self.language == "en" else f"{zh(t.name)}{t.price}" for t in scene.things]
        )

    def items(self, scene: Scene) -> str:
        """The goods on a receipt."""
        return self._list([t.name if self.language == "en" else zh(t.name) for t in scene.things])

    def _receipt(self, scene: Scene) -> str:
        store, total = scene.facts["store"], scene.facts["total"]
        if self.language == "en":
            return (
                f"A receipt from {store}: {self._tags(scene)[0].lower()}{self._tags(scene)[1:]} The total is {total}."
            )
        return f"{store}的收据：{self._tags(scene)}合计{total}。"

    def _chart(self, scene: Scene) -> str:
        labels = join([t.name for t in scene.things], self.language)
        return self.say(f"a bar chart of {labels}", f"{labels}的柱状图")

    def _signs(self, scene: Scene) -> str:
        return self._list([t.name if self.language == "en" else zh(t.name) for t in scene.things])

    def _board(self, scene: Scene) -> str:
        return f"{scene.facts['sum']}" + (" on a blackboard." if self.language == "en" else "，写在黑板上。")

    def _words(self, scene: Scene) -> str:
        return self.printed(scene.facts["words"])

    def printed(self, words: str) -> str:
        """What is printed, in quotation marks."""
        return f'It says "{words}".' if self.language == "en" else f"写的是“{words}”。"

    def _nothing(self, scene: Scene) -> str:
        return self.only_know()

    def _list(self, parts: list[str]) -> str:
        joined = join(parts, self.language)
        return self.say(joined, joined)


def box_of(box: Box) -> str:
    """GLM's own markup for a place: thousandths, here in steps of ten."""
    numbers = ",".join(str(min(1000, max(0, round(n * 100) * 10))) for n in box)
    return f"<|begin_of_box|>[[{numbers}]]<|end_of_box|>"
