"""What the page of a policy shows: what counts where, and the history."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from admin.policy_fields import label_of, shown_value
from core.conversation.personas import PERSONAS
from core.policy.changes import Change, changes
from core.policy.document import FIELDS, Policy
from core.policy.effective import Decided, Effective
from core.policy.levels import Level
from core.settings import Settings
from core.store.models import Place, Workspace
from core.store.settings_tables import SettingsVersion

_FROM = {Level.PLACE: "this place", Level.WORKSPACE: "the workspace", Level.INSTALLATION: "the installation"}
_ENVIRONMENT = "GLIMT_… at start"
_BUILT_IN = "built in"
# Settings of the process that say the same, by field.
_SETTINGS = {
    "system_prompt": "system_prompt",
    "temperature": "temperature",
    "max_new_tokens": "max_new_tokens",
    "thinking": "reasoning",
}
_UNDECIDED: dict[str, Any] = {
    "persona": "plain",
    "languages": (),
    "model": "any",
    "model_required": False,
    "hidden": (),
}


@dataclass(frozen=True, slots=True)
class Counts:
    """A field, the value that counts, and who has decided it."""

    field: str
    label: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Saved:
    """A version and what it changed."""

    version: SettingsVersion
    changes: list[tuple[str, str, str]]


def what_counts(effective: Effective, level: Level, settings: Settings, platform: str) -> list[Counts]:
    """All fields that hold at a level, one a line."""
    # Quotas hold for a place as its workspace has them.
    names = list(dict.fromkeys([*FIELDS[level], *FIELDS[Level.WORKSPACE]])) if level is Level.PLACE else FIELDS[level]
    lines = []
    for name in names:
        if name == "personas":
            continue
        value, source = _value(effective, name, settings, platform)
        lines.append(Counts(name, label_of(name), value, source))
    return lines


def _value(effective: Effective, name: str, settings: Settings, platform: str) -> tuple[str, str]:
    found = effective.find(name)
    if found.level is not None:
        return shown_value(name, found.value), _FROM[found.level]
    if name in _SETTINGS:
        value = getattr(settings, _SETTINGS[name])
        return (shown_value(name, value) if value != "" else "none", _ENVIRONMENT)
    if name == "listens":
        mentions = platform == "slack" and settings.slack_threads == "mentions"
        return shown_value(name, "mentions" if mentions else "threads"), _ENVIRONMENT if mentions else _BUILT_IN
    if name in _UNDECIDED:
        return shown_value(name, _UNDECIDED[name]), _BUILT_IN
    listed = _operators(name, settings, platform)
    if listed:
        return shown_value(name, listed), _ENVIRONMENT
    return ("no limit" if name.startswith(("questions", "tokens", "workspace_tokens")) else "all"), _BUILT_IN


def _operators(name: str, settings: Settings, platform: str) -> Sequence[str]:
    """Whom the operator serves: the outer bound."""
    by_platform = {
        ("slack", "places"): settings.slack_channels,
        ("telegram", "places"): settings.telegram_chats,
        ("telegram", "people"): settings.telegram_users,
    }
    if name == "workspaces":
        return [f"slack:{one}" for one in settings.slack_workspaces]
    return by_platform.get((platform, name), ())


def history_of(versions: Sequence[SettingsVersion]) -> list[Saved]:
    """Versions, newest first, each with what it changed; of the oldest one that is read only what is older tells."""
    shown = []
    for number, version in enumerate(versions):
        older = versions[number + 1].document if number + 1 < len(versions) else {}
        if not older and version.version > 1 and number + 1 == len(versions):
            break
        shown.append(Saved(version, [_words(change) for change in changes(older, version.document)]))
    return shown


def _words(change: Change) -> tuple[str, str, str]:
    return label_of(change.field), shown_value(change.field, change.before), shown_value(change.field, change.after)


def modes_for(effective: Effective, own: Policy) -> list[tuple[str, str]]:
    """Names and titles of all modes that could be chosen were none hidden, for the page's choices."""
    unhidden = [Decided(level, policy.model_copy(update={"hidden": None})) for level, policy in effective.chain]
    made = {entry.name: entry.title for entry in own.personas}
    known = {name: persona.title for name, persona in Effective(tuple(unhidden)).personas().items()}
    return [(name, title) for name, title in (dict.fromkeys(PERSONAS, "") | known | made).items()]


def title_of(workspace: Workspace | None, place: Place | None) -> str:
    """What the page is called."""
    if workspace is None:
        return "The installation"
    shown = workspace.name or workspace.external_id
    return f"{shown} · {place.external_id}" if place is not None else shown
