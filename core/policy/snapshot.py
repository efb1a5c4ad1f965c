"""All policies that count now, in memory. Names are the platforms' own, so that a message needs no look into SQL."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from core.conversation.personas import PERSONAS
from core.policy.document import NOTHING, Policy, read_policy
from core.policy.effective import Decided, Effective
from core.policy.levels import Level, place_around
from core.store.settings import Target, Versioned


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`workspaces` by id; `places` by their workspace's id and their own name; `ids` of workspaces by platform and
    name, of those that have something of their own."""

    installation: Policy = NOTHING
    workspaces: Mapping[str, Policy] = field(default_factory=lambda: MappingProxyType({}))
    places: Mapping[tuple[str, str], Policy] = field(default_factory=lambda: MappingProxyType({}))
    ids: Mapping[tuple[str, str], str] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, workspace_id: str, place: str = "") -> Effective:
        """What holds at a place of a workspace, by the id of its row; without a place, in general there."""
        around = place_around(place)
        asked = (
            (Level.PLACE, self.places.get((workspace_id, place)) if place else None),
            (Level.PLACE, self.places.get((workspace_id, around)) if around else None),
            (Level.WORKSPACE, self.workspaces.get(workspace_id)),
            (Level.INSTALLATION, self.installation if self.installation is not NOTHING else None),
        )
        return Effective(tuple(Decided(level, policy) for level, policy in asked if policy is not None))

    def at(self, platform: str, workspace: str, place: str = "") -> Effective:
        """The same by the platform's name of the workspace."""
        return self.of(self.ids.get((platform, workspace), ""), place)

    def serves(self, platform: str, workspace: str, person: str, place: str = "") -> bool:
        """Whether somebody may ask. `place`: a channel or group that many share; empty: he is alone with us.

        A program's end users (`key:NAME/USER`) are let in by their key.
        """
        workspaces = self.installation.workspaces
        if workspaces is not None and f"{platform}:{workspace}" not in workspaces:
            return False
        effective = self.at(platform, workspace, place)
        places = effective.find("places").value
        if place and places is not None and place not in places and place_around(place) not in places:
            return False
        people = effective.find("people").value
        return people is None or person in people or person.partition("/")[0] in people

    def persona_names(self) -> list[str]:
        """Of all personas that there are anywhere."""
        made = [entry.name for policy in self.policies for entry in policy.personas]
        return list(dict.fromkeys([*PERSONAS, *made]))

    @property
    def policies(self) -> list[Policy]:
        """All of them."""
        return [self.installation, *self.workspaces.values(), *self.places.values()]

    @property
    def models(self) -> bool:
        """Whether any policy asks for a certain model."""
        return any(policy.model or any(entry.model for entry in policy.personas) for policy in self.policies)


EMPTY = Snapshot()


def snapshot_of(versions: Mapping[Target, Versioned]) -> Snapshot:
    """From the newest version of each target."""
    installation = NOTHING
    workspaces: dict[str, Policy] = {}
    places: dict[tuple[str, str], Policy] = {}
    ids: dict[tuple[str, str], str] = {}
    for target, version in versions.items():
        policy = read_policy(version.document, f"{target.level} {target.id}")
        if target.level == Level.INSTALLATION:
            installation = policy
            continue
        ids[version.platform, version.workspace] = version.workspace_id
        if target.level == Level.WORKSPACE:
            workspaces[target.id] = policy
        else:
            places[version.workspace_id, version.place] = policy
    return Snapshot(installation, MappingProxyType(workspaces), MappingProxyType(places), MappingProxyType(ids))
