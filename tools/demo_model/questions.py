"""Questions about a scene, with the answers that follow from it.

A dialogue about a picture is a list of chains. A chain opens with a question that stands by itself
and may go on with follow-ups that only make sense after it ("And the circle?", "Where is it?").
Nothing is asked whose answer the scene does not settle.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from .scenes import CELLS, SHAPES, Scene, Thing
from .wording import (
    CELL_WORDS,
    COLOUR_NAMES,
    DESCRIBE,
    NUMBERS,
    PLACES,
    SIDES,
    article,
    describe,
    plural,
    sentence,
    word,
)


@dataclass(frozen=True)
class Turn:
    """One question and its answer. `kind` is what the evaluation counts it under."""

    kind: str
    question: str
    answer: str


Chain = list[Turn]


class Asker:
    """Asks about one scene, drawing every choice from `rng`."""

    def __init__(self, scene: Scene, rng: random.Random) -> None:
        self._scene = scene
        self._rng = rng
        self._things = scene.things
        # What was last counted or looked for, so that no follow-up asks the same again.
        self._last = ""
        shapes = [t.shape for t in scene.things]
        colours = [t.colour for t in scene.things]
        looks = [(t.colour, t.shape) for t in scene.things]
        self._by_shape = [t for t in scene.things if shapes.count(t.shape) == 1]
        self._by_colour = [t for t in scene.things if colours.count(t.colour) == 1]
        self._by_look = [t for t in scene.things if looks.count((t.colour, t.shape)) == 1]

    # Openings. Each returns the turn, what it was about, the property answered, and how the thing
    # was named; or None where the scene does not settle any such question.

    def chains(self) -> list[Chain]:
        """Every kind of question that the scene allows, in random order."""
        # What the model learns last is asked most: counting, and finding a thing by its shape.
        weights = (
            (self._what_at, 1),
            (self._which_shape, 1),
            (self._colour_at, 1),
            (self._what_colour, 2),
            (self._where, 4),
            (self._presence, 2),
            (self._check, 1),
            (self._count, 9),
            (self._count_all, 2),
            (self._describe, 1),
            (self._absent, 1),
        )
        makers = [maker for maker, times in weights for _ in range(times)]
        self._rng.shuffle(makers)
        return [chain for maker in makers if (chain := maker())]

    def _pick(self, *options: str) -> str:
        return self._rng.choice(options)

    def _turn(self, kind: str, question: str, answer: str) -> Turn:
        return Turn(kind, word(self._rng, question, plain=kind == "followup"), answer)

    def _describe(self) -> Chain:
        return [self._turn("describe", self._rng.choice(DESCRIBE), describe(self._scene))]

    def _at(self, cell: int) -> Thing | None:
        return next((t for t in self._things if t.cell == cell), None)

    def _place(self) -> tuple[str, Thing | None]:
        """Words for a place, and the one thing there, or None where it is empty."""
        if self._rng.random() < 0.3:
            sides = [
                (self._rng.choice(words), inside[0])
                for cells, words in SIDES
                if len(inside := [t for t in self._things if t.cell in cells]) == 1
            ]
            if sides:
                return self._rng.choice(sides)
        if self._things and self._rng.random() < 0.85:
            cell = self._rng.choice(self._things).cell
        else:
            cell = self._rng.randrange(CELLS)
        return self._rng.choice(CELL_WORDS[cell]), self._at(cell)

    def _what_at(self) -> Chain | None:
        place, thing = self._place()
        question = self._pick(
            f"What is {place}?",
            f"What is {place}?",
            f"What shape is {place}?",
            f"Which shape is {place}?",
            f"What do you see {place}?",
            f"What is the shape {place}?",
            f"What is there {place}?",
        )
        if thing is None:
            return self._follow([self._turn("empty", question, "Nothing.")], None, "shape", "cell")
        answer = sentence(article(thing.shape))
        return self._follow([self._turn("shape", question, answer)], thing, "shape", "cell")

    def _colour_at(self) -> Chain | None:
        place, thing = self._place()
        if thing is None:
            return None
        noun = self._noun(thing)
        question = self._pick(
            f"What colour is the {noun} {place}?",
            f"Which colour is the {noun} {place}?",
            f"What is the colour of the {noun} {place}?",
            f"What colour does the {noun} {place} have?",
        )
        chain = [self._turn("colour", question, sentence(thing.colour))]
        return self._follow(chain, thing, "colour", "cell")

    def _noun(self, thing: Thing) -> str:
        return self._pick(thing.shape, "shape", "thing", "object")

    def _which_shape(self) -> Chain | None:
        if not self._by_colour:
            return None
        thing = self._rng.choice(self._by_colour)
        c = thing.colour
        question = self._pick(
            f"Which shape is {c}?",
            f"What is {c}?",
            f"What is the {c} thing?",
            f"What shape is the {c} one?",
            f"What is the {c} shape?",
            f"What shape is the {c} object?",
            f"Which object is {c}?",
            f"What kind of shape is the {c} one?",
            f"What shape is {c}?",
        )
        chain = [self._turn("shape", question, sentence(article(thing.shape)))]
        return self._follow(chain, thing, "shape", "colour")

    def _what_colour(self) -> Chain | None:
        if not self._by_shape:
            return None
        thing = self._rng.choice(self._by_shape)
        s = thing.shape
        question = self._pick(
            f"What colour is the {s}?",
            f"What colour is the {s}?",
            f"Which colour is the {s}?",
            f"What is the colour of the {s}?",
            f"What colour does the {s} have?",
            f"The {s} is what colour?",
            f"Which colour does the {s} have?",
            f"What's the {s}'s colour?",
        )
        return self._follow([self._turn("colour", question, sentence(thing.colour))], thing, "colour", "shape")

    def _where(self) -> Chain | None:
        named: list[tuple[Thing, str, str]] = []
        named += [(t, t.shape, "shape") for t in self._by_shape for _ in range(2)]
        named += [(t, f"{t.colour} {t.shape}", "look") for t in self._by_look]
        named += [(t, f"{t.colour} {self._pick('shape', 'thing', 'object', 'one')}", "colour") for t in self._by_colour]
        if not named:
            return None
        thing, name, by = self._rng.choice(named)
        question = self._pick(
            f"Where is the {name}?",
            f"Where is the {name}?",
            f"Where can I find the {name}?",
            f"Where do you see the {name}?",
            f"In which place is the {name}?",
            f"Where is the {name} in the picture?",
        )
        return self._follow([self._turn("position", question, sentence(PLACES[thing.cell]))], thing, "place", by)

    def _presence(self) -> Chain | None:
        r = self._rng
        present = bool(self._things) and r.random() < 0.5
        kind = r.choice(("shape", "colour", "look", "look"))
        shapes = {t.shape for t in self._things}
        colours = {t.colour for t in self._things}
        looks = {(t.colour, t.shape) for t in self._things}
        focus: Thing | None = None
        if kind == "shape":
            shape = r.choice(sorted(shapes) if present else [s for s in SHAPES if s not in shapes])
            name, unique = shape, [t for t in self._by_shape if t.shape == shape]
        elif kind == "colour":
            colour = r.choice(sorted(colours) if present else [c for c in COLOUR_NAMES if c not in colours])
            name = f"{colour} {self._pick('shape', 'thing', 'object')}"
            unique = [t for t in self._by_colour if t.colour == colour]
        else:
            if present:
                look = r.choice(sorted(looks))
            elif self._things and r.random() < 0.6:
                # The hard case: the colour and the shape are both there, or one of them is.
                near = [(c, s) for c in sorted(colours) for s in sorted(shapes) if (c, s) not in looks]
                look = r.choice(near) if near and r.random() < 0.7 else (r.choice(COLOUR_NAMES), r.choice(SHAPES))
            else:
                look = (r.choice(COLOUR_NAMES), r.choice(SHAPES))
            present = look in looks
            name = f"{look[0]} {look[1]}"
            unique = [t for t in self._by_look if (t.colour, t.shape) == look]
        focus = unique[0] if present and unique else None
        self._last = name
        a = article(name)
        question = self._pick(
            f"Is there {a}?",
            f"Is there {a}?",
            f"Is there {a} in the picture?",
            f"Do you see {a}?",
            f"Can you see {a}?",
            f"Does the picture have {a}?",
            f"Does the image show {a}?",
            f"Is {a} in the picture?",
        )
        chain = [self._turn("presence", question, "Yes." if present else "No.")]
        return self._follow(chain, focus, "presence", kind)

    def _check(self) -> Chain | None:
        """A yes or no about the colour of a thing that is there."""
        if not self._by_shape:
            return None
        thing = self._rng.choice(self._by_shape)
        true = self._rng.random() < 0.5
        others = [t.colour for t in self._things if t.colour != thing.colour] or [
            c for c in COLOUR_NAMES if c != thing.colour
        ]
        colour = thing.colour if true else self._rng.choice(others)
        question = f"Is the {thing.shape} {colour}?"
        return [self._turn("presence", question, "Yes." if true else "No.")]

    def _absent(self) -> Chain | None:
        """Asking after a shape that is not there: said so, rather than guessed."""
        if self._rng.random() < 0.5:
            return None
        shapes = {t.shape for t in self._things}
        shape = self._rng.choice([s for s in SHAPES if s not in shapes])
        question = self._pick(f"What colour is the {shape}?", f"Where is the {shape}?")
        return [self._turn("absent", question, f"There is no {shape}.")]

    def _how_many(self, noun: str) -> str:
        return self._pick(
            f"How many {noun} are there?",
            f"How many {noun} are there?",
            f"How many {noun} do you see?",
            f"How many {noun} are in the picture?",
            f"Count the {noun}.",
            f"How many {noun}?",
            f"How many {noun} can you see?",
            f"What is the number of {noun}?",
        )

    def _count_all(self) -> Chain | None:
        noun = self._pick("shapes", "things", "objects", "shapes", "items")
        return [self._turn("count", self._how_many(noun), sentence(NUMBERS[len(self._things)]))]

    def _count(self) -> Chain | None:
        by, value, noun = self._countable()
        self._last = value
        found = self._counted(by, value)
        chain = [self._turn("count", self._how_many(noun), sentence(NUMBERS[len(found)]))]
        return self._follow(chain, found[0] if len(found) == 1 else None, "count", by)

    def _countable(self) -> tuple[str, str, str]:
        """Something to count: mostly a shape or colour that is there, so that zero stays rare."""
        by = self._rng.choices(("shape", "colour"), weights=(2, 1))[0]
        there = bool(self._things) and self._rng.random() < 0.8
        if by == "shape":
            shape = self._rng.choice([t.shape for t in self._things] if there else SHAPES)
            return by, shape, plural(shape)
        colour = self._rng.choice([t.colour for t in self._things] if there else COLOUR_NAMES)
        return by, colour, f"{colour} {self._pick('shapes', 'things', 'objects', 'ones')}"

    def _counted(self, by: str, value: str) -> list[Thing]:
        return [t for t in self._things if (t.shape if by == "shape" else t.colour) == value]

    # Follow-ups.

    def _follow(self, chain: Chain, thing: Thing | None, asked: str, by: str) -> Chain:
        """Lengthen `chain` by up to three follow-ups. `thing` is what "it" would mean; `asked` is
        the property that "And the other one?" would ask for; `by` is how the thing was named."""
        told = {asked, *({"colour", "shape"} if by == "look" else {by})}
        if by == "cell":
            told.add("place")
        for _ in range(self._rng.choices((0, 1, 2, 3), weights=(30, 35, 23, 12))[0]):
            options = self._it_options(thing, told) + self._and_options(thing, asked, by)
            if not options:
                break
            question, answer, thing, asked, by, told = self._rng.choice(options)
            chain.append(self._turn("followup", question, answer))
        return chain

    def _answer(self, thing: Thing, asked: str) -> str:
        if asked == "colour":
            return sentence(thing.colour)
        return sentence(article(thing.shape) if asked == "shape" else PLACES[thing.cell])

    def _it_options(self, thing: Thing | None, told: set[str]) -> list[_Option]:
        if thing is None:
            return []
        wordings = {
            "colour": (
                "What colour is it?",
                "What colour is it?",
                "Which colour is it?",
                "And its colour?",
                "What is its colour?",
                "And what colour is it?",
            ),
            "place": (
                "Where is it?",
                "Where is it?",
                "And where is it?",
                "Where exactly is it?",
                "Where in the picture is it?",
            ),
            "shape": ("What is it?", "What shape is it?", "And what is it?", "Which shape is it?"),
        }
        return [
            (self._rng.choice(words), self._answer(thing, asked), thing, asked, "it", told | {asked})
            for asked, words in wordings.items()
            if asked not in told
            for _ in range(2)
        ]

    def _and_options(self, thing: Thing | None, asked: str, by: str) -> list[_Option]:
        options: list[_Option] = []
        lead = self._pick("And", "And", "And", "What about", "How about")

        def add(question: str, answer: str, about: Thing | None, named: str) -> None:
            options.append((question, answer, about, asked, named, {asked, named}))

        if asked in ("colour", "place") and by in ("shape", "it"):
            for other in self._by_shape:
                if other is not thing:
                    add(f"{lead} the {other.shape}?", self._answer(other, asked), other, "shape")
        if asked in ("shape", "place") and by in ("colour", "it"):
            for other in self._by_colour:
                if other is not thing:
                    add(f"{lead} the {other.colour} one?", self._answer(other, asked), other, "colour")
        if asked in ("shape", "colour") and by == "cell":
            for other in self._things:
                if other is not thing:
                    place = self._rng.choice(CELL_WORDS[other.cell])
                    add(f"{lead} {place}?", self._answer(other, asked), other, "cell")
        if asked in ("shape", "colour", "place") and thing and len(self._things) == 2:
            other = self._things[1 - self._things.index(thing)]
            for _ in range(2):
                add(f"{lead} the other one?", self._answer(other, asked), other, "it")
        if asked == "count":
            named, value, noun = self._countable()
            found = self._counted(named, value)
            if named == by and value != self._last:
                about = found[0] if len(found) == 1 else None
                add(f"{lead} {noun}?", sentence(NUMBERS[len(found)]), about, named)
        if asked == "presence" and by == "shape":
            shape = self._rng.choice([s for s in SHAPES if s != self._last])
            found = self._counted("shape", shape)
            about = found[0] if len(found) == 1 else None
            add(f"{lead} {article(shape)}?", "Yes." if found else "No.", about, "shape")
        # One of each family at most, so that "it" keeps its share.
        self._rng.shuffle(options)
        return options[:3]


_Option = tuple[str, str, Thing | None, str, str, set[str]]
