"""Quotas at intake: what is refused says so and when it frees up, and nothing else is refused or counted."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, update

from core.conversation.intake import Intake
from core.errors import NotServed, QuotaReached
from core.policy.effective import Quotas
from core.policy.quotas import QuotaKeeper
from core.policy.watch import PolicyWatch
from core.settings import load_settings
from core.store.database import Store
from core.store.models import Turn
from core.store.outcome import Outcome
from core.values import Platform, TurnState, new_id, utc_now
from tests.deciding import decide
from tests.integration.conversation.asked import Desk, past, photo, question
from tests.integration.store.scene import NOW, Scene, after
from tests.integration.store.test_query_plans import explained

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def limited(store: Store) -> Callable[..., Desk]:
    """An intake where an admin has decided something for the page's workspace."""

    def made(**document: Any) -> Desk:
        decide(store, Platform.WEB, "local", **document)
        watch = PolicyWatch(store)
        watch.look()
        desk = Desk(store)
        desk.intake = Intake(store, desk.blobs, load_settings(_env_file=None), watch)
        return desk

    return made


def check(
    scene: Scene, quotas: Quotas, at: float = 0, keeper: QuotaKeeper | None = None, **asked: Any
) -> QuotaReached | None:
    """What a question of Ann's is refused with, so many seconds after the test's now."""
    person = scene.person()
    with scene.store.read() as repositories:
        workspace = repositories.people.known_workspace(Platform.SLACK, "team")
        assert workspace is not None
        try:
            (keeper or QuotaKeeper()).check(
                repositories, quotas, person_id=person, workspace_id=workspace.id, now=after(at), **asked
            )
        except QuotaReached as reached:
            return reached
    return None


def spend(scene: Scene, thread: str, tokens: int, at: float) -> None:
    """Ann is answered, for so many tokens read and one written."""
    turn_id = scene.ask(thread, at=at)
    outcome = Outcome(TurnState.ANSWERED, answer="A.", prompt_tokens=tokens - 1, completion_tokens=1)
    scene.finish(turn_id, scene.run(turn_id, at=at), outcome, at=at)


@pytest.fixture
def scene(store: Store) -> Scene:
    return Scene(store)


def test_so_many_questions_within_any_minute(scene: Scene) -> None:
    quotas = Quotas(questions_per_minute=3)
    for at in (0, 20, 40):
        assert check(scene, quotas, at) is None
        scene.ask(scene.thread(f"thread {at}"), at=at)
    reached = check(scene, quotas, 50)
    assert reached is not None
    assert reached.retry_after_s == 10
    assert reached.user_message == ("You have reached the limit for questions: 3 in a minute. Ask again in 10 seconds.")
    assert check(scene, quotas, 60) is None
    assert check(scene, quotas, 50, again=True) is None


def test_so_many_questions_in_a_day_of_utc(scene: Scene) -> None:
    quotas = Quotas(questions_per_day=2)
    before_midnight = (MIDNIGHT - NOW).total_seconds()
    scene.ask(scene.thread("yesterday"), at=-13 * 3600)
    for n in range(2):
        assert check(scene, quotas) is None
        scene.ask(scene.thread(f"thread {n}"), at=n)
    scene.ask(scene.thread("of Bob", "bob"), person="bob")
    reached = check(scene, quotas, 3600)
    assert reached is not None
    assert reached.retry_after_s == before_midnight - 3600
    assert reached.user_message.endswith("You can ask again from 2026-03-02 00:00 UTC on.")
    assert check(scene, quotas, before_midnight) is None


def test_so_many_tokens_of_a_person_and_of_a_workspace(scene: Scene) -> None:
    thread = scene.thread()
    spend(scene, thread, 400, at=-13 * 3600)
    spend(scene, thread, 600, at=0)
    assert check(scene, Quotas(tokens_per_day=601), 9) is None
    reached = check(scene, Quotas(tokens_per_day=600), 9)
    assert reached is not None
    assert "600 tokens that are allowed in a day" in reached.user_message
    # Tokens count for asking again, too.
    assert check(scene, Quotas(tokens_per_day=600), 9, again=True) is not None
    assert check(scene, Quotas(workspace_tokens_per_day=601), 9) is None
    assert check(scene, Quotas(workspace_tokens_per_day=600), 9) is not None
    # The other 400 were used on the last day of February.
    assert check(scene, Quotas(workspace_tokens_per_month=601), 9) is None
    month = check(scene, Quotas(workspace_tokens_per_month=600), 9)
    assert month is not None
    assert month.user_message.endswith("for this month. I answer again from 2026-04-01 00:00 UTC on.")
    assert month.retry_after_s == (datetime(2026, 4, 1, tzinfo=UTC) - after(9)).total_seconds()


def test_a_workspaces_use_is_believed_for_two_seconds(scene: Scene) -> None:
    clock = [0.0]
    keeper, quotas = QuotaKeeper(lambda: clock[0]), Quotas(workspace_tokens_per_month=600)
    thread = scene.thread()
    spend(scene, thread, 300, at=0)
    assert check(scene, quotas, 1, keeper) is None
    spend(scene, thread, 300, at=1)
    assert check(scene, quotas, 1, keeper) is None
    clock[0] = 2.0
    assert check(scene, quotas, 2, keeper) is not None
    # A new day counts what the days before it were; a new month nothing of them.
    clock[0] = 2.5
    assert check(scene, quotas, 13 * 3600, keeper) is not None
    assert check(scene, quotas, 32 * 24 * 3600, keeper) is None


def test_what_a_human_answers_and_what_a_program_brings_along_is_not_counted(limited: Callable[..., Desk]) -> None:
    desk = limited(questions_per_day=2)
    brought = desk.accept(history=past(("One?", "1"), ("Two?", "2"), ("Three?", "3")))
    with desk.store.write() as repositories:
        repositories.conversations.hand_over(brought.conversation_id, utc_now())
        repositories.session.execute(update(Turn).where(Turn.id == brought.turn_id).values(state=TurnState.HANDED_OVER))
    for n in range(2):
        desk.accept(f"Question {n}")
    with pytest.raises(QuotaReached):
        desk.accept("One too many")
    # A human answers there.
    assert desk.accept("Still there?", conversation_id=brought.conversation_id).handed_over


def test_a_refused_question_leaves_nothing_and_the_same_event_may_come_again(limited: Callable[..., Desk]) -> None:
    desk = limited(questions_per_day=1)
    first = desk.accept("First", event_key="e1")
    for _ in range(2):
        with pytest.raises(QuotaReached):
            desk.accept("Second", event_key="e2")
    assert desk.accept("First", event_key="e1").turn_id == first.turn_id
    assert desk.accept("First", event_key="e1").duplicate
    assert desk.accept("Of Bob", person="bob").turn_id
    decide(desk.store, Platform.WEB, "local", questions_per_day=0)
    free = PolicyWatch(desk.store)
    free.look()
    intake = Intake(desk.store, desk.blobs, load_settings(_env_file=None), free)
    assert not intake.accept(question("Second", event_key="e2")).duplicate


def test_who_is_not_served_leaves_nothing(limited: Callable[..., Desk]) -> None:
    desk = limited(people=["bob"])
    with pytest.raises(NotServed):
        desk.accept("Let me in")
    assert desk.blobs.given == []
    assert desk.accept("I am Bob", person="bob").turn_id


def test_a_picture_beyond_the_quota_is_not_kept(limited: Callable[..., Desk]) -> None:
    desk = limited(questions_per_day=1)
    desk.accept("First", pictures=(photo("a"),))
    kept = len(desk.blobs.given)
    with pytest.raises(QuotaReached):
        desk.accept("Second", pictures=(photo("a"),))
    assert len(desk.blobs.given) == kept


def test_without_a_quota_nothing_is_counted_and_with_some_it_is_one_query(store: Store) -> None:
    scene = Scene(store)
    scene.person()
    statements: list[str] = []
    with store.read() as repositories:
        workspace = repositories.people.known_workspace(Platform.SLACK, "team")
        assert workspace is not None
        connection = repositories.session.connection()
        event.listen(connection, "before_cursor_execute", lambda *asked: statements.append(asked[2]))
        keeper = QuotaKeeper()
        asked: dict[str, Any] = {"person_id": scene.person(), "workspace_id": workspace.id, "now": NOW}
        keeper.check(repositories, Quotas(), **asked)
        assert statements == []
        keeper.check(repositories, Quotas(questions_per_minute=1, questions_per_day=1, tokens_per_day=1), **asked)
        assert len(statements) == 1


def test_counting_goes_through_its_indexes(store: Store) -> None:
    scene = Scene(store)
    spend(scene, scene.thread(), 10, at=0)
    with store.read() as repositories, explained(repositories.session.connection()) as plans:
        repositories.session.connection().exec_driver_sql(
            "SELECT 1" if repositories.session.get_bind().dialect.name == "sqlite" else "SET LOCAL enable_seqscan = off"
        )
        repositories.quotas.of_person(
            new_id(), per_minute=1, minute=NOW - timedelta(minutes=1), day=NOW, asked=True, tokens=True
        )
    assert "ix_turns_asked" in "\n".join(plans)
    assert "ix_usage_person_id_created_at" in "\n".join(plans)
