"""All policies as one JSON document, so that they can be kept in git:

{"installation": {…}, "workspaces": {"slack:T0123": {…}}, "places": {"slack:T0123": {"C0123": {…}}}}
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from core.errors import ConfigurationError
from core.policy.changes import Change
from core.policy.document import Policy, check_policy
from core.policy.levels import Level
from core.policy.saving import Author, save_policy
from core.store.database import Repositories
from core.store.settings import Target
from core.values import Platform


class Named(NamedTuple):
    """A policy and what it is for, by the platforms' own names."""

    level: Level
    policy: Policy
    workspace: str = ""
    place: str = ""

    @property
    def path(self) -> str:
        """As people read it."""
        return " ".join(part for part in (self.level.value, self.workspace, self.place) if part)


def export_policies(repositories: Repositories) -> dict[str, Any]:
    """Everything that is decided now."""
    found: dict[str, Any] = {"installation": {}, "workspaces": {}, "places": {}}
    newest = repositories.settings.newest().items()
    for target, version in sorted(newest, key=lambda item: (item[1].platform, item[1].workspace, item[1].place)):
        if not version.document:
            continue
        workspace = f"{version.platform}:{version.workspace}"
        match Level(target.level):
            case Level.INSTALLATION:
                found["installation"] = version.document
            case Level.WORKSPACE:
                found["workspaces"][workspace] = version.document
            case Level.PLACE:
                found["places"].setdefault(workspace, {})[version.place] = version.document
    return found


def read_export(content: object) -> list[Named]:
    """Check such a document.

    Raises:
        ConfigurationError: with one line for each fault.
    """
    faults: list[str] = []
    named: list[Named] = []
    for level, workspace, place, document in _documents(content, faults):
        here = Named(level, Policy(), workspace, place)
        if not isinstance(document, Mapping):
            faults.append(f"{here.path}: this is no object")
            continue
        try:
            named.append(here._replace(policy=check_policy(level, document)))
        except ValidationError as error:
            for fault in error.errors(include_input=False, include_url=False):
                where = ".".join(map(str, fault["loc"]))
                faults.append(f"{here.path}{': ' + where if where else ''}: {fault['msg']}")
    if faults:
        raise ConfigurationError("Nothing was imported:\n  " + "\n  ".join(faults))
    return named


def import_policies(
    repositories: Repositories, named: list[Named], author: Author, comment: str
) -> list[tuple[Named, list[Change]]]:
    """Make these count, each in a version of its own where it changes something; what was changed. What is not named
    stays as it is. Workspaces and places that were never seen appear."""
    made = []
    for one in named:
        target = _target(repositories, one)
        current = repositories.settings.current(target)
        base = current.version if current is not None else 0
        if found := save_policy(repositories, target, one.policy, author, base=base, comment=comment):
            made.append((one, found))
    return made


def _target(repositories: Repositories, named: Named) -> Target:
    if named.level is Level.INSTALLATION:
        return Target(named.level)
    platform, _, external_id = named.workspace.partition(":")
    workspace = repositories.people.workspace(Platform(platform), external_id)
    if named.level is Level.WORKSPACE:
        return Target(named.level, workspace.id)
    return Target(named.level, repositories.places.get_or_create(workspace.id, named.place).id)


def _documents(content: object, faults: list[str]) -> Iterator[tuple[Level, str, str, object]]:
    if not isinstance(content, Mapping):
        faults.append("the file holds no object")
        return
    faults += [f"{name}: there are only installation, workspaces and places" for name in content if name not in _PARTS]
    if "installation" in content:
        yield Level.INSTALLATION, "", "", content["installation"]
    for workspace, document in _named(content, "workspaces", faults):
        if _is_workspace(workspace, faults):
            yield Level.WORKSPACE, workspace, "", document
    for workspace, places in _named(content, "places", faults):
        if _is_workspace(workspace, faults):
            for place, document in _named({workspace: places}, workspace, faults):
                yield Level.PLACE, workspace, place, document


_PARTS = ("installation", "workspaces", "places")


def _named(content: Mapping[str, Any], name: str, faults: list[str]) -> list[tuple[str, Any]]:
    part = content.get(name, {})
    if isinstance(part, Mapping):
        return list(part.items())
    faults.append(f"{name}: this is no object")
    return []


def _is_workspace(name: str, faults: list[str]) -> bool:
    platform, _, external_id = name.partition(":")
    good = platform in set(Platform) and bool(external_id)
    if not good:
        faults.append(f"{name}: this is no workspace such as slack:T0123")
    return good
