"""Workspaces and people appear on first sight and keep their ids."""

from core.values import Platform
from tests.integration.store.scene import Scene


def test_the_same_names_are_the_same_rows(scene: Scene) -> None:
    with scene.store.write() as repositories:
        workspace = repositories.people.workspace(Platform.SLACK, "T1", "Team")
        person = repositories.people.person(workspace.id, "U1", "Ann", "de")
    with scene.store.write() as repositories:
        assert repositories.people.workspace(Platform.SLACK, "T1").id == workspace.id
        again = repositories.people.person(workspace.id, "U1")
    assert (again.id, again.display_name, again.locale) == (person.id, "Ann", "de")


def test_tenants_are_apart(scene: Scene) -> None:
    with scene.store.write() as repositories:
        people = repositories.people
        workspaces = {
            people.workspace(platform, name).id
            for platform, name in ((Platform.SLACK, "T1"), (Platform.SLACK, "T2"), (Platform.TELEGRAM, "T1"))
        }
        persons = {people.person(workspace, "U1").id for workspace in workspaces}
    assert (len(workspaces), len(persons)) == (3, 3)


def test_new_names_replace_old_ones_and_none_does_not(scene: Scene) -> None:
    with scene.store.write() as repositories:
        workspace = repositories.people.workspace(Platform.SLACK, "T1", "Team")
        repositories.people.person(workspace.id, "U1", "Ann", "de")
    with scene.store.write() as repositories:
        repositories.people.workspace(Platform.SLACK, "T1", "New team")
        repositories.people.person(workspace.id, "U1", "Anna", "fr")
    with scene.store.write() as repositories:
        assert repositories.people.workspace(Platform.SLACK, "T1").name == "New team"
        person = repositories.people.person(workspace.id, "U1")
        assert (person.display_name, person.locale) == ("Anna", "fr")


def test_overlong_names_are_cut(scene: Scene) -> None:
    with scene.store.write() as repositories:
        workspace = repositories.people.workspace(Platform.SLACK, "T1", "n" * 300)
        person = repositories.people.person(workspace.id, "U1", "名" * 300, "x" * 40)
    assert (len(workspace.name), len(person.display_name), len(person.locale)) == (255, 255, 16)


def test_who_is_known_is_known_by_platform_and_workspace(scene: Scene) -> None:
    with scene.store.write() as repositories:
        workspace = repositories.people.workspace(Platform.SLACK, "T1")
        ann = repositories.people.person(workspace.id, "U1")
    with scene.store.read() as repositories:
        known = repositories.people.known(Platform.SLACK, "T1", "U1")
        assert known is not None
        assert known.id == ann.id
        for platform, team, name in (("slack", "T1", "U2"), ("slack", "T2", "U1"), ("telegram", "T1", "U1")):
            assert repositories.people.known(Platform(platform), team, name) is None
