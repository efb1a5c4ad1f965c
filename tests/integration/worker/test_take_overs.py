"""A worker gives take-overs back that nobody goes on with."""

from datetime import timedelta
from pathlib import Path

from core.inference.scripted import Script, ScriptedEngine
from core.queue.celery_app import make_celery
from core.settings import load_settings
from core.store.database import Store
from core.values import Platform, new_id, utc_now
from tests.integration.worker.workbench import NOWHERE
from tests.processes import until
from worker.runtime import WorkerRuntime


def test_a_take_over_that_was_left_returns_and_another_does_not(
    sqlite_url: str, sqlite_store: Store, tmp_path: Path
) -> None:
    taken = []
    for idle in (timedelta(hours=1), timedelta(0)):
        with sqlite_store.write() as repositories:
            workspace = repositories.people.workspace(Platform.WEB, "local")
            ann = repositories.people.person(workspace.id, "ann")
            taken.append(repositories.conversations.get_or_create(workspace.id, new_id(), ann.id).id)
            repositories.takeovers.take(taken[-1], new_id(), "", utc_now() - idle)
    settings = load_settings(_env_file=None, database_url=sqlite_url, redis_url=NOWHERE, data_dir=tmp_path)
    runtime = WorkerRuntime(settings, ScriptedEngine(lambda _: Script("x")), make_celery(settings))
    runtime.start()

    def holders() -> list[bool]:
        with sqlite_store.read() as repositories:
            found = [repositories.conversations.get(conversation_id) for conversation_id in taken]
        return [bool(conversation and conversation.taken_by) for conversation in found]

    try:
        until(lambda: not holders()[0], "the one that was left is the model's again")
        assert holders() == [False, True]
    finally:
        runtime.close()
