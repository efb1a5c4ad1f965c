"""What an admin may read, as a condition: the one place where the console's queries are limited."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, false, or_, true

from core.store.models import Conversation


@dataclass(frozen=True, slots=True)
class ReadScope:
    """Everything, or these workspaces and places (by their ids). Empty: nothing."""

    everywhere: bool = False
    workspaces: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()

    def allows(
        self, workspace: Any = Conversation.workspace_id, place: Any = Conversation.place_id
    ) -> ColumnElement[bool]:
        """The conversation may be read. `workspace` and `place` are where its columns stand in the statement."""
        if self.everywhere:
            return true()
        allowed: list[ColumnElement[bool]] = []
        if self.workspaces:
            allowed.append(workspace.in_(sorted(self.workspaces)))
        if self.places:
            allowed.append(place.in_(sorted(self.places)))
        return or_(*allowed) if allowed else false()


EVERYTHING = ReadScope(everywhere=True)
