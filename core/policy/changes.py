"""What differs between two versions of a policy."""

from collections.abc import Mapping
from typing import Any, NamedTuple

# Of these the audit log is told that they changed, and how long they are; the words stand in the versions.
_LONG = ("system_prompt",)
_LISTS = ("workspaces", "places", "people")


class Change(NamedTuple):
    """`field` is its path, as in `personas.tutor.temperature`. None: not decided."""

    field: str
    before: Any
    after: Any


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What differs between two stored documents, by field; modes are compared by their names."""
    old, new = _flat(before), _flat(after)
    paths = [*old, *(path for path in new if path not in old)]
    return [Change(path, old.get(path), new.get(path)) for path in paths if old.get(path) != new.get(path)]


def for_audit(found: list[Change]) -> dict[str, Any]:
    """What the audit log keeps: what changed, and from what to what where that is short."""
    return {change.field: [_short(change.field, change.before), _short(change.field, change.after)] for change in found}


def _flat(document: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in document.items():
        if name != "personas":
            flat[name] = value
            continue
        for entry in value:
            mode = f"personas.{entry['name']}"
            flat[mode] = entry["name"]
            flat |= {f"{mode}.{field}": value for field, value in entry.items() if field != "name"}
    return flat


def _short(field: str, value: Any) -> Any:
    name = field.rpartition(".")[2]
    if value is not None and name in _LONG:
        return f"{len(value)} characters"
    if value is not None and name in _LISTS:
        return f"{len(value)} listed"
    return value
