"""A policy: what admins decide for the installation, a workspace or a place. What is None is not decided there."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, get_args

import structlog
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from core.conversation.personas import PLAIN
from core.policy.levels import Level

log = structlog.get_logger(__name__)

PROMPT_CHARS = 8_000
MOST_PERSONAS = 50
MOST_LISTED = 5_000
# Of `model`: whichever worker comes first.
ANY_MODEL = "any"

Listens = Literal["mentions", "threads", "pictures", "never"]
LISTENS: tuple[Listens, ...] = get_args(Listens)
# What answers may be told to be in, as an instruction to a model names it.
ANSWER_LANGUAGES: Mapping[str, str] = {
    "en": "English",
    "zh": "Chinese",
    "ar": "Arabic",
    "de": "German",
    "es": "Spanish",
    "fr": "French",
    "hi": "Hindi",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "ru": "Russian",
    "th": "Thai",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
}
# Lists of who is served: where one of them cannot be read, nobody is.
WHO = ("workspaces", "places", "people")
QUOTAS = (
    "questions_per_minute",
    "questions_per_day",
    "tokens_per_day",
    "workspace_tokens_per_day",
    "workspace_tokens_per_month",
)
_ANSWERS = (
    "persona",
    "system_prompt",
    "temperature",
    "max_new_tokens",
    "thinking",
    "languages",
    "model",
    "model_required",
    "hidden",
)
# Which fields each level decides, in the order in which they are shown.
FIELDS: Mapping[Level, tuple[str, ...]] = {
    Level.INSTALLATION: (*_ANSWERS, "personas", "listens", "workspaces", *QUOTAS),
    Level.WORKSPACE: (*_ANSWERS, "personas", "listens", "places", "people", *QUOTAS),
    Level.PLACE: (*_ANSWERS, "listens", "people"),
}
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


def _language(code: str) -> str:
    if code not in ANSWER_LANGUAGES:
        raise PydanticCustomError("language", "“{code}” is no language that is offered here", {"code": code})
    return code


def _listed(value: object) -> object:
    """Each once, in the order given."""
    return tuple(dict.fromkeys(value)) if isinstance(value, (list, tuple)) and all(map(_is_text, value)) else value


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise PydanticCustomError(
            "mode_name", "a mode's name has 1 to 31 small letters, digits and hyphens, and begins with a letter"
        )
    return name


_Text = StringConstraints(strip_whitespace=True, min_length=1)
Prompt = Annotated[str, _Text, Field(max_length=PROMPT_CHARS)]
ModelName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]
PersonaName = Annotated[str, StringConstraints(strip_whitespace=True), BeforeValidator(lambda v: _name(str(v).strip()))]
Temperature = Annotated[float, Field(ge=0.0, le=2.0)]
AnswerTokens = Annotated[int, Field(ge=1, le=65_536)]
Language = Annotated[str, BeforeValidator(lambda v: _language(str(v)))]
Languages = Annotated[tuple[Language, ...], BeforeValidator(_listed)]
# A platform's own id: of a person, a channel; or PLATFORM:ID of a workspace.
ListedId = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255, pattern=r"^\S+$")]
Listed = Annotated[tuple[ListedId, ...], Field(max_length=MOST_LISTED), BeforeValidator(_listed)]
# 0: none, also where a more general policy has one.
Limit = Annotated[int, Field(ge=0, le=10**12)]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=False)


class PersonaEntry(_Document):
    """A persona that an admin has made, or a built-in one as he wants it. What is None is as the place has it."""

    name: PersonaName
    title: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] = ""
    system_prompt: Prompt | None = None
    temperature: Temperature | None = None
    max_new_tokens: AnswerTokens | None = None
    thinking: bool | None = None
    languages: Languages | None = None
    model: ModelName | None = None
    model_required: bool | None = None

    @model_validator(mode="after")
    def _is_not_plain(self) -> Self:
        if self.name == PLAIN:
            raise PydanticCustomError("plain", "“plain” is what the system prompt beside the modes says; change that")
        return self


class Policy(_Document):
    """What is decided at one level. Lists of who is served hold the platforms' own ids.

    `persona`: the mode until somebody chooses another. `hidden`: modes that cannot be chosen. `languages`: one is what
    every answer is in, several are those that answers may be in. `model`: only workers that run it answer, or, unless
    `model_required`, any while none runs it. `people`, `places`, `workspaces`: None serves all. Tokens count what
    was read and written.
    """

    persona: PersonaName | None = None
    system_prompt: Prompt | None = None
    temperature: Temperature | None = None
    max_new_tokens: AnswerTokens | None = None
    thinking: bool | None = None
    languages: Languages | None = None
    model: ModelName | None = None
    model_required: bool | None = None
    hidden: Annotated[tuple[PersonaName, ...], BeforeValidator(_listed)] | None = None
    personas: Annotated[tuple[PersonaEntry, ...], Field(max_length=MOST_PERSONAS)] = ()
    listens: Listens | None = None
    workspaces: Listed | None = None
    places: Listed | None = None
    people: Listed | None = None
    questions_per_minute: Limit | None = None
    questions_per_day: Limit | None = None
    tokens_per_day: Limit | None = None
    workspace_tokens_per_day: Limit | None = None
    workspace_tokens_per_month: Limit | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        names = [entry.name for entry in self.personas]
        for number, name in enumerate(names):
            if name in names[:number]:
                raise PydanticCustomError("twice", "there are two modes named “{name}”", {"name": name})
        if self.hidden is not None and PLAIN in self.hidden:
            raise PydanticCustomError("plain", "“plain” is always there")
        for one in self.workspaces or ():
            if ":" not in one:
                raise PydanticCustomError("workspace", "“{one}” is not of the form slack:T0123", {"one": one})
        return self

    def stored(self) -> dict[str, Any]:
        """As rows and files keep it: only what is decided."""
        return self.model_dump(mode="json", exclude_defaults=True)


NOTHING = Policy()


def check_policy(level: Level, document: Mapping[str, Any]) -> Policy:
    """The policy that somebody gives.

    Raises:
        ValidationError: with the place of each fault; a field that this level does not decide is one.
    """
    unknown: list[tuple[str | int, ...]] = [(name,) for name in document if name not in FIELDS[level]]
    entries = document.get("personas")
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, Mapping):
            unknown += [("personas", number, name) for name in entry if name not in PersonaEntry.model_fields]
    if unknown:
        said = PydanticCustomError("unknown", "there is no such setting at this level")
        raise ValidationError.from_exception_data(
            "Policy", [InitErrorDetails(type=said, loc=loc, input=None) for loc in unknown]
        )
    return Policy.model_validate(dict(document))


def read_policy(document: object, where: str = "") -> Policy:
    """The policy that a row holds, whoever wrote it: what a later version knows besides is passed over, and so is what
    cannot be read, but for lists of who is served; then nobody is. `where` is for the log.
    """
    if not isinstance(document, Mapping):
        log.error("settings_unreadable", where=where, fields=["document"])
        return Policy(workspaces=(), places=(), people=())
    try:
        return Policy.model_validate(dict(document))
    except ValidationError as error:
        # A fault of the whole says nothing about where it is: then only the lists are kept.
        broken = {str(fault["loc"][0]) for fault in error.errors() if fault["loc"]}
    log.error("settings_unreadable", where=where, fields=sorted(broken) or ["document"])
    kept: dict[str, Any] = {}
    for name, value in document.items():
        if name not in Policy.model_fields or (not broken and name not in WHO):
            continue
        kept[name] = value if name not in broken else () if name in WHO else None
    kept = {name: value for name, value in kept.items() if value is not None}
    try:
        return Policy.model_validate(kept)
    except ValidationError:
        return Policy(workspaces=(), places=(), people=())
