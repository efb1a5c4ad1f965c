"""The parts of a worker process end when they are asked to, whatever hangs."""

import threading
from pathlib import Path

from structlog.testing import capture_logs

from core.inference.scripted import Script, ScriptedEngine
from core.queue.announcer import Announcer
from core.queue.celery_app import make_celery
from core.queue.connect import connect
from core.queue.dispatch import Announced, Dispatcher
from core.settings import load_settings
from core.store.database import Store
from tests.integration.worker.workbench import NOWHERE
from tests.processes import PATIENCE_S
from worker.periodic import Periodic
from worker.runtime import WorkerRuntime


class EndlessEngine(ScriptedEngine):
    """Hangs in a step: its thread never ends."""

    def close(self) -> None:
        threading.Event().wait()


def test_an_engine_that_does_not_end_keeps_no_process(sqlite_url: str, tmp_path: Path) -> None:
    settings = load_settings(_env_file=None, database_url=sqlite_url, redis_url=NOWHERE, data_dir=tmp_path)
    with capture_logs() as logs:
        runtime = WorkerRuntime(settings, EndlessEngine(lambda _: Script("x")), make_celery(settings))
        runtime.start()
        runtime.close()
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["engine_hangs"]


def test_an_action_that_does_not_end_keeps_no_process() -> None:
    begun = threading.Event()

    def hang() -> None:
        begun.set()
        threading.Event().wait()

    periodic = Periodic("hanging", 1.0, hang)
    periodic.start()
    assert begun.wait(PATIENCE_S)
    periodic.close()


def test_an_announcement_that_does_not_end_keeps_no_process(sqlite_store: Store, tmp_path: Path) -> None:
    begun = threading.Event()

    class Hanging(Dispatcher):
        def announce(self, *_: object, **__: object) -> Announced:
            begun.set()
            threading.Event().wait()
            return Announced()

    settings = load_settings(_env_file=None, redis_url=NOWHERE, data_dir=tmp_path)
    announcer = Announcer(Hanging(sqlite_store, make_celery(settings), connect(NOWHERE), settings))
    announcer.hint("person", "conversation")
    assert begun.wait(PATIENCE_S)
    announcer.close()
