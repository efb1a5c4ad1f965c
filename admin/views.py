"""What the transcript shows of a turn."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from core.conversation.boxes import Box
from core.conversation.pointed_at import pointed_at
from core.store.models import Attachment, Turn, Usage
from core.store.review import ReviewRepository
from core.store.review.transcript import Told, TurnPage, Verdict
from core.store.takeovers import comes_first, notice_of
from core.values import ACTIVE_STATES, AttachmentState, Notice, TurnState

# Longest side of a picture in the transcript, in pixels of the page.
SHOWN = 320
# An answer with more of them is none that a drawing makes clearer.
MOST_BOXES = 50
COLOURS = 7
_NOTICES = {
    Notice.TAKEN: "An admin took over.",
    Notice.BACK: "Handed back to the model.",
    Notice.ASK_AGAIN: "Handed back to the model; what was open is to be asked again.",
    Notice.IDLE: "Returned to the model, because nobody did anything here.",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """A box in pixels of its picture, numbered from 1. `colour` is a class of the style sheet."""

    number: int
    label: str
    colour: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class PictureView:
    """A stored picture; `width` and `height` are its own, `shown` those in the transcript."""

    id: str
    name: str
    width: int
    height: int
    shown: tuple[int, int]
    full: str
    marks: list[Mark]

    @property
    def line(self) -> float:
        """Width of a line, and a tenth of the height of a letter, in pixels of the picture."""
        return max(2.0, min(self.width, self.height) / 150)


@dataclass(frozen=True, slots=True)
class NoticeView:
    """What was said in the chat about who answers. `early`: above the answer."""

    text: str
    told: Told
    early: bool


@dataclass(frozen=True, slots=True)
class TurnView:
    """A turn as the template wants it. Durations in seconds, None where not known (yet)."""

    turn: Turn
    person: str
    pictures: list[PictureView]
    # Where the boxes are in a picture of an earlier turn.
    pointed: PictureView | None
    pending: int
    refused: list[Attachment]
    verdicts: list[Verdict]
    deliveries: list[Told]
    usage: list[Usage]
    # Who answered, if a human did, and what he answered with; what was said about who answers, in order.
    answerer: str
    answer_pictures: list[PictureView]
    notices: list[NoticeView]
    queue_s: float | None
    first_s: float | None
    total_s: float | None

    @property
    def is_open(self) -> bool:
        """Whether more is to come."""
        return self.turn.state in ACTIVE_STATES

    @property
    def is_failed(self) -> bool:
        """Whether it ended with an error."""
        return self.turn.state == TurnState.FAILED

    @property
    def version(self) -> str:
        """What changes with all that may change once a human answers."""
        delivered = [f"{told.delivery.state}{told.posts}" for told in self.deliveries]
        said = [f"{view.text}{view.told.delivery.state}" for view in self.notices]
        shown = [self.turn.state, str(self.pending), self.turn.answered_by, *delivered, *said]
        return sha256(".".join(shown).encode()).hexdigest()[:8]

    @property
    def left_out(self) -> str:
        """What the prompt had no room for, in words."""
        texts = [str(part["seq"]) for part in self.turn.left_out if part.get("what") == "text"]
        pictures = [str(part["seq"]) for part in self.turn.left_out if part.get("what") == "pictures"]
        said = [f"the text of turn {_and(texts)}"] if texts else []
        said += [f"the pictures of turn {_and(pictures)}"] if pictures else []
        return " and ".join(said)

    @property
    def observations(self) -> list[dict[str, Any]]:
        """What the eyes saw."""
        return list(self.turn.observations or ())


def view_all(review: ReviewRepository, turns: Sequence[TurnPage]) -> list[TurnView]:
    """Turns that follow each other, with the boxes of each in the picture that they are in."""
    earlier: list[Sequence[Attachment]] = []
    if turns and turns[0].turn.seq > 1:
        earlier.append(review.latest_pictures(turns[0].turn.conversation_id, turns[0].turn.seq))
    views = []
    for page in turns:
        views.append(turn_view(page, earlier[::-1]))
        if page.turn.attachments:
            earlier.append(page.turn.attachments)
    return views


def view_turn(review: ReviewRepository, turn_id: str) -> TurnView | None:
    """One turn; None: none that may be read."""
    page = review.turn(turn_id)
    return None if page is None else view_all(review, [page])[0]


def turn_view(page: TurnPage, earlier: Sequence[Sequence[Attachment]]) -> TurnView:
    """`earlier` are the files of the turns before, latest first."""
    turn = page.turn
    boxes = [Box(**box) for box in turn.boxes][:MOST_BOXES]
    target = pointed_at(turn.attachments, earlier) if boxes else None
    stored = [attachment for attachment in turn.attachments if attachment.state == AttachmentState.STORED]
    elsewhere = target is not None and target.id not in {attachment.id for attachment in stored}
    return TurnView(
        turn=turn,
        person=page.person,
        pictures=[picture_view(a, turn, boxes if target is not None and a.id == target.id else []) for a in stored],
        pointed=picture_view(target, turn, boxes) if elsewhere and target is not None else None,
        pending=sum(attachment.state == AttachmentState.PENDING for attachment in turn.attachments),
        refused=[attachment for attachment in turn.attachments if attachment.state == AttachmentState.REFUSED],
        verdicts=page.verdicts,
        deliveries=[told for told in page.deliveries if notice_of(told.delivery.kind) is None],
        usage=page.usage,
        answerer=page.answerer,
        answer_pictures=[picture_view(a, turn, []) for a in turn.answer_pictures if a.state == AttachmentState.STORED],
        notices=[view for told in page.deliveries if (view := _notice(turn, told)) is not None],
        queue_s=_between(turn.ready_at, turn.started_at),
        first_s=_between(turn.created_at, turn.first_token_at),
        total_s=_between(turn.created_at, turn.finished_at),
    )


def _notice(turn: Turn, told: Told) -> NoticeView | None:
    notice = notice_of(told.delivery.kind)
    if notice is None:
        return None
    return NoticeView(_NOTICES[notice], told, comes_first(told.delivery, turn))


def picture_view(attachment: Attachment, turn: Turn, boxes: Sequence[Box]) -> PictureView:
    """A stored attachment, with the boxes that `turn` has in it."""
    width, height = max(1, attachment.width), max(1, attachment.height)
    scale = min(1.0, SHOWN / max(width, height))
    return PictureView(
        id=attachment.id,
        name=attachment.name or "picture",
        width=width,
        height=height,
        shown=(max(1, round(width * scale)), max(1, round(height * scale))),
        full=f"/turns/{turn.id}/pictures/{attachment.id}",
        marks=[_mark(number, box, width, height) for number, box in enumerate(boxes, start=1)],
    )


def _mark(number: int, box: Box, width: int, height: int) -> Mark:
    left, top, right, bottom = (min(1.0, max(0.0, part)) for part in (box.left, box.top, box.right, box.bottom))
    x, y = round(left * width, 1), round(top * height, 1)
    wide, high = round((right - left) * width, 1), round((bottom - top) * height, 1)
    return Mark(number, box.label, (number - 1) % COLOURS, x, y, max(0.0, wide), max(0.0, high))


def _between(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else max(0.0, (end - start).total_seconds())


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
