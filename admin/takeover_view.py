"""Who answers in a conversation, as the transcript shows it."""

from dataclasses import dataclass
from hashlib import sha256

from admin.viewer import Viewer
from admin.views import TurnView, turn_view
from core.admins import Permission
from core.store.review import ReviewRepository
from core.store.review.handovers import Handover
from core.values import Platform, new_id


@dataclass(frozen=True, slots=True)
class TakeoverView:
    """`who` is the model, a human whom nobody is yet (waiting), the viewer (mine) or another admin (other).

    `may`: the viewer may answer there. `key` is for the next words that he says. `known` changes with what is shown.
    `news`: the latest turns that a human answers, with what has become of them.
    """

    handover: Handover
    who: str
    may: bool
    key: str
    known: str
    news: list[TurnView]

    @property
    def conversation_id(self) -> str:
        """Which conversation it is."""
        return self.handover.conversation.id


def takeover_view(review: ReviewRepository, viewer: Viewer, conversation_id: str) -> TakeoverView | None:
    """None: no such conversation, or none that may be read."""
    handover = review.handover(conversation_id)
    if handover is None:
        return None
    conversation = handover.conversation
    if conversation.handed_over_at is None:
        who = "model"
    elif not conversation.taken_by:
        who = "waiting"
    else:
        who = "mine" if conversation.taken_by == viewer.admin_id else "other"
    # Without boxes, which only models point out.
    news = [turn_view(page, ()) for page in review.turns(handover.latest)]
    shown = [who, conversation.taken_by, str(handover.unanswered), *(view.version for view in news)]
    return TakeoverView(
        handover,
        who,
        # A program waits for its answers, and for nothing else.
        viewer.may(Permission.OPERATE) and handover.platform is not Platform.API,
        new_id(),
        sha256(" ".join(shown).encode()).hexdigest()[:16],
        news,
    )
