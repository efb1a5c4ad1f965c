"""Many writes in one transaction: each is undone alone, and known only when all are committed."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import pytest
from sqlalchemy import text

from core.errors import Busy, StoreError
from core.store.database import Repositories, Store
from core.store.group_commit import MOST, GroupCommit, Lanes
from core.values import Platform
from tests.processes import PATIENCE_S


@pytest.fixture
def group(store: Store) -> Iterator[GroupCommit]:
    made = GroupCommit(store, "test")
    yield made
    made.close()


def take(key: str) -> Callable[[Repositories], bool]:
    return lambda repositories: repositories.inbound.first(Platform.SLACK, key)


def is_there(store: Store, key: str) -> bool:
    with store.read() as repositories:
        return repositories.inbound.find(Platform.SLACK, key) is not None


def transaction(repositories: Repositories) -> int:
    """A number that all writes of one transaction have in common, and no others."""
    return id(repositories.session)


def together(group: GroupCommit, *writes: Callable[[Repositories], object]) -> "list[Future[object]]":
    """Submit them while the thread is busy with another write, so that they share the next transaction."""
    busy, go_on = threading.Event(), threading.Event()

    def hold(_: Repositories) -> None:
        busy.set()
        assert go_on.wait(PATIENCE_S)

    held = group.submit(hold)
    assert busy.wait(PATIENCE_S)
    futures = [group.submit(write) for write in writes]
    go_on.set()
    held.result(PATIENCE_S)
    return futures


def test_a_write_is_committed_when_its_value_is_there(group: GroupCommit, store: Store) -> None:
    assert group.submit(take("Ev1")).result(PATIENCE_S) is True
    assert is_there(store, "Ev1")
    assert group.submit(take("Ev1")).result(PATIENCE_S) is False


def test_who_waits_shares_a_transaction_in_the_order_of_arrival(group: GroupCommit) -> None:
    seen: list[int] = []

    def number(n: int) -> Callable[[Repositories], int]:
        def write(repositories: Repositories) -> int:
            seen.append(n)
            return transaction(repositories)

        return write

    sessions = [f.result(PATIENCE_S) for f in together(group, *(number(n) for n in range(MOST + 1)))]

    assert seen == list(range(MOST + 1))
    assert len(set(sessions[:MOST])) == 1


def test_one_that_raises_is_undone_alone(group: GroupCommit, store: Store) -> None:
    def refused(repositories: Repositories) -> None:
        repositories.inbound.first(Platform.SLACK, "Ev2")
        raise Busy

    first, second, third = together(group, take("Ev1"), refused, take("Ev3"))

    assert first.result(PATIENCE_S) is True
    with pytest.raises(Busy):
        second.result(PATIENCE_S)
    assert third.result(PATIENCE_S) is True
    assert [is_there(store, f"Ev{n}") for n in (1, 2, 3)] == [True, False, True]


def test_one_that_the_database_refuses_is_undone_alone(group: GroupCommit, store: Store) -> None:
    def mistaken(repositories: Repositories) -> None:
        repositories.session.execute(text("SELECT nothing FROM nowhere"))

    first, second, third = together(group, take("Ev1"), mistaken, take("Ev3"))

    assert [first.result(PATIENCE_S), third.result(PATIENCE_S)] == [True, True]
    assert second.exception(PATIENCE_S) is not None
    assert is_there(store, "Ev1")


def test_what_fails_at_the_commit_takes_nobody_down_with_it(group: GroupCommit, store: Store) -> None:
    def about_no_turn(repositories: Repositories) -> bool:
        # Looked at when all are committed.
        return repositories.inbound.first(Platform.SLACK, "Ev2", "0" * 32)

    first, second, third = together(group, take("Ev1"), about_no_turn, take("Ev3"))

    assert [first.result(PATIENCE_S), third.result(PATIENCE_S)] == [True, True]
    assert second.exception(PATIENCE_S) is not None
    assert [is_there(store, f"Ev{n}") for n in (1, 2, 3)] == [True, False, True]


def test_a_write_sees_the_rows_of_those_before_it_as_they_are(group: GroupCommit) -> None:
    def named(name: str) -> Callable[[Repositories], str]:
        def write(repositories: Repositories) -> str:
            person = repositories.people.person_of(Platform.SLACK, "T1", "U1", display_name=name)
            return person.display_name

        return write

    def forgotten(repositories: Repositories) -> None:
        # Past the session, whose objects know nothing of it.
        repositories.session.execute(text("UPDATE people SET display_name = 'Zoe'"))

    _, _, last = together(group, named("Ann"), forgotten, named(""))
    assert last.result(PATIENCE_S) == "Zoe"


def test_who_has_given_up_is_not_written_for(group: GroupCommit, store: Store) -> None:
    busy, go_on = threading.Event(), threading.Event()

    def hold(_: Repositories) -> None:
        busy.set()
        assert go_on.wait(PATIENCE_S)

    group.submit(hold)
    assert busy.wait(PATIENCE_S)
    given_up, other = group.submit(take("Ev1")), group.submit(take("Ev2"))
    assert given_up.cancel()
    go_on.set()
    assert other.result(PATIENCE_S) is True
    assert not is_there(store, "Ev1")


def test_closing_writes_what_was_submitted_and_takes_nothing_more(store: Store) -> None:
    group = GroupCommit(store, "test")
    asked = [group.submit(take(f"Ev{n}")) for n in range(3 * MOST)]
    group.close()
    assert all(one.result(0) for one in asked)
    with pytest.raises(StoreError):
        group.submit(take("late")).result(0)
    assert group.lag_s == 0.0


def test_writes_of_one_key_keep_their_order_whatever_the_others_do(store: Store) -> None:
    lanes = Lanes(store, "test")
    seen: dict[str, list[int]] = {key: [] for key in "abcdefgh"}
    futures = [
        lanes.submit(key, lambda _, key=key, n=n: seen[key].append(n))  # type: ignore[misc]
        for n in range(20)
        for key in seen
    ]
    for future in futures:
        future.result(PATIENCE_S)
    lanes.close()
    assert seen == {key: list(range(20)) for key in seen}
    assert lanes.lag_s == 0.0
    with pytest.raises(StoreError):
        lanes.submit("a", take("late")).result(0)


def test_a_database_that_is_away_is_told_to_all(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("away")
    group = GroupCommit(Store(f"sqlite:///{folder}/nothing/glimt.db"), "test")
    futures = [group.submit(take(f"Ev{n}")) for n in range(5)]
    for future in futures:
        with pytest.raises(StoreError):
            future.result(PATIENCE_S)
    group.close()
