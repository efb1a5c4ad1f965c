"""Which numbers are wanted, and which may be read, as conditions on the tables that hold them."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Select, and_, false, or_, select, true

from core.store.models import Conversation, Turn, Workspace
from core.store.numbers_tables import NumbersDaily, NumbersPerson
from core.store.review.scope import ReadScope


@dataclass(frozen=True, slots=True)
class WantedNumbers:
    """Days with both ends, and filters; an empty one asks for nothing. `workspace` and `place` are ids."""

    first: date
    last: date
    platform: str = ""
    workspace: str = ""
    place: str = ""
    model: str = ""

    def of_turns(self, scope: ReadScope) -> ColumnElement[bool]:
        """On `Turn`, joined with `Conversation`; without the days."""
        conditions = [scope.allows()]
        if self.platform:
            conditions.append(Conversation.workspace_id.in_(_on(self.platform)))
        if self.workspace:
            conditions.append(Conversation.workspace_id == self.workspace)
        if self.place:
            conditions.append(Conversation.place_id == self.place)
        if self.model:
            conditions.append(Turn.model == self.model)
        return and_(*conditions)

    def of_people(self, scope: ReadScope) -> ColumnElement[bool]:
        """On `NumbersPerson`."""
        return and_(
            NumbersPerson.day.between(self.first, self.last),
            self._in_rows(NumbersPerson),
            _allowed(scope, NumbersPerson),
        )

    def of_places(self, scope: ReadScope) -> ColumnElement[bool]:
        """On the rows of `NumbersDaily` that each are of one place."""
        mine = and_(self._in_rows(NumbersDaily), _allowed(scope, NumbersDaily))
        return and_(NumbersDaily.whole.is_(False), NumbersDaily.day.between(self.first, self.last), mine)

    def of_days(self, scope: ReadScope) -> ColumnElement[bool]:
        """On as few rows of `NumbersDaily` as hold all that may be read: of whole workspaces, where that is allowed."""
        days = NumbersDaily.day.between(self.first, self.last)
        if self.place:
            return self.of_places(scope)
        workspaces = true() if scope.everywhere else NumbersDaily.workspace_id.in_(sorted(scope.workspaces))
        readable = and_(NumbersDaily.whole.is_(True), workspaces)
        if scope.places and not scope.everywhere:
            single = and_(
                NumbersDaily.whole.is_(False),
                NumbersDaily.place_id.in_(sorted(scope.places)),
                NumbersDaily.workspace_id.not_in(sorted(scope.workspaces)),
            )
            readable = or_(readable, single)
        return and_(days, readable, self._in_rows(NumbersDaily))

    def _in_rows(self, table: type[NumbersDaily] | type[NumbersPerson]) -> ColumnElement[bool]:
        conditions: list[ColumnElement[bool]] = [true()]
        if self.platform:
            conditions.append(table.workspace_id.in_(_on(self.platform)))
        if self.workspace:
            conditions.append(table.workspace_id == self.workspace)
        if self.place:
            conditions.append(table.place_id == self.place)
        if self.model:
            conditions.append(table.model == self.model)
        return and_(*conditions)


def _on(platform: str) -> Select[str]:
    return select(Workspace.id).where(Workspace.platform == platform)


def _allowed(scope: ReadScope, table: type[NumbersDaily] | type[NumbersPerson]) -> ColumnElement[bool]:
    if scope.everywhere:
        return true()
    allowed: list[ColumnElement[bool]] = [false()]
    if scope.workspaces:
        allowed.append(table.workspace_id.in_(sorted(scope.workspaces)))
    if scope.places:
        allowed.append(table.place_id.in_(sorted(scope.places)))
    return or_(*allowed)
