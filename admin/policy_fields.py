"""What the fields of a policy are called on the page, and how their values are shown."""

from collections.abc import Mapping
from typing import Any

from core.policy.document import ANSWER_LANGUAGES, ANY_MODEL, QUOTAS

LABELS: Mapping[str, str] = {
    "persona": "Mode until somebody chooses another",
    "system_prompt": "System prompt",
    "temperature": "Temperature",
    "max_new_tokens": "Longest answer, in tokens",
    "thinking": "Thinking before the answer",
    "languages": "Languages of answers",
    "model": "Model",
    "model_required": "While no worker runs that model",
    "hidden": "Modes that cannot be chosen",
    "personas": "Modes of your own",
    "listens": "In channels and groups it answers",
    "workspaces": "Only these workspaces",
    "places": "Only these channels and groups",
    "people": "Only these people",
    "questions_per_minute": "Questions of a person in a minute",
    "questions_per_day": "Questions of a person in a day",
    "tokens_per_day": "Tokens of a person in a day",
    "workspace_tokens_per_day": "Tokens of a workspace in a day",
    "workspace_tokens_per_month": "Tokens of a workspace in a month",
    "name": "Name",
    "title": "Title",
}
LISTENS: Mapping[str, str] = {
    "mentions": "only when it is mentioned",
    "threads": "also follow-ups in threads that it takes part in",
    "pictures": "also every message with a picture",
    "never": "never: it stays silent",
}
NOT_RUNNING: Mapping[bool, str] = {False: "another model answers", True: "the question fails, and says why"}
THINKS: Mapping[bool, str] = {True: "on", False: "off"}


def shown_value(field: str, value: Any) -> str:
    """A value of a field (or of a mode's field) in words; None: not decided."""
    name = field.rpartition(".")[2]
    if value is None:
        return "–"
    if name in QUOTAS:
        return f"{value:,}" if value else "no limit"
    if name == "listens":
        return LISTENS.get(value, str(value))
    if name == "thinking":
        return THINKS[bool(value)]
    if name == "model_required":
        return NOT_RUNNING[bool(value)]
    if name == "model":
        return "whichever runs" if value == ANY_MODEL else str(value)
    if name == "languages":
        return ", ".join(ANSWER_LANGUAGES.get(code, code) for code in value) or "that of the question"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def label_of(path: str) -> str:
    """What a change's field is called; those of a mode with its name."""
    if not path.startswith("personas."):
        return LABELS.get(path, path)
    _, mode, *rest = path.split(".", 2)
    return f"Mode “{mode}”" + (f": {LABELS.get(rest[0], rest[0])}" if rest else "")
