"""How people word things: names of places, numbers, and the liberties of typing."""

from __future__ import annotations

import random

from .scenes import COLOURS, Scene

COLOUR_NAMES = tuple(COLOURS)
NUMBERS = ("None", "One", "Two", "Three", "Four", "Five")
NO_SHAPES = "I see no coloured shapes."

# Where an answer says that something is.
PLACES = (
    "in the top left",
    "at the top",
    "in the top right",
    "on the left",
    "in the centre",
    "on the right",
    "in the bottom left",
    "at the bottom",
    "in the bottom right",
)

# How a question may name a cell, each wording true of that one cell only.
CELL_WORDS: tuple[tuple[str, ...], ...] = (
    (
        "in the top left",
        "in the top left",
        "in the upper left",
        "in the top left corner",
        "top left",
        "at the top left",
        "in the top-left corner",
    ),
    (
        "in the top middle",
        "in the top centre",
        "at the top in the middle",
        "at the top centre",
        "at the top in the centre",
    ),
    (
        "in the top right",
        "in the top right",
        "in the upper right",
        "in the top right corner",
        "top right",
        "at the top right",
        "in the top-right corner",
    ),
    ("in the middle left", "on the left in the middle", "in the centre left", "halfway down on the left"),
    (
        "in the centre",
        "in the middle",
        "in the centre of the picture",
        "in the middle of the picture",
        "in the very centre",
    ),
    ("in the middle right", "on the right in the middle", "in the centre right", "halfway down on the right"),
    (
        "in the bottom left",
        "in the bottom left",
        "in the lower left",
        "in the bottom left corner",
        "bottom left",
        "at the bottom left",
        "in the bottom-left corner",
    ),
    (
        "in the bottom middle",
        "in the bottom centre",
        "at the bottom in the middle",
        "at the bottom centre",
        "at the bottom in the centre",
    ),
    (
        "in the bottom right",
        "in the bottom right",
        "in the lower right",
        "in the bottom right corner",
        "bottom right",
        "at the bottom right",
        "in the bottom-right corner",
    ),
)

# A whole side: asked about only where one thing lies along it.
SIDES: tuple[tuple[frozenset[int], tuple[str, ...]], ...] = (
    (frozenset((0, 3, 6)), ("on the left", "on the left side", "on the left-hand side")),
    (frozenset((2, 5, 8)), ("on the right", "on the right side", "on the right-hand side")),
    (frozenset((0, 1, 2)), ("at the top", "in the top row", "up at the top")),
    (frozenset((6, 7, 8)), ("at the bottom", "in the bottom row", "down at the bottom")),
)

DESCRIBE = (
    "Describe the picture.",
    "Describe the image.",
    "Describe this picture.",
    "What do you see?",
    "What is in the picture?",
    "What is in this image?",
    "What is this?",
    "What can you see?",
    "What's in the picture?",
    "What is shown here?",
    "Tell me about this picture.",
    "What does the picture show?",
    "Please describe what you see.",
    "What can you see in the picture?",
    "What is on the picture?",
    "Describe it.",
    "What's this?",
    "What is in this picture?",
)


def plural(shape: str) -> str:
    """More than one of `shape`."""
    return shape + ("es" if shape == "cross" else "s")


def article(word: str) -> str:
    """`word` with its indefinite article."""
    return ("an " if word[0] in "aeiou" else "a ") + word


def sentence(text: str) -> str:
    """`text` as a sentence of its own."""
    return text[0].upper() + text[1:] + "."


def describe(scene: Scene) -> str:
    """All of `scene`, in reading order."""
    if not scene.things:
        return NO_SHAPES
    parts = [f"{article(t.colour)} {t.shape} {PLACES[t.cell]}" for t in scene.things]
    joined = " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
    return sentence(joined)


def word(rng: random.Random, question: str, *, plain: bool = False) -> str:
    """Vary a question the way people type: spelling, case, punctuation, politeness."""
    if rng.random() < 0.4:
        question = question.replace("colour", "color")
    if rng.random() < 0.3:
        question = question.replace("centre", "center")
    if rng.random() < 0.15:
        question = question.replace("What is", "What's").replace("Where is", "Where's")
    if not plain and rng.random() < 0.06:
        opening = rng.choice(("Please tell me: ", "Can you tell me: ", "Hey, ", "Ok, ", "So ", "Tell me, ", "Now: "))
        question = opening + question[0].lower() + question[1:]
    if rng.random() < 0.25:
        question = question.rstrip("?.")
    if rng.random() < 0.3:
        question = question.lower()
    elif rng.random() < 0.02:
        question = question.upper()
    return question
