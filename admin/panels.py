"""What the transcript shows of the review of each turn, and the forms beside the one that is being reviewed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from starlette.requests import Request

from admin.diff import Change, changes
from admin.filters import is_id
from admin.viewer import Viewer
from core.admins import MAY, Permission, Role
from core.store.database import Repositories
from core.store.models import Turn
from core.store.review.queues import AtWork
from core.store.review.remarks import Remarks, Said
from core.values import ACTIVE_STATES


@dataclass(frozen=True, slots=True)
class Panel:
    """Of one turn, for one viewer. `labels` are the names that he may choose from, where its forms are open."""

    turn: Turn
    viewer: Viewer
    remarks: Remarks
    hidden: bool
    is_open: bool
    work: AtWork | None = None
    labels: list[str] = field(default_factory=list)

    @property
    def may(self) -> bool:
        """Whether the viewer may review at all."""
        return self.viewer.may(Permission.REVIEW)

    @property
    def ended(self) -> bool:
        """Whether there is an answer to judge."""
        return self.turn.state not in ACTIVE_STATES

    @property
    def verdict(self) -> str:
        """The viewer's own."""
        return next((said.text for said in self.remarks.judgements if self._is_mine(said)), "")

    @property
    def flag(self) -> Said | None:
        """The viewer's own."""
        return next((said for said in self.remarks.flags if self._is_mine(said)), None)

    @property
    def my_labels(self) -> list[str]:
        """Those that the viewer put."""
        return [said.text for said in self.remarks.labels if self._is_mine(said)]

    @property
    def my_notes(self) -> list[Said]:
        """Those that the viewer may change."""
        return [said for said in self.remarks.notes if self._is_mine(said)]

    @property
    def put(self) -> list[tuple[str, list[str]]]:
        """Each label with whoever put it."""
        names: dict[str, list[str]] = {}
        for said in self.remarks.labels:
            names.setdefault(said.text, []).append(said.admin)
        return sorted(names.items())

    @property
    def changed(self) -> list[Change]:
        """What the correction changed."""
        corrected = self.remarks.corrected
        return changes(self.turn.answer, corrected.text) if corrected is not None else []

    @property
    def queue_id(self) -> str:
        """The queue that the viewer works through."""
        return self.work.queue.id if self.work is not None else ""

    @property
    def address(self) -> str:
        """The transcript with this turn's forms open."""
        return turn_address(self.turn, queue_id=self.queue_id)

    @property
    def part(self) -> str:
        """The turn alone with its forms."""
        return f"/turns/{self.turn.id}?{urlencode({'review': '1', **self._queue()})}"

    def _queue(self) -> dict[str, str]:
        return {"queue": self.queue_id} if self.queue_id else {}

    def _is_mine(self, said: Said) -> bool:
        return said.admin_id == self.viewer.admin_id


@dataclass(frozen=True, slots=True)
class Opened:
    """Whether the forms of the turn that is asked for are open, and the queue that it is looked at in."""

    any: bool
    queue_id: str

    @classmethod
    def of(cls, request: Request) -> "Opened":
        """From the URL; what it cannot mean counts as left out."""
        queue_id = request.query_params.get("queue", "")
        return cls(request.query_params.get("review") == "1", queue_id if is_id(queue_id) else "")


def assignable(repositories: Repositories, viewer: Viewer) -> list[str]:
    """Names that the viewer may give a conversation to, beside himself."""
    if not viewer.may(Permission.ADMINS):
        return []
    known = repositories.admins.list()
    return [a.name for a in known if a.disabled_at is None and Permission.REVIEW in MAY[Role(a.role)]]


def turn_address(turn: Turn, *, queue_id: str = "") -> str:
    """The transcript with the forms of a turn open, as a part of a queue or by itself."""
    return place_address(turn.conversation_id, turn.seq, queue_id=queue_id)


def place_address(conversation_id: str, seq: int, *, queue_id: str = "") -> str:
    """The same by conversation and number."""
    asked = {"turn": str(seq), "review": "1"} | ({"queue": queue_id} if queue_id else {})
    return f"/conversations/{conversation_id}?{urlencode(asked)}#turn-{seq}"


def read_panels(
    repositories: Repositories, viewer: Viewer, turns: Sequence[Turn], *, opened: int | None = None, queue_id: str = ""
) -> dict[str, Panel]:
    """By the ids of the turns. `opened`: the number of the one whose forms are open, in the queue `queue_id` if any."""
    review = repositories.review(viewer.scope)
    remarks = review.remarks([turn.id for turn in turns])
    panels = {}
    for turn in turns:
        told = remarks.get(turn.id, Remarks())
        hidden = viewer.may(Permission.REVIEW) and told.is_hidden_from(viewer.admin_id)
        panel = Panel(turn, viewer, told.seen_by(viewer.admin_id) if hidden else told, hidden, is_open=False)
        if turn.seq == opened and panel.may:
            work = review.at_work(queue_id, turn.id) if queue_id else None
            labels = [label.name for label in repositories.labels.list() if label.retired_at is None]
            panel = Panel(turn, viewer, panel.remarks, hidden, True, work, labels)
        panels[turn.id] = panel
    return panels
