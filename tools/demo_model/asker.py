"""Questions about a scene, with the answers that follow from it.

What is asked about a picture is a list of chains. A chain opens with a question that stands by itself and may go on
with follow-ups that only make sense after it ("And the other one?"). Nothing is asked that the scene leaves open.
"""

from __future__ import annotations

from .asked import ASKED, MORE, NAMES
from .lexicon import COLOURS, DANGERS, SHAPES, plural, zh
from .scenes.prices import cents_of
from .scenes.scene import CELLS
from .subject import Chain, Subject

_PROPERTIES = ("name", "colour", "place", "box", "pattern", "price", "value")


class Asker(Subject):
    """Asks about one scene."""

    def chains(self) -> list[Chain]:
        """Every kind of question that the scene allows, in random order."""
        asked = [what for what, times in ASKED[self._scene.kind].items() for _ in range(times)]
        if not self._say.unseen:
            asked += [what for what, times in MORE.get(self._scene.kind, {}).items() for _ in range(times)]
        self._rng.shuffle(asked)
        return [chain for what in asked if (chain := self._chain(what))]

    def _chain(self, what: str) -> Chain | None:
        if what in _PROPERTIES:
            return self._about(what)
        chain: Chain | None = getattr(self, f"_{what}")()
        return chain

    # Openings.

    def _about(self, attribute: str) -> Chain | None:
        """A property of one thing."""
        options = [(t, way) for t in self._things if self._has(t, attribute) for way in self._ways(t, attribute)]
        if not options:
            return None
        thing, way = self._rng.choice(options)
        if attribute == "name":
            if way == "place":
                noun = self._say.noun(self._scene.kind)
                turn = self._turn(
                    self._kind(attribute),
                    self._answer(thing, attribute),
                    "name_at",
                    place=self._say.place(thing.cell),
                    noun=noun,
                )
            else:
                noun = self._say.noun(self._scene.kind)
                ref = self._say.ref(self._scene, thing, way)
                turn = self._turn(self._kind(attribute), self._answer(thing, attribute), "name_of", ref=ref, noun=noun)
        else:
            ref = self._say.ref(self._scene, thing, way)
            turn = self._turn(self._kind(attribute), self._answer(thing, attribute), attribute, ref=ref)
        return self._follow([turn], thing, attribute, way)

    def _empty(self) -> Chain | None:
        """What is where nothing is."""
        if self._rng.random() < 0.6:
            return None
        free = [cell for cell in range(CELLS) if all(t.cell != cell for t in self._things)]
        # One large thing reaches beyond its cell.
        if not free or (len(self._things) == 1 and self._things[0].box[2] - self._things[0].box[0] > 0.32):
            return None
        place = self._say.place(self._rng.choice(free))
        noun = self._say.noun(self._scene.kind)
        return [self._turn("empty", self._say.say("nothing", "什么都没有"), "name_at", place=place, noun=noun)]

    def _presence(self) -> Chain | None:
        rng, kind = self._rng, self._scene.kind
        names = sorted({t.name for t in self._things})
        present = rng.random() < 0.5
        with_colour = kind in ("shapes", "products") and rng.random() < 0.5
        if not with_colour:
            name = rng.choice(names if present else [n for n in NAMES[kind] if n not in names])
            bare, a = self._say.bare(kind, name), self._say.indefinite(kind, name)
            found = [t for t in self._things if t.name == name]
        else:
            looks = sorted({(t.colour, t.name) for t in self._things})
            if present:
                look = rng.choice(looks)
            else:
                # The hard case: the colour and the name are both there, but not together.
                near = [(c, n) for c in sorted({t.colour for t in self._things}) for n in names if (c, n) not in looks]
                anything = [(c, n) for c in COLOURS for n in NAMES[kind] if (c, n) not in looks]
                look = rng.choice(near if near and rng.random() < 0.6 else anything)
            bare = f"{look[0]} {look[1]}" if self._english else zh(look[0]) + zh(look[1])
            a = f"{'an' if look[0][0] in 'aeiou' else 'a'} {bare}"
            found = [t for t in self._things if (t.colour, t.name) == look]
        turn = self._turn(
            "presence", self._say.there(bool(found)), "presence", a=a if self._english else bare, bare=bare
        )
        return self._follow([turn], found[0] if len(found) == 1 else None, "presence", "name", named_colour=with_colour)

    def _check(self) -> Chain | None:
        """A yes or no about the colour of a thing that is there."""
        if not self._unique["name"]:
            return None
        thing = self._rng.choice(self._unique["name"])
        true = self._rng.random() < 0.5
        others = [t.colour for t in self._things if t.colour != thing.colour] or [
            c for c in COLOURS if c != thing.colour
        ]
        colour = thing.colour if true else self._rng.choice(others)
        ref = self._say.ref(self._scene, thing, "name")
        return [
            self._turn(
                "presence", self._say.yes(true), "check", ref=ref, colour=colour if self._english else zh(colour)
            )
        ]

    def _absent(self) -> Chain | None:
        """Asking after something that is not there: said so, rather than guessed."""
        if self._rng.random() < 0.5:
            return None
        kind = self._scene.kind
        name = self._rng.choice([n for n in NAMES[kind] if all(t.name != n for t in self._things)])
        ref = self._say.name(kind, name)
        key = self._rng.choice(("colour", "place") if kind in ("shapes", "products") else ("price",))
        answer = self._say.say(f"there is no {name}", f"没有{zh(name)}")
        return [self._turn("absent", answer, key, ref=ref)]

    def _count_all(self) -> Chain | None:
        english, chinese = self._rng.choice(_ALL[self._scene.kind])
        return [
            self._turn(
                "count",
                self._say.number(len(self._things)),
                "count",
                nouns=plural(english) if self._english else chinese,
            )
        ]

    def _count(self) -> Chain | None:
        """How many of a shape or of a colour; rarely none."""
        by = self._rng.choices(("name", "colour"), weights=(2, 1))[0]
        there = self._rng.random() < 0.85
        if by == "name":
            name = self._rng.choice([t.name for t in self._things] if there else list(SHAPES))
            found = [t for t in self._things if t.name == name]
            nouns = plural(name) if self._english else zh(name)
        else:
            colour = self._rng.choice([t.colour for t in self._things] if there else list(COLOURS))
            found = [t for t in self._things if t.colour == colour]
            noun = self._say.noun("shapes")
            nouns = f"{colour} {self._rng.choice((plural(noun), 'ones'))}" if self._english else f"{zh(colour)}的{noun}"
        chain = [self._turn("count", self._say.number(len(found)), "count", nouns=nouns)]
        return self._follow(chain, found[0] if len(found) == 1 else None, "count", by)

    def _describe(self) -> Chain:
        return [self._turn("describe", self._say.describe(self._scene), "describe")]

    def _extreme_price(self) -> Chain | None:
        if (
            len(self._things) < 2
            or not all(t.price for t in self._things)
            or len(self._unique["name"]) < len(self._things)
        ):
            return None
        key = self._rng.choice(("cheapest", "dearest"))
        thing = (min if key == "cheapest" else max)(self._things, key=lambda t: cents_of(t.price))
        return self._follow([self._turn("compare", self._say.named(thing.name), key)], thing, "name", "price")

    def _compare_price(self) -> Chain | None:
        if len(self._things) < 2:
            return None
        one, two = self._rng.sample(self._things, 2)
        dearer = max(one, two, key=lambda t: cents_of(t.price))
        slots = {"one": self._say.ref(self._scene, one, "name"), "two": self._say.ref(self._scene, two, "name")}
        return [self._turn("compare", self._say.named(dearer.name), "compare_price", **slots)]

    def _extreme_value(self) -> Chain | None:
        key = self._rng.choice(("largest", "largest", "smallest"))
        thing = (max if key == "largest" else min)(self._things, key=lambda t: t.value)
        return self._follow([self._turn("chart", self._say.word(thing.name), key)], thing, "name", "value")

    def _compare_value(self) -> Chain | None:
        one, two = self._rng.sample(self._things, 2)
        larger = max(one, two, key=lambda t: t.value)
        return [self._turn("chart", self._say.word(larger.name), "compare_value", one=one.name, two=two.name)]

    def _total(self) -> Chain | None:
        return [self._turn("total", self._say.word(self._scene.facts["total"]), "total")]

    def _store(self) -> Chain | None:
        return [self._turn("read", self._say.word(self._scene.facts["store"]), "store")]

    def _items(self) -> Chain | None:
        return [self._turn("read", self._say.items(self._scene), "items")]

    def _meaning(self) -> Chain | None:
        if len(self._things) > 1:
            return None
        thing = self._things[0]
        return self._follow([self._turn("sign", self._say.named(thing.name), "meaning")], thing, "name", "it")

    def _danger(self) -> Chain | None:
        true = any(t.name in DANGERS for t in self._things)
        answer = self._say.say("yes", "是的") if true else self._say.say("no", "不是")
        return [self._turn("sign", answer, "danger")]

    def _sum(self) -> Chain | None:
        facts = self._scene.facts
        return [self._turn("arithmetic", self._say.word(facts["answer"]), "sum", thought=facts["steps"])]

    def _read(self) -> Chain | None:
        words = self._scene.facts.get("words") or f"{self._scene.facts['sum']}"
        return [self._turn("read", self._say.printed(words), "read")]

    def _lost(self) -> Chain | None:
        """Whatever is asked about a picture of nothing."""
        key = self._rng.choice(_LOST)
        slots = {}
        kind = self._rng.choice(("shapes", "products", "tags"))
        name = self._rng.choice(NAMES[kind])
        slots = {
            "ref": self._say.name(kind, name),
            "place": self._say.place(self._rng.randrange(CELLS)),
            "noun": self._say.noun(kind),
            "a": self._say.indefinite(kind, name),
            "bare": self._say.bare(kind, name),
            "nouns": plural(name) if self._english and kind == "shapes" else self._say.bare(kind, name),
        }
        return [self._turn("refusal", self._say.only_know(), key, **slots)]


_ALL = {
    "shapes": (("shape", "图形"), ("thing", "东西"), ("object", "东西"), ("shape", "图形")),
    "products": (("product", "商品"), ("item", "商品")),
    "tags": (("tag", "价签"), ("label", "标签"), ("price", "价格")),
    "receipt": (("item", "商品"), ("line", "商品")),
    "chart": (("bar", "柱子"),),
    "signs": (("sign", "标志"),),
}
_LOST = (
    *("describe", "describe", "describe", "colour", "place", "presence", "count", "read", "total", "price"),
    *("name_at", "meaning", "largest", "sum"),
)
