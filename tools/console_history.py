"""A history for the console's screenshots: who asked what, how it was answered, and what reviewers said of it."""

from datetime import timedelta
from io import BytesIO
from typing import Any

from PIL import Image
from sqlalchemy import update

from admin.manage import LOCAL_OWNER
from core.conversation.inbound import Accepted, InboundQuestion, Named
from core.conversation.intake import Intake
from core.inference.source import DEMO
from core.media.blobs import BlobStore
from core.media.safe_picture import SafePicture
from core.reviewing import Rule
from core.store.models import Delivery
from core.store.outcome import Outcome
from core.store.review.scope import EVERYTHING
from core.values import DeliveryState, Platform, TurnState, new_id, utc_now
from tests.browser.weeks import fill_weeks
from tests.processes import Installation

WORKER = "screenshots"
TOKENS = {"prompt_tokens": 812, "picture_tokens": 640, "cached_tokens": 120, "completion_tokens": 48}
LATE: dict[str, Any] = {
    "error_code": "deadline_exceeded",
    "error_message": "The answer took too long. Please ask again.",
}


class People:
    """Whoever asks, and the worker that answers them."""

    def __init__(self, at: Installation) -> None:
        self.at = at
        self.store = at.store
        self._intake = Intake(at.store, BlobStore(at.settings.blob_store_url), at.settings)
        fill_weeks(at.store, at.settings.zone, utc_now() - timedelta(hours=2), "T0ACME", "Acme")
        for platform, workspace, name, people in (
            (Platform.SLACK, "T0ACME", "Acme", {"U1": "Mei Lin", "U2": "Jonas Berg"}),
            (Platform.TELEGRAM, "support", "Acme support", {"7": "Priya", "8": "Tom", "9": "李雷"}),
        ):
            with at.store.write() as repositories:
                row = repositories.people.workspace(platform, workspace, name=name)
                for person, shown in people.items():
                    repositories.people.person(row.id, person, display_name=shown)

    def ask(
        self, platform: Platform, place: str, person: str, question: str, *pictures: Named, thread: str = ""
    ) -> Accepted:
        """Commit a question."""
        workspace = "T0ACME" if platform is Platform.SLACK else "support"
        inbound = InboundQuestion(
            platform=platform,
            workspace=workspace,
            person=person,
            event_key=new_id(),
            question=question,
            conversation=thread or None,
            pictures=pictures,
            place=place,
            reply_to={"channel": place},
        )
        return self._intake.accept(inbound)

    def answer(self, accepted: Accepted, rating: int = 0, reason: str = "", **outcome: Any) -> None:
        """End its turn, and say what the person thinks of it."""
        now = utc_now()
        with self.store.write() as repositories:
            turn = repositories.turns.claim(accepted.turn_id, WORKER, now, now)
        assert turn is not None
        failed = "error_code" in outcome
        said = {"model": "glm-4.6v-flash", **TOKENS, "finish_reason": "" if failed else "stop", **outcome}
        ended = Outcome(TurnState.FAILED if failed else TurnState.ANSWERED, **said)
        with self.store.write() as repositories:
            repositories.turns.finish(turn.id, WORKER, turn.attempt, ended, utc_now())
            repositories.feedback.set(turn.id, accepted.person_id, rating, reason, now=utc_now())

    def want_a_human(self, conversation_id: str, minutes: int) -> None:
        """`/human`, so long ago."""
        asked = utc_now() - timedelta(minutes=minutes)
        with self.store.write() as repositories:
            repositories.conversations.hand_over(conversation_id, asked)
            repositories.turns.hand_over(conversation_id, asked)

    def deliver(self) -> None:
        """Whatever is to be said has arrived."""
        with self.store.write() as repositories:
            arrived = update(Delivery).values(state=DeliveryState.SENT, sent_at=utc_now())
            repositories.session.execute(arrived)


def sample() -> Named:
    """The picture that lies beside the demo model."""
    with Image.open(DEMO / "sample.png") as opened:
        written = BytesIO()
        opened.convert("RGB").save(written, "PNG")
        return Named("shapes.png", SafePicture.of(written.getvalue(), "image/png", *opened.size))


def talk(people: People) -> tuple[str, str]:
    """Some conversations; the ids of one with boxes, and of one that waits for a human."""
    picture = sample()
    tom = people.ask(Platform.TELEGRAM, "4242", "8", "Which cable goes into the port on the left?", picture)
    people.answer(tom, answer="The one with the flat end.")
    priya = people.ask(Platform.TELEGRAM, "4241", "7", "Why does it say ERR_CONNECTION_REFUSED?", picture)
    people.answer(priya, **LATE)
    lei = people.ask(Platform.TELEGRAM, "4243", "9", "右上角是什么颜色的？", picture)
    people.answer(lei, rating=1, answer="右上角是**蓝色**的圆形。")
    jonas = people.ask(Platform.SLACK, "C0SHOP", "U2", "Is the price on this label right?", picture)
    people.answer(jonas, rating=-1, reason="it read the barcode", answer="Yes: 12.90.")
    parcel = people.ask(Platform.TELEGRAM, "4244", "7", "My parcel came like this. What now?", picture, thread="p")
    people.answer(parcel, answer="The box is dented at a corner. I cannot see whether what is in it is damaged.")
    people.ask(Platform.TELEGRAM, "4244", "7", "The cup is broken. I would like a new one.", thread="p")
    people.want_a_human(parcel.conversation_id, 7)
    star = {"label": "red star", "left": 0.02, "top": 0.02, "right": 0.33, "bottom": 0.32}
    circle = {"label": "blue circle", "left": 0.69, "top": 0.04, "right": 0.95, "bottom": 0.3}
    mei = people.ask(Platform.SLACK, "C0DESIGN", "U1", "What is at the top of this picture?", picture, thread="t")
    people.answer(
        mei,
        rating=1,
        reason="exactly",
        answer="At the top there are **two shapes**: a red star on the left and a blue circle on the right.",
        thinking="Two shapes are above the heart.",
        boxes=(star, circle),
    )
    again = people.ask(Platform.SLACK, "C0DESIGN", "U2", "And the one in the middle?", thread="t")
    people.answer(again, answer="A pink heart.")
    people.deliver()
    return mei.conversation_id, parcel.conversation_id


def review(people: People, admin_id: str, shown: str) -> None:
    """What an admin says of the conversation `shown` and others, and a queue."""
    now = utc_now()
    with people.store.write() as repositories:
        turns = {turn.question: turn.id for turn in repositories.turns.of_conversation(shown)}
        for name in ("wrong colour", "good example"):
            repositories.labels.add(name, now)
        repositories.queues.add(
            "Thumbs down", Rule.THUMBS_DOWN, {}, workspace_id=None, judges=1, since=now - timedelta(days=7), now=now
        )
        reviewing = repositories.reviewing(EVERYTHING, admin_id)
        reviewing.put_label(turns["What is at the top of this picture?"], "good example", now)
        reviewing.judge(turns["What is at the top of this picture?"], "good", now)
        reviewing.correct(turns["And the one in the middle?"], "A red heart.", now)
        reviewing.assign(shown, LOCAL_OWNER)
