"""Saving a policy, and bringing an older one back: each is one more version, and nothing is overwritten unseen."""

from dataclasses import dataclass
from typing import Any

from core.errors import NotFound, RequestError
from core.policy.changes import Change, changes
from core.policy.document import Policy, read_policy
from core.policy.levels import Level
from core.store.database import Repositories
from core.store.settings import Target
from core.values import utc_now


class SettingsStale(RequestError):
    """Somebody else has saved since the form was shown."""

    code = "settings_stale"
    user_message = "Somebody else has changed these settings meanwhile. Nothing of yours was saved."


@dataclass(frozen=True, slots=True)
class Author:
    """Who saves. Without an id: somebody at the command line."""

    name: str
    id: str = ""


def save_policy(
    repositories: Repositories,
    target: Target,
    policy: Policy,
    author: Author,
    *,
    base: int,
    comment: str = "",
    undone_from: int | None = None,
) -> list[Change]:
    """Add a version behind `base`, the version that the author has seen (0: none); what it changes. Empty: nothing,
    and no version was added.

    Where it changes the mode of a place, what people had chosen there counts no more: the last who decided counts.

    Raises:
        SettingsStale: `base` is not the newest.
    """
    current = repositories.settings.current(target)
    if (current.version if current is not None else 0) != base:
        raise SettingsStale
    before: dict[str, Any] = current.document if current is not None else {}
    after = policy.stored()
    found = changes(before, after)
    if not found:
        return []
    added = repositories.settings.add(
        target,
        after,
        base=base,
        now=utc_now(),
        admin_id=author.id,
        admin_name=author.name,
        comment=comment,
        undone_from=undone_from,
    )
    if added is None:
        raise SettingsStale
    if target.level == Level.PLACE and before.get("persona") != after.get("persona"):
        repositories.places.set_persona(target.id, "")
    return found


def bring_back(repositories: Repositories, target: Target, version: int, author: Author, *, base: int) -> list[Change]:
    """Make an older version count again; 0: as if nothing had been decided. Returns and raises as `save_policy`.

    Raises:
        NotFound: there is no such version.
    """
    older = repositories.settings.get(target, version) if version else None
    if version and older is None:
        raise NotFound
    policy = read_policy(older.document) if older is not None else Policy()
    comment = f"as in version {version}" if version else "nothing decided"
    return save_policy(repositories, target, policy, author, base=base, comment=comment, undone_from=version)
