"""Versions of what admins decide: added one behind the other, brought back, noticed by whoever watches."""

import threading

import pytest

from core.errors import NotFound, StoreError
from core.policy.document import Policy
from core.policy.levels import Level
from core.policy.saving import SettingsStale, bring_back, save_policy
from core.policy.watch import PolicyWatch
from core.store.database import Store
from core.store.settings import Target
from core.values import Platform
from tests.deciding import INSTALLATION, LEO, decide, target_of
from tests.processes import until


def versions(store: Store, target: Target) -> list[tuple[int, dict[str, object], int | None]]:
    with store.read() as repositories:
        rows = repositories.settings.history(target, limit=10)
    return [(row.version, row.document, row.undone_from) for row in rows]


def test_each_change_is_a_version_and_undoing_is_one_more(store: Store) -> None:
    decide(store, temperature=0.1)
    decide(store, temperature=0.2)
    with store.write() as repositories:
        assert bring_back(repositories, INSTALLATION, 1, LEO, base=2) != []
    assert versions(store, INSTALLATION) == [
        (3, {"temperature": 0.1}, 1),
        (2, {"temperature": 0.2}, None),
        (1, {"temperature": 0.1}, None),
    ]
    with store.write() as repositories:
        bring_back(repositories, INSTALLATION, 0, LEO, base=3)
    assert versions(store, INSTALLATION)[0] == (4, {}, 0)
    with pytest.raises(NotFound), store.write() as repositories:
        bring_back(repositories, INSTALLATION, 9, LEO, base=4)


def test_what_changes_nothing_is_no_version(store: Store) -> None:
    decide(store, temperature=0.1)
    decide(store, temperature=0.1)
    assert len(versions(store, INSTALLATION)) == 1


def test_whoever_has_not_seen_the_newest_overwrites_nothing(store: Store) -> None:
    decide(store, temperature=0.1)
    for base in (0, 2):
        with pytest.raises(SettingsStale), store.write() as repositories:
            save_policy(repositories, INSTALLATION, Policy(temperature=0.9), LEO, base=base)
    assert len(versions(store, INSTALLATION)) == 1


def test_of_two_at_once_one_is_refused(store: Store) -> None:
    meet, outcomes = threading.Barrier(2), []

    def save(temperature: float) -> None:
        meet.wait()
        try:
            with store.write() as repositories:
                save_policy(repositories, INSTALLATION, Policy(temperature=temperature), LEO, base=0)
            outcomes.append("saved")
        except SettingsStale:
            outcomes.append("stale")

    threads = [threading.Thread(target=save, args=(temperature,)) for temperature in (0.1, 0.2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["saved", "stale"]
    assert len(versions(store, INSTALLATION)) == 1


def test_the_newest_of_every_target_with_its_names(store: Store) -> None:
    decide(store, thinking=True)
    decide(store, Platform.SLACK, "T1", listens="never")
    place = decide(store, Platform.SLACK, "T1", "C1", listens="pictures")
    decide(store, Platform.SLACK, "T1", "C1", listens="mentions")
    with store.read() as repositories:
        newest = repositories.settings.newest()
        assert repositories.settings.count() == 4
    assert {target.level: (row.version, row.platform, row.workspace, row.place) for target, row in newest.items()} == {
        "installation": (1, "", "", ""),
        "workspace": (1, "slack", "T1", ""),
        "place": (2, "slack", "T1", "C1"),
    }
    assert newest[place].document == {"listens": "mentions"}


def test_an_admin_who_chooses_the_mode_of_a_place_takes_back_what_was_chosen_there(store: Store) -> None:
    place = target_of(store, Platform.SLACK, "T1", "C1")

    def chosen() -> str:
        with store.read() as repositories:
            workspace = repositories.people.known_workspace(Platform.SLACK, "T1")
            assert workspace is not None
            found = repositories.places.known(workspace.id, "C1")
            assert found is not None
            return found.persona

    with store.write() as repositories:
        repositories.places.set_persona(place.id, "tutor")
    decide(store, Platform.SLACK, "T1", "C1", temperature=0.3)
    assert chosen() == "tutor"
    decide(store, Platform.SLACK, "T1", "C1", persona="support")
    assert chosen() == ""


def test_a_group_that_gets_another_id_keeps_what_was_decided(store: Store) -> None:
    decide(store, Platform.TELEGRAM, "7", "-5", listens="never")
    decide(store, Platform.TELEGRAM, "7", "-6", listens="pictures")
    target_of(store, Platform.TELEGRAM, "7", "-1006")
    watch = PolicyWatch(store)
    watch.look()
    with store.write() as repositories:
        workspace = repositories.people.workspace(Platform.TELEGRAM, "7")
        repositories.telegram.move_chat(workspace.id, "-5", "-1005")
        # Somebody wrote in this one before we were told.
        repositories.telegram.move_chat(workspace.id, "-6", "-1006")
    watch.look()
    at = watch.now.at
    assert [at("telegram", "7", place).find("listens").value for place in ("-5", "-1005", "-1006")] == [
        None,
        "never",
        "pictures",
    ]


def test_a_change_is_noticed_without_being_told(store: Store) -> None:
    watch = PolicyWatch(store)
    with pytest.raises(StoreError):
        _ = watch.now
    watch.start()
    try:
        assert watch.now.at("slack", "T1").find("thinking").value is None
        decide(store, Platform.SLACK, "T1", thinking=True)
        until(lambda: watch.now.at("slack", "T1").find("thinking").value, "it is noticed")
    finally:
        watch.close()


def test_while_the_database_is_away_what_was_known_counts(
    sqlite_store: Store, tmp_path_factory: pytest.TempPathFactory
) -> None:
    decide(sqlite_store, thinking=True)
    watch = PolicyWatch(sqlite_store)
    watch.look()
    broken = PolicyWatch(Store(f"sqlite:///{tmp_path_factory.mktemp('empty')}/none/nothing.db"))
    with pytest.raises(StoreError):
        broken.look()
    with pytest.raises(StoreError, match="not been read"):
        _ = broken.now
    assert watch.now.installation.thinking is True


def test_a_workspace_that_is_gone_takes_its_policy_with_it(store: Store) -> None:
    decide(store, Platform.SLACK, "T1", thinking=True)
    with store.write() as repositories:
        workspace = repositories.people.workspace(Platform.SLACK, "T1")
        repositories.session.delete(workspace)
    with store.read() as repositories:
        assert repositories.settings.newest() == {}


def test_levels_are_words_of_the_table() -> None:
    assert [level.value for level in Level] == ["installation", "workspace", "place"]
