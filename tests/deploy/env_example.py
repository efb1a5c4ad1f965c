"""What .env.example documents, beside what Settings knows."""

import re
from dataclasses import dataclass

from pydantic import AliasChoices

from core.settings import Settings
from tests.deploy.files import ROOT

_LINE = re.compile(r"^#?([A-Z][A-Z0-9_]+)=(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Documented:
    """One variable of .env.example: its name, the value beside it, and the field of Settings that it sets, if any."""

    alias_name: str
    value: str
    setting: str


def names() -> dict[str, str]:
    """Field of Settings by the name of its variable."""
    found = {}
    for field, info in Settings.model_fields.items():
        alias = info.validation_alias
        found[str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"GLIMT_{field.upper()}"] = field
    return found


def documented() -> list[Documented]:
    """Every variable of .env.example in order."""
    fields = names()
    text = (ROOT / ".env.example").read_text()
    return [Documented(name, value, fields.get(name, "")) for name, value in _LINE.findall(text)]
