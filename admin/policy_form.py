"""The form of a policy: what a browser sends becomes a document, and its faults stand beside their fields.

An empty field decides nothing. Where an empty list means something, a box beside it says that it is decided here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from admin.forms import Form
from core.policy.document import FIELDS, WHO, PersonaEntry, Policy, check_policy
from core.policy.levels import Level

LARGEST = 2 * 1024 * 1024
_MODE = re.compile(r"mode-(\d{1,3})-[a-z_]+")
_CHOSEN = ("languages", "hidden")
_TEXTS = ("system_prompt",)


@dataclass(frozen=True, slots=True)
class Given:
    """What was typed. `problems`: by the name of the form's field; under `""` what concerns all of it."""

    document: Mapping[str, Any]
    policy: Policy | None
    problems: Mapping[str, str] = field(default_factory=dict)


def read_policy_form(form: Form, level: Level) -> Given:
    """Read and check a form."""
    document: dict[str, Any] = {}
    for name in FIELDS[level]:
        if name == "personas":
            continue
        if name in _CHOSEN:
            value = _chosen(form, name)
        elif name in WHO:
            value = form.get(name).split() or None
        else:
            value = _typed(form, name, name)
        if value is not None:
            document[name] = value
    if "personas" in FIELDS[level] and (modes := _modes(form)):
        document["personas"] = modes
    try:
        return Given(document, check_policy(level, document))
    except ValidationError as error:
        return Given(document, None, _problems(error))


def _typed(form: Form, name: str, known_as: str) -> Any:
    """None where nothing was typed. Numbers are left to the check, which says what is wrong with them."""
    value = form.get(name)
    if known_as in _TEXTS:
        # Browsers send CR LF.
        value = value.replace("\r\n", "\n")
    return value or None


def _chosen(form: Form, name: str) -> list[str] | None:
    values = [value for value in form.all(name) if value]
    return values if values or form.get(f"{name}-here") == "1" else None


def _modes(form: Form) -> list[dict[str, Any]]:
    """The modes that were typed."""
    modes = []
    for number in sorted({int(found[1]) for name in form.names() if (found := _MODE.fullmatch(name))}):
        prefix = f"mode-{number}-"
        mode: dict[str, Any] = {}
        for name in PersonaEntry.model_fields:
            value = _chosen(form, prefix + name) if name in _CHOSEN else _typed(form, prefix + name, name)
            if value is not None:
                mode[name] = value
        # One without anything in it is the empty one that every form has.
        if mode and form.get(f"{prefix}remove") != "1":
            mode.setdefault("name", "")
            modes.append(mode)
    return modes


def _problems(error: ValidationError) -> dict[str, str]:
    problems: dict[str, str] = {}
    for fault in error.errors(include_input=False, include_url=False):
        place = fault["loc"]
        if len(place) >= 2 and place[0] == "personas" and isinstance(place[1], int):
            # By its number in the form that is shown again.
            name = f"mode-{place[1]}-{place[2] if len(place) > 2 else 'name'}"
        else:
            name = str(place[0]) if place else ""
        problems.setdefault(name, _said(fault["type"], fault["msg"], fault.get("ctx", {})))
    return problems


def _said(kind: str, message: str, context: Mapping[str, Any]) -> str:
    """Pydantic's words, plainer."""
    match kind:
        case "int_parsing" | "int_from_float" | "int_type":
            return "This must be a whole number."
        case "float_parsing" | "float_type":
            return "This must be a number."
        case "greater_than_equal":
            return f"This must be at least {context['ge']:g}."
        case "less_than_equal":
            return f"This must be at most {context['le']:,g}."
        case "string_too_long" | "too_long":
            most = context.get("max_length")
            return f"This is too long: at most {most:,} {'characters' if kind == 'string_too_long' else 'entries'}."
        case "string_pattern_mismatch":
            return "There must be no spaces in it."
        case "literal_error" | "bool_parsing":
            return "This cannot be chosen."
    return message[:1].upper() + message[1:] + ("" if message.endswith(".") else ".")
