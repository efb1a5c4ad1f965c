"""People who ask at a workspace of a test's own, and the worker that answers them."""

import re
from dataclasses import dataclass
from typing import Any

from core.conversation.inbound import Accepted, InboundQuestion, Named
from core.conversation.intake import Intake
from core.media.blobs import BlobStore
from core.media.safe_picture import SafePicture
from core.queue.streams import TurnWriter
from core.store.models import Attachment, Conversation, Turn
from core.store.outcome import Outcome
from core.values import Platform, TurnState, new_id, utc_now
from tests.integration.console.desk import Desk
from tests.integration.web.site import LEASE, OWNER


@dataclass
class Talk:
    """People who ask at a workspace of the test's own, and the worker that answers them."""

    desk: Desk
    workspace: str

    @classmethod
    def begin(cls, desk: Desk) -> "Talk":
        return cls(desk, f"T{new_id()[-8:]}")

    def ask(self, question: str, *pictures: Named, thread: str = "", person: str = "ann") -> Accepted:
        """Commit a question."""
        intake = Intake(self.desk.store, BlobStore(self.desk.settings.blob_store_url), self.desk.settings)
        return intake.accept(
            InboundQuestion(
                platform=Platform.WEB,
                workspace=self.workspace,
                person=person,
                event_key=new_id(),
                question=question,
                conversation=thread or None,
                pictures=pictures,
            )
        )

    def claim(self, turn_id: str) -> tuple[Turn, TurnWriter]:
        """Take the turn, as a worker does."""
        with self.desk.store.write() as repositories:
            turn = repositories.turns.claim(turn_id, OWNER, utc_now(), utc_now() + LEASE)
        assert turn is not None
        return turn, TurnWriter(self.desk.at.redis, turn.id, turn.attempt, 3600)

    def end(self, turn: Turn, writer: TurnWriter | None = None, **outcome: Any) -> None:
        """End it."""
        ended: dict[str, Any] = {"finish_reason": "stop", "model": "scripted:echo", **outcome}
        failed = "error_code" in outcome
        how = Outcome(TurnState.FAILED if failed else TurnState.ANSWERED, **ended)
        with self.desk.store.write() as repositories:
            repositories.turns.finish(turn.id, OWNER, turn.attempt, how, utc_now())
        if writer is not None:
            writer.end()
            writer.flush()

    def answered(self, question: str, answer: str, *pictures: Named, thread: str = "", **outcome: Any) -> Accepted:
        """A question with its answer."""
        accepted = self.ask(question, *pictures, thread=thread)
        self.end(self.claim(accepted.turn_id)[0], answer=answer, **outcome)
        return accepted

    def workspace_id(self, accepted: Accepted) -> str:
        """The row of the workspace."""
        with self.desk.store.read() as repositories:
            conversation = repositories.session.get(Conversation, accepted.conversation_id)
        assert conversation is not None
        return conversation.workspace_id

    def attachment(self, turn_id: str) -> Attachment:
        """The one file of a turn."""
        with self.desk.store.read() as repositories:
            return repositories.session.query(Attachment).filter_by(turn_id=turn_id).one()


def safe(data: bytes, size: tuple[int, int] = (32, 24)) -> Named:
    """A picture as the reader process leaves it."""
    return Named("chart.png", SafePicture.of(data, "image/png", *size))


def links(page: str) -> list[str]:
    """Where the rows of a list lead."""
    return re.findall(r'<a data-item href="([^"]+)"', page)
