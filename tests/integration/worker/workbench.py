"""The answering part of a worker inside the test's own process: a real store, any engine, and no Redis at all."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from core.inference.port import Engine
from core.media.blobs import BlobStore
from core.policy.watch import Policies
from core.queue.announcer import Announcer
from core.queue.celery_app import make_celery
from core.queue.connect import connect
from core.queue.dispatch import Dispatcher
from core.queue.fleet import Fleet
from core.settings import Settings, load_settings
from core.store.database import Store
from core.store.models import Turn
from core.values import AttachmentState, Platform, new_id, utc_now
from worker.answer import Answerer
from worker.held import HeldTurns

OWNER = "host:1:cafe"
# Redis being away costs the live view and nothing else, so these tests do without one.
NOWHERE = "unix:///nowhere/redis.sock"


@dataclass
class Clock:
    """Stands still until it is moved."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Workbench:
    """One answerer and its turns."""

    store: Store
    engine: Engine
    held: HeldTurns
    answerer: Answerer
    settings: Settings

    def ask(self, question: str = "What is this?", thread: str = "", pictures: Sequence[bytes] = ()) -> str:
        """A turn that waits; its id."""
        keys = [BlobStore(self.settings.blob_store_url).put(data) for data in pictures]
        with self.store.write() as repositories:
            workspace = repositories.people.workspace(Platform.WEB, "local")
            person = repositories.people.person(workspace.id, "ann")
            conversation = repositories.conversations.get_or_create(workspace.id, thread or new_id(), person.id)
            turn_id = repositories.turns.add(conversation.id, person.id, question, now=utc_now()).id
            for place, key in enumerate(keys):
                repositories.attachments.add(
                    turn_id, place, state=AttachmentState.STORED, blob_key=key, width=64, height=64
                )
            return turn_id

    def turn(self, turn_id: str) -> Turn:
        """The row as it is now."""
        with self.store.read() as repositories:
            turn = repositories.turns.get(turn_id)
        assert turn is not None
        return turn

    def answered(self, question: str = "What is this?", thread: str = "", pictures: Sequence[bytes] = ()) -> Turn:
        """Ask, make one attempt in this thread; the row after it."""
        turn_id = self.ask(question, thread, pictures)
        self.answerer.answer(turn_id)
        return self.turn(turn_id)


@contextmanager
def workbench(
    store: Store,
    engine: Engine,
    folder: Path,
    held: Callable[[Callable[[str], object]], HeldTurns] = HeldTurns,
    policies: Policies | None = None,
    fleet: Fleet | None = None,
    **chosen: Any,
) -> Iterator[Workbench]:
    """A bench whose engine and announcer end with the block. `chosen` are settings."""
    settings = load_settings(_env_file=None, redis_url=NOWHERE, data_dir=folder, **chosen)
    announcer = Announcer(Dispatcher(store, make_celery(settings), connect(NOWHERE), settings))
    register = held(engine.cancel)
    blobs = BlobStore(settings.blob_store_url)
    answerer = Answerer(engine, store, blobs, connect(NOWHERE), register, announcer, OWNER, settings, policies, fleet)
    try:
        # Nobody has set up logging here, and structlog's own way of printing tracebacks takes seconds.
        with capture_logs():
            yield Workbench(store, engine, register, answerer, settings)
    finally:
        announcer.close()
        engine.close()
