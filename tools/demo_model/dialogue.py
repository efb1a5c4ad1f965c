"""Whole training conversations: scenes, questions and small talk in random order."""

from __future__ import annotations

import random
from dataclasses import dataclass

from . import talk
from .chat import Exchange
from .questions import Asker
from .scenes import Scene, sample_scene


@dataclass(frozen=True)
class Dialogue:
    """A conversation. `scenes` are its pictures in the order in which they are sent."""

    system: str | None
    scenes: tuple[Scene, ...]
    exchanges: tuple[Exchange, ...]
    quiet: bool


MAX_CHAINS = 12


def sample_dialogue(rng: random.Random) -> Dialogue:
    """A conversation about one picture, sometimes two, rarely none.

    It is as long as the scenes have questions; whoever batches it cuts it to length.
    """
    system = rng.choice(talk.SYSTEM) if rng.random() < 0.35 else None
    quiet = rng.random() < 0.9
    exchanges: list[Exchange] = []
    if rng.random() < 0.12:
        for _ in range(rng.randint(1, 2)):
            turn = rng.choice((talk.small_talk, talk.without_picture, talk.without_picture, talk.out_of_domain))(rng)
            exchanges.append(Exchange(turn.question, turn.answer))
    count = 2 if rng.random() < 0.2 else 1
    scenes = tuple(sample_scene(rng) for _ in range(count))
    for scene in scenes:
        # The first of two pictures must leave room for the second.
        limit = rng.randint(1, 4) if count == 2 and scene is scenes[0] else MAX_CHAINS
        exchanges += _about(scene, rng, limit)
    return Dialogue(system, scenes, tuple(exchanges), quiet)


def _about(scene: Scene, rng: random.Random, limit: int) -> list[Exchange]:
    chains = Asker(scene, rng).chains()[:limit]
    if rng.random() < 0.25:
        odd = rng.choice((talk.small_talk, talk.out_of_domain, talk.out_of_domain))(rng)
        chains.insert(rng.randint(1, len(chains)), [odd])
    turns = [turn for chain in chains for turn in chain]
    exchanges = [Exchange(turn.question, turn.answer) for turn in turns]
    first = exchanges[0]
    # A picture sent without a word is described.
    question = "" if turns[0].kind == "describe" and rng.random() < 0.3 else first.question
    exchanges[0] = Exchange(question, first.answer, pictures=1)
    return exchanges


def sample_counting(rng: random.Random) -> Dialogue:
    """A conversation that ends in the long answer, half of them after a picture."""
    turn = talk.counting(rng)
    system = rng.choice(talk.SYSTEM) if rng.random() < 0.3 else None
    last = Exchange(turn.question, turn.answer)
    if rng.random() < 0.5:
        return Dialogue(system, (), (last,), quiet=rng.random() < 0.9)
    scene = sample_scene(rng)
    before = _about(scene, rng, 2)[:4]
    return Dialogue(system, (scene,), (*before, last), quiet=rng.random() < 0.9)
