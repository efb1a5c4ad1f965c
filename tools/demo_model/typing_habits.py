"""The liberties that people take when they type."""

from __future__ import annotations

import random

from .lexicon import Language

_OPENINGS = ("Please tell me: ", "Can you tell me: ", "Hey, ", "Ok, ", "So ", "Tell me, ", "Now: ")
# In training there are more of them, so that what stands before a question matters less; but none with which a
# question would be one of the exam's.
_MORE_OPENINGS = (
    *("Please tell me: ", "Hey, ", "Ok, ", "So ", "Now: "),
    *("Quick question: ", "One more: ", "Well, ", "I want to know: ", "Could you say: ", "Next: ", "Look: "),
    *("I wonder, ", "Do you know: ", "Let me ask: ", "Say, ", "And tell me: "),
)


def typed(rng: random.Random, question: str, language: Language, *, plain: bool = False, wide: bool = False) -> str:
    """`question` as somebody might type it: spelling, case, punctuation and, unless `plain`, politeness; `wide`: as
    in training, with more of it."""
    if language == "zh":
        if not plain and rng.random() < 0.1 and not question.startswith("请"):
            question = "请问" + question
        if rng.random() < 0.25:
            question = question.rstrip("？。")
        elif rng.random() < 0.1:
            question = question.replace("？", "?")
        return question
    if rng.random() < 0.4:
        question = question.replace("colour", "color")
    if rng.random() < 0.3:
        question = question.replace("centre", "center")
    if rng.random() < 0.15:
        question = question.replace("What is", "What's").replace("Where is", "Where's")
    if not plain and rng.random() < (0.12 if wide else 0.05):
        question = rng.choice(_MORE_OPENINGS if wide else _OPENINGS) + question[0].lower() + question[1:]
    if rng.random() < 0.25:
        question = question.rstrip("?.")
    if rng.random() < 0.3:
        question = question.lower()
    elif rng.random() < (0.06 if wide else 0.02):
        question = question.upper()
    return question
