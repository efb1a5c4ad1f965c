"""Asking from tests, through the real intake, and looking at what came of it."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis as AsyncRedis

from core.conversation.inbound import Accepted, InboundQuestion, Named
from core.conversation.intake import Intake
from core.media.blobs import BlobStore
from core.queue.celery_app import make_celery
from core.queue.dispatch import Dispatcher
from core.queue.follow import Ended, FollowEvent, StreamHub
from core.store.models import Delivery, Turn, Usage
from core.values import FINAL_STATES, Platform, new_id
from tests.processes import PATIENCE_S, Installation, until


@dataclass
class Asker:
    """Asks as people of the web channel."""

    at: Installation
    conversations: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.settings = self.at.settings.model_copy(update={"redis_url": self.at.redis_server.url})
        self.intake = Intake(self.at.store, BlobStore(self.settings.blob_store_url), self.settings)
        self.dispatcher = Dispatcher(self.at.store, make_celery(self.settings), self.at.redis, self.settings)

    def accept(
        self, question: str, *, thread: str = "", person: str = "ann", pictures: Sequence[Named] = ()
    ) -> Accepted:
        """Commit a question without telling anybody. `thread` names the conversation; empty: a new one."""
        return self.intake.accept(
            InboundQuestion(
                platform=Platform.WEB,
                workspace="local",
                person=person,
                event_key=new_id(),
                question=question,
                conversation=thread or None,
                pictures=tuple(pictures),
            )
        )

    def ask(self, question: str, *, thread: str = "", person: str = "ann", pictures: Sequence[Named] = ()) -> str:
        """Commit a question and announce it; the turn's id."""
        accepted = self.accept(question, thread=thread, person=person, pictures=pictures)
        self.dispatcher.announce([accepted.person_id], [accepted.conversation_id])
        return accepted.turn_id

    def turn(self, turn_id: str) -> Turn:
        """The row as it is now."""
        with self.at.store.read() as repositories:
            turn = repositories.turns.get(turn_id)
        assert turn is not None
        return turn

    def wait(self, turn_ids: Iterable[str], timeout_s: float = PATIENCE_S) -> list[Turn]:
        """Until all of them are final."""
        wanted = list(turn_ids)

        def all_final() -> list[Turn]:
            with self.at.store.read() as repositories:
                found = repositories.turns.by_ids(wanted)
            turns = [found[turn_id] for turn_id in wanted]
            return turns if all(turn.state in FINAL_STATES for turn in turns) else []

        return until(all_final, f"{len(wanted)} turns become final", timeout_s)

    def wait_for_text(self, turn_id: str) -> None:
        """Until the first text of the answer is in its stream."""
        key = f"glimt:turn:{turn_id}"

        def begun() -> bool:
            entries: Any = self.at.redis.xrange(key)
            return any(fields[b"k"] == b"text" for _, fields in entries)

        until(begun, "the answer begins")

    def deliveries(self, turn_id: str) -> list[Delivery]:
        """The outbox rows of a turn."""
        with self.at.store.read() as repositories:
            return list(repositories.session.query(Delivery).filter_by(turn_id=turn_id))

    def usages(self, turn_id: str) -> list[Usage]:
        """The usage rows of a turn."""
        with self.at.store.read() as repositories:
            return list(repositories.session.query(Usage).filter_by(turn_id=turn_id))

    def follow(self, turn_id: str, after: str = "0-0") -> list[FollowEvent]:
        """Everything a reader sees from `after` to the end."""

        async def read() -> list[FollowEvent]:
            redis = AsyncRedis.from_url(self.at.redis_server.url)
            try:
                async with StreamHub(redis, self.at.store) as hub, asyncio.timeout(PATIENCE_S):
                    return [event async for event in hub.follow(turn_id, after)]
            finally:
                await redis.aclose()

        return asyncio.run(read())


def ended(events: Sequence[FollowEvent]) -> Turn:
    """The row that the last event brought."""
    last = events[-1]
    assert isinstance(last, Ended)
    return last.turn
