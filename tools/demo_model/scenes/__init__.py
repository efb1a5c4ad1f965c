"""Scenes: what they may hold (`sample`) and how they are drawn (`paint`), one module for each kind."""

from __future__ import annotations

import random
from types import ModuleType

from . import board, chart, nothing, products, receipt, shapes, signs, tags, words
from .scene import Scene, Thing

KINDS: dict[str, ModuleType] = {
    "shapes": shapes,
    "products": products,
    "tags": tags,
    "receipt": receipt,
    "chart": chart,
    "signs": signs,
    "board": board,
    "words": words,
    "nothing": nothing,
}

__all__ = ["KINDS", "Scene", "Thing", "sample"]


def sample(kind: str, rng: random.Random, *, unseen: bool = False, easy: bool = False) -> Scene:
    """A scene of `kind`. `unseen`: maybe in a layout that training never shows; `easy`: one large thing."""
    scene: Scene = KINDS[kind].sample(rng, unseen, easy)
    return scene
