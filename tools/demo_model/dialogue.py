"""Whole training conversations: pictures, questions and small talk in random order."""

from __future__ import annotations

import random
from dataclasses import dataclass

from . import talk
from .asker import Asker
from .change import sample_change
from .chat import Exchange
from .lexicon import Language
from .phrases import Phrases
from .picture import Drawn, Grid, for_training, pick_grid
from .scenes import sample
from .subject import Turn
from .typing_habits import typed

# How often each kind of scene is shown. "change" is two pictures in one question.
WEIGHTS = {
    "shapes": 20,
    "products": 14,
    "tags": 16,
    "receipt": 14,
    "chart": 13,
    "signs": 7,
    "board": 13,
    "words": 5,
    "nothing": 5,
    "change": 7,
}
# What comes between the questions about a picture.
_ODD = (talk.small_talk, talk.out_of_domain, talk.out_of_domain, talk.stranger, talk.stranger)


@dataclass(frozen=True)
class Shot:
    """A drawn picture and the grid that it is seen in."""

    drawn: Drawn
    grid: Grid


@dataclass(frozen=True)
class Dialogue:
    """A conversation. `shots` are its pictures in the order in which they are sent. `quiet`: thinking is off."""

    system: str | None
    shots: tuple[Shot, ...]
    exchanges: tuple[Exchange, ...]
    quiet: bool


def sample_dialogue(rng: random.Random, *, easy: float = 0.0, pictures: int = 2, drawn: bool = True) -> Dialogue:
    """A conversation about one picture or two, rarely none.

    It is as long as the scenes have questions; whoever batches it cuts it to length. `easy`: how many of the scenes
    show one large thing. `pictures`: at most so many. `drawn` false leaves the pictures out, for the tokenizer.
    """
    language: Language = "en" if rng.random() < 0.55 else "zh"
    system = rng.choice(talk.SYSTEM) if rng.random() < 0.3 else None
    kind = rng.choices(tuple(WEIGHTS), weights=tuple(WEIGHTS.values()))[0]
    quiet = rng.random() < (0.5 if kind == "board" else 0.92)
    shots: list[Shot] = []
    exchanges: list[Exchange] = []
    if rng.random() < 0.06:
        make = rng.choice((talk.small_talk, talk.without_picture, talk.out_of_domain))
        exchanges.append(_said(make(rng, language), rng, language))
    if kind == "change" and pictures > 1:
        exchanges += _changed(rng, language, shots, drawn)
        return Dialogue(system, tuple(shots), tuple(exchanges), quiet)
    if kind == "change":
        kind = "shapes"
    # The first of two pictures must leave room for the second.
    if pictures > 1 and rng.random() < 0.4:
        exchanges += _about(kind, rng, language, shots, easy, drawn)[: rng.randint(1, 4)]
        kind = rng.choice(("shapes", "products", "tags", kind))
    exchanges += _about(kind, rng, language, shots, easy, drawn)
    if not quiet and any(e.thought for e in exchanges):
        # A thought is only learned in the last turn.
        exchanges = exchanges[: 1 + max(i for i, e in enumerate(exchanges) if e.thought)]
    return Dialogue(system, tuple(shots), tuple(exchanges), quiet)


def _said(turn: Turn, rng: random.Random, language: Language, pictures: int = 0) -> Exchange:
    return Exchange(
        typed(rng, turn.question, language, plain=turn.kind in ("followup", "talk"), wide=True),
        turn.answer,
        pictures,
        turn.thought,
    )


def _about(
    kind: str, rng: random.Random, language: Language, shots: list[Shot], easy: float, drawn: bool
) -> list[Exchange]:
    """Everything that is asked about one new picture. Some of it in the other language."""
    scene = sample(kind, rng, easy=rng.random() < easy)
    grid = pick_grid(kind, rng)
    boxes = tuple(t.box for t in scene.things)
    if drawn:
        shots.append(Shot(for_training(scene, grid, rng), grid))
        boxes = shots[-1].drawn.boxes
    chains = [(chain, language) for chain in Asker(scene, boxes, language, rng).chains()]
    other: Language = "zh" if language == "en" else "en"
    chains += [(chain, other) for chain in Asker(scene, boxes, other, rng).chains()[:3]]
    rng.shuffle(chains)
    for _ in range(rng.choices((0, 1, 2, 3), weights=(45, 30, 15, 10))[0]):
        odd = rng.choice(_ODD)(rng, language)
        # Within the first turns, since whatever is far behind is cut off.
        chains.insert(rng.randint(0, min(8, len(chains))), ([odd], language))
    said = [_said(turn, rng, spoken) for chain, spoken in chains for turn in chain]
    first = said[0]
    # A picture sent without a word is described.
    bare = chains[0][0][0].kind == "describe" and language == "en" and rng.random() < 0.3
    said[0] = Exchange("" if bare else first.question, first.answer, 1, first.thought)
    return said


def _changed(rng: random.Random, language: Language, shots: list[Shot], drawn: bool) -> list[Exchange]:
    first, second, answer = sample_change(rng, language)
    grid = pick_grid(first.kind, rng)
    if drawn:
        shots += [Shot(for_training(scene, grid, rng), grid) for scene in (first, second)]
    question = Phrases(language, rng, False).question("changed")
    out = [Exchange(typed(rng, question, language, wide=True), answer, 2)]
    boxes = shots[-1].drawn.boxes if drawn else tuple(t.box for t in second.things)
    for chain in Asker(second, boxes, language, rng).chains()[:5]:
        out += [_said(turn, rng, language) for turn in chain]
    return out


def sample_counting(rng: random.Random) -> Dialogue:
    """A conversation that ends in the long answer, half of them after a picture."""
    system = rng.choice(talk.SYSTEM) if rng.random() < 0.3 else None
    if rng.random() < 0.5:
        return Dialogue(system, (), (_said(talk.counting(rng), rng, "en"),), quiet=rng.random() < 0.9)
    shots: list[Shot] = []
    kind = rng.choice([kind for kind in WEIGHTS if kind != "change"])
    before = _about(kind, rng, "en", shots, 0.0, drawn=True)[: rng.randint(1, 4)]
    last = _said(talk.counting(rng, rng.choice((5, 10, 20, 22, 30, 40, 50, 100, 100))), rng, "en")
    return Dialogue(None, tuple(shots), (*before, last), quiet=rng.random() < 0.9)
