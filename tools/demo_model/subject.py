"""What can be asked about the things of one scene, and what follows a question that was answered."""

from __future__ import annotations

import random
from dataclasses import dataclass

from .canvas import Box
from .lexicon import Language
from .phrases import Phrases, box_of
from .scenes import Scene, Thing
from .scenes.chart import has_values


@dataclass(frozen=True)
class Turn:
    """A question and its answer. `kind` is what the evaluation counts it under; `thought` is said before the answer
    where thinking is on."""

    kind: str
    question: str
    answer: str
    thought: str = ""


Chain = list[Turn]

_KINDS = {"place": "position", "box": "box", "price": "price", "colour": "colour"}


class Subject:
    """A scene as it is talked about in one language, every choice drawn from `rng`. `boxes`: where its things came to
    lie. `unseen`: in wordings that training never shows."""

    def __init__(
        self, scene: Scene, boxes: tuple[Box, ...], language: Language, rng: random.Random, *, unseen: bool = False
    ) -> None:
        self._scene = scene
        self._things = scene.things
        self._boxes = dict(zip(map(id, scene.things), boxes, strict=True))
        self._rng = rng
        self._say = Phrases(language, rng, unseen)
        self._english = language == "en"
        names = [t.name for t in scene.things]
        colours = [t.colour for t in scene.things]
        self._unique = {
            "name": [t for t in scene.things if names.count(t.name) == 1],
            "colour": [t for t in scene.things if t.colour and colours.count(t.colour) == 1],
            "place": [t for t in scene.things if t.cell >= 0 and (len(scene.things) > 1 or scene.kind == "shapes")],
        }

    def _turn(self, kind: str, answer: str, key: str, thought: str = "", **slots: str) -> Turn:
        return Turn(kind, self._say.question(key, **slots), answer, thought)

    def _ways(self, thing: Thing, attribute: str) -> list[str]:
        """The ways to name `thing` that do not give away what is asked."""
        ways = [way for way, things in self._unique.items() if thing in things and way != attribute]
        if attribute == "box":
            ways = [way for way in ways if way != "place"]
        return ways if self._scene.kind != "chart" or "name" not in ways else ["name"] * 3 + ways

    def _has(self, thing: Thing, attribute: str) -> bool:
        if attribute == "price":
            return bool(thing.price)
        if attribute == "colour":
            return bool(thing.colour)
        if attribute == "pattern":
            return bool(thing.pattern)
        if attribute == "value":
            return self._scene.kind == "chart" and has_values(self._scene)
        if attribute == "place":
            return thing in self._unique["place"]
        if attribute == "box":
            return self._scene.kind != "receipt"
        return self._scene.kind not in ("receipt", "chart")

    def _kind(self, attribute: str) -> str:
        if self._scene.kind == "chart" and attribute != "box":
            return "chart"
        if attribute in ("name", "pattern"):
            return {"shapes": "shape", "products": "product", "tags": "tag", "signs": "sign"}[self._scene.kind]
        return _KINDS[attribute]

    def _answer(self, thing: Thing, attribute: str) -> str:
        say = self._say
        if attribute == "box":
            return box_of(self._boxes[id(thing)])
        if attribute == "place":
            return say.at(thing.cell)
        if attribute == "name":
            return say.named(thing.name)
        return say.word(
            {"colour": thing.colour, "pattern": thing.pattern, "price": thing.price, "value": str(thing.value)}[
                attribute
            ]
        )

    def _follow(self, chain: Chain, thing: Thing | None, asked: str, by: str, *, named_colour: bool = False) -> Chain:
        """Lengthen `chain` by up to three follow-ups. `thing` is what "it" would mean; `asked` is the property that
        "And the other one?" would ask for; `by` is how the thing was named."""
        told = {asked, by} | ({"colour"} if named_colour else set())
        rng, say, scene = self._rng, self._say, self._scene
        for _ in range(rng.choices((0, 1, 2, 3), weights=(30, 36, 22, 12))[0]):
            options: list[tuple[str, dict[str, str], Thing, str, str]] = []
            if thing is not None:
                for attribute in ("colour", "place", "name", "price", "pattern", "value", "box"):
                    if attribute not in told and self._has(thing, attribute):
                        weight = 1 if attribute == "box" else 2
                        options += [(f"it_{attribute}", {}, thing, attribute, "it")] * weight
            if thing is not None and asked not in ("presence", "count") and by != "price" and by != "value":
                others = [t for t in self._things if t is not thing and self._has(t, asked)]
                way = by if by in ("name", "place", "colour") else rng.choice(("name", "colour"))
                named = [t for t in others if t in self._unique.get(way, []) and way != asked]
                for other in rng.sample(named, min(2, len(named))):
                    options.append(
                        (rng.choice(("and", "and", "no")), {"ref": say.ref(scene, other, way)}, other, asked, way)
                    )
                if len(self._things) == 2 and others:
                    options += [(rng.choice(("and_other", "and_other", "no_other")), {}, others[0], asked, "it")] * 2
            if not options:
                break
            key, slots, thing, asked, by = rng.choice(options)
            if key in ("and", "no", "and_other", "no_other"):
                told = {asked, by}
            else:
                told |= {asked}
            chain.append(self._turn("followup", self._answer(thing, asked), key, **slots))
        return chain
