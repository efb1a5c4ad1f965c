"""Deciding as an admin does, without the console."""

from typing import Any

from core.policy.document import check_policy
from core.policy.levels import Level
from core.policy.saving import Author, save_policy
from core.policy.snapshot import snapshot_of
from core.policy.watch import Policies
from core.store.database import Store
from core.store.settings import Target
from core.values import Platform
from tests.processes import until

INSTALLATION = Target(Level.INSTALLATION)
LEO = Author("leo")


def target_of(store: Store, platform: Platform | None = None, workspace: str = "", place: str = "") -> Target:
    """The installation, a workspace, or a place, which appear if need be."""
    if platform is None:
        return INSTALLATION
    with store.write() as repositories:
        row = repositories.people.workspace(platform, workspace)
        if not place:
            return Target(Level.WORKSPACE, row.id)
        return Target(Level.PLACE, repositories.places.get_or_create(row.id, place).id)


def decide(
    store: Store, platform: Platform | None = None, workspace: str = "", place: str = "", **document: Any
) -> Target:
    """Save a policy; what it is for."""
    target = target_of(store, platform, workspace, place)
    with store.write() as repositories:
        current = repositories.settings.current(target)
        policy = check_policy(Level(target.level), document)
        save_policy(repositories, target, policy, LEO, base=current.version if current is not None else 0)
    return target


def until_noticed(store: Store, policies: Policies) -> None:
    """Until whoever watches has noticed by himself what was decided last."""
    with store.read() as repositories:
        wanted = snapshot_of(repositories.settings.newest())
    until(lambda: policies.now == wanted, "what was decided is noticed")
