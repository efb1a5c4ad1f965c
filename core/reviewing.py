"""The words of reviewing: what admins may say about answers, and the rules that fill their queues."""

import hashlib
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from core.errors import WrongParameter

NAME_MAX_CHARS = 64
REASON_MAX_CHARS = 1000
NOTE_MAX_CHARS = 5000
CORRECTION_MAX_CHARS = 20_000
# What one admin may write beside one turn.
MOST_NOTES = 50
MOST_JUDGES = 5


class ReviewState(StrEnum):
    """How far the review of a conversation is."""

    NEW = "new"
    IN_REVIEW = "in_review"
    DONE = "done"


class Verdict(StrEnum):
    """What an admin thinks of an answer."""

    GOOD = "good"
    BAD = "bad"
    UNSURE = "unsure"


class Rule(StrEnum):
    """What brings a turn into a queue."""

    THUMBS_DOWN = "thumbs_down"
    FAILED = "failed"
    # From question to answer: {"seconds": 30.0}.
    SLOW = "slow"
    # Asked in the mode `moderation`, or the model's provider did not allow it.
    MODERATION = "moderation"
    FLAGGED = "flagged"
    # {"label": "<id>"}.
    LABELLED = "labelled"
    # Of the answers: {"percent": 5.0}.
    SAMPLE = "sample"


def checked_rule(kind: str, seconds: str = "", percent: str = "", label: str = "") -> tuple[Rule, dict[str, Any]]:
    """A rule and its parameters, from the words of a form.

    Raises:
        WrongParameter: there is no such rule, or what it needs is missing or wrong.
    """
    if kind not in set(Rule):
        raise WrongParameter("kind", f"There is no rule “{kind}”.")
    rule = Rule(kind)
    if rule is Rule.SLOW:
        return rule, {"seconds": _number("seconds", seconds, 0.1, 86_400)}
    if rule is Rule.SAMPLE:
        return rule, {"percent": _number("percent", percent, 0.01, 100)}
    if rule is Rule.LABELLED:
        if not label:
            raise WrongParameter("label", "Choose the label whose turns the queue is for.")
        return rule, {"label": label}
    return rule, {}


def checked_name(what: str, name: str) -> str:
    """The name of a label or a queue, with single spaces.

    Raises:
        WrongParameter: it is none.
    """
    plain = " ".join(unicodedata.normalize("NFC", name).split())
    if not plain or len(plain) > NAME_MAX_CHARS or not plain.isprintable():
        raise WrongParameter("name", f"The name of a {what} has 1 to {NAME_MAX_CHARS} printable characters.")
    return plain


def folded(name: str) -> str:
    """What two names have in common that nobody would tell apart."""
    # Folding can make a few letters more of one, and there is room for twice as many.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())[: 2 * NAME_MAX_CHARS]


def checked_text(what: str, text: str, most: int, *, empty: bool = False) -> str:
    """What an admin wrote, with the line ends of SQL's other texts.

    Raises:
        WrongParameter: it is too long, or there is none where there must be some.
    """
    plain = text.replace("\r\n", "\n").strip()
    if not plain and not empty:
        raise WrongParameter("text", f"Write the {what} first.")
    if len(plain) > most:
        raise WrongParameter("text", f"The {what} has {len(plain)} characters; at most {most} are kept. Shorten it.")
    return plain


def in_sample(turn_id: str, percent: float) -> bool:
    """Whether a turn belongs to a sample of so many percent. A larger sample holds all of a smaller one."""
    share = int.from_bytes(hashlib.sha256(turn_id.encode()).digest()[:8]) / 2**64
    return share * 100 < percent


def said(kind: str, parameters: Mapping[str, Any], label: str = "") -> str:
    """A rule in words; `label` is the name of the one that it asks for."""
    match kind:
        case Rule.THUMBS_DOWN:
            return "thumbs down"
        case Rule.SLOW:
            return f"slower than {parameters['seconds']:g} s"
        case Rule.MODERATION:
            return "moderation or refused by the provider"
        case Rule.LABELLED:
            return f"labelled “{label}”"
        case Rule.SAMPLE:
            return f"sample of {parameters['percent']:g} %"
        case _:
            return kind


def _number(name: str, text: str, least: float, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise WrongParameter(name, f"{name} is a number from {least:g} to {most:g}.")
    return value
