"""What each setting is called in the environment, and which given names are nobody's."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import AliasChoices, Field
from pydantic.fields import FieldInfo

PREFIX = "GLIMT_"
# They carry our prefix but are for compose.yaml and for the browser tests, not for a process of the service.
_OTHERS = frozenset({"GLIMT_VERSION", "GLIMT_MODELS_VOLUME", "GLIMT_TEST_CHROMIUM", "GLIMT_REQUIRE_BROWSER"})


def named(name: str, **kwargs: Any) -> Any:
    """A setting that is known by its conventional name, without our prefix."""
    return Field(validation_alias=AliasChoices(name, name.lower()), **kwargs)


def variable(name: str, field: FieldInfo) -> str:
    """The environment variable that sets a field."""
    alias = field.validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else PREFIX + name.upper()


def explain_unknown(given: Iterable[str], fields: Mapping[str, FieldInfo]) -> list[str]:
    """One line for each given name with our prefix that no field has, with the nearest name that one has."""
    known = {variable(name, field) for name, field in fields.items()}
    unknown = sorted(name for name in {n.upper() for n in given} - known - _OTHERS if name.startswith(PREFIX))
    return [f"{name}: there is no such setting{_nearest(name, known)}" for name in unknown]


def _nearest(name: str, known: Iterable[str]) -> str:
    # Names without our prefix are mistaken for names with it: GLIMT_REDIS_URL.
    bare = name.removeprefix(PREFIX)
    near = [bare] if bare in known else get_close_matches(name, sorted(known), n=1, cutoff=0.7)
    return f"; did you mean {near[0]}?" if near else ""
