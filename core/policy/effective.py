"""What policies come to at a place: the most particular decision counts, field by field."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from core.conversation.personas import PERSONAS, PLAIN, Persona
from core.policy.document import ANSWER_LANGUAGES, ANY_MODEL, PersonaEntry, Policy
from core.policy.levels import Level
from core.settings import Settings

_SAMPLING = ("temperature", "max_new_tokens")


class Decided(NamedTuple):
    """A policy and what it is for."""

    level: Level
    policy: Policy


class Found(NamedTuple):
    """A value and the level that decided it; None: no policy did."""

    value: Any
    level: Level | None


@dataclass(frozen=True, slots=True)
class Quotas:
    """Limits; 0: none. Of a person, and of all people of a workspace together."""

    questions_per_minute: int = 0
    questions_per_day: int = 0
    tokens_per_day: int = 0
    workspace_tokens_per_day: int = 0
    workspace_tokens_per_month: int = 0

    @property
    def any(self) -> bool:
        """Whether there is one."""
        return self != UNLIMITED


UNLIMITED = Quotas()


@dataclass(frozen=True, slots=True)
class Manner:
    """How a question is to be answered. `system` is what the model is told; `model` may be empty: whichever comes."""

    persona: str
    system: str
    sampling: Mapping[str, Any]
    thinking: bool
    model: str
    model_required: bool


@dataclass(frozen=True, slots=True)
class Effective:
    """`chain`: the policies that hold at a place, the most particular first."""

    chain: tuple[Decided, ...] = ()

    def find(self, field: str) -> Found:
        """What is decided of a field; its value is None where nobody decided."""
        for level, policy in self.chain:
            value = getattr(policy, field)
            if value is not None:
                return Found(value, level)
        return Found(None, None)

    def personas(self) -> Mapping[str, Persona]:
        """Those that may be chosen here, by name: the built-in ones first, `plain` always."""
        if not self.chain:
            return PERSONAS
        known = dict(PERSONAS)
        for _, policy in reversed(self.chain):
            known |= {entry.name: _persona(entry) for entry in policy.personas}
        hidden = self.find("hidden").value or ()
        return MappingProxyType({name: persona for name, persona in known.items() if name not in hidden})

    def default_persona(self) -> str:
        """Who answers where nobody has chosen."""
        name = self.find("persona").value
        return name if name in self.personas() else PLAIN

    def persona(self, chosen: str) -> Persona:
        """The persona that was chosen at the place, or, where there is none of that name (any more), the default."""
        if not self.chain:
            return PERSONAS.get(chosen, PERSONAS[PLAIN])
        personas = self.personas()
        return personas.get(chosen) or personas[self.default_persona()]

    def manner(self, chosen: str, settings: Settings) -> Manner:
        """How is answered where people have chosen this persona: what it says counts before what the levels say."""
        persona = self.persona(chosen)
        sampling: dict[str, Any] = {name: getattr(settings, name) for name in _SAMPLING}
        sampling |= {name: value for name in _SAMPLING if (value := self.find(name).value) is not None}
        sampling |= persona.sampling
        system = persona.system or self.find("system_prompt").value or settings.system_prompt
        languages = persona.languages or self.find("languages").value or ()
        thinking = _first(persona.thinking, self.find("thinking").value, settings.reasoning)
        model = persona.model or self.find("model").value or ""
        required = _first(persona.model_required, self.find("model_required").value, False)
        return Manner(
            persona=persona.name,
            system="\n\n".join(part for part in (system, in_languages(languages)) if part),
            sampling=MappingProxyType(sampling),
            thinking=thinking,
            model="" if model == ANY_MODEL else model,
            model_required=required,
        )

    def quotas(self) -> Quotas:
        """The limits that hold here."""
        if not self.chain:
            return UNLIMITED
        return Quotas(**{name: self.find(name).value or 0 for name in Quotas.__dataclass_fields__})


def in_languages(languages: tuple[str, ...]) -> str:
    """What a model is told about the language of its answer; empty: nothing."""
    names = [ANSWER_LANGUAGES[code] for code in languages]
    if not names:
        return ""
    if len(names) == 1:
        return f"Always answer in {names[0]}, whatever the language of the question."
    return (
        f"Answer in the language of the question if it is {', '.join(names[:-1])} or {names[-1]}; "
        f"otherwise answer in {names[0]}."
    )


def _persona(entry: PersonaEntry) -> Persona:
    built_in = PERSONAS.get(entry.name)
    sampling: dict[str, Any] = dict(built_in.sampling) if built_in is not None else {}
    sampling |= {name: value for name in _SAMPLING if (value := getattr(entry, name)) is not None}
    return Persona(
        entry.name,
        entry.system_prompt or (built_in.system if built_in is not None else ""),
        MappingProxyType(sampling),
        title=entry.title,
        thinking=entry.thinking,
        languages=entry.languages or (),
        model=entry.model or "",
        model_required=entry.model_required,
    )


def _first(*values: bool | None) -> bool:
    return next((value for value in values if value is not None), False)
