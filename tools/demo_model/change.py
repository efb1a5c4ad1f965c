"""Two pictures in one question: what changed from the first to the second."""

from __future__ import annotations

import random
from dataclasses import replace

from .asked import NAMES
from .lexicon import COLOURS, Language, article, zh
from .phrases import Phrases
from .scenes import Scene, Thing, sample
from .scenes.prices import price
from .scenes.scene import CELLS
from .scenes.shapes import shade, thing

# What can change, and in which scenes.
HOW = ("colour", "gone", "added", "price")


def sample_change(rng: random.Random, language: Language, *, unseen: bool = False) -> tuple[Scene, Scene, str]:
    """A scene, the same after one change, and the change in words."""
    how = rng.choices(HOW, weights=(4, 3, 3, 4))[0]
    kind = "tags" if how == "price" else "shapes"
    first = sample(kind, rng, unseen=unseen)
    while not _fits(first, how):
        first = sample(kind, rng, unseen=unseen)
    things, item = list(first.things), rng.choice(first.things)
    at = things.index(item)
    english, chinese = "nothing changed", "没有变化"
    if how == "colour":
        colour = rng.choice([c for c in COLOURS if c != item.colour])
        things[at] = replace(item, colour=colour, rgb=shade(rng, colour))
        english, chinese = f"the {item.name} is now {colour}", f"{zh(item.name)}变成了{zh(colour)}"
    elif how == "gone":
        del things[at]
        english, chinese = f"the {item.colour} {item.name} is gone", f"{zh(item.colour)}{zh(item.name)}不见了"
    elif how == "added":
        new = _new_thing(rng, first)
        things = sorted([*things, new], key=lambda t: t.cell)
        english, chinese = f"{article(new.colour)} {new.name} was added", f"多了{zh(new.colour)}{zh(new.name)}"
    else:
        cost = price(rng, item.price[0])
        while cost == item.price:
            cost = price(rng, item.price[0])
        things[at] = replace(item, price=cost)
        english, chinese = f"the {item.name} now costs {cost}", f"{zh(item.name)}现在{cost}"
    second = replace(first, things=tuple(things))
    return first, second, Phrases(language, rng, unseen).say(english, chinese)


def _fits(scene: Scene, how: str) -> bool:
    names = [t.name for t in scene.things]
    return len(set(names)) == len(names) and (how == "price" or 1 < len(names) < 5)


def _new_thing(rng: random.Random, scene: Scene) -> Thing:
    taken = {t.cell for t in scene.things}
    cell = rng.choice([c for c in range(CELLS) if c not in taken])
    name = rng.choice([n for n in NAMES["shapes"] if all(t.name != n for t in scene.things)])
    return thing(rng, name, rng.choice(list(COLOURS)), cell, rng.uniform(0.09, 0.15))
