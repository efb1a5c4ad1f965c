"""Workspaces and people, as their platforms name them. Both appear on first sight."""

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from core.store.models import Person, Workspace
from core.store.upsert import insert_if_new
from core.values import Platform, new_id

_WORKSPACE = select(Workspace).where(
    Workspace.platform == bindparam("platform"), Workspace.external_id == bindparam("external_id")
)
_PERSON = select(Person).where(
    Person.workspace_id == bindparam("workspace_id"), Person.external_id == bindparam("external_id")
)
_KNOWN = (
    select(Person)
    .join(Workspace, Workspace.id == Person.workspace_id)
    .where(
        Workspace.platform == bindparam("platform"),
        Workspace.external_id == bindparam("workspace"),
        Person.external_id == bindparam("person"),
    )
)
_NAME_CHARS = 255
_LOCALE_CHARS = 16


class PeopleRepository:
    """Get-or-create is safe against others doing the same at the same moment."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def workspace(self, platform: Platform, external_id: str, name: str = "") -> Workspace:
        """The workspace that the platform knows by this id. A name, where given, replaces the stored one."""
        known = {"platform": platform, "external_id": external_id}
        name = name[:_NAME_CHARS]
        workspace = self._session.scalars(_WORKSPACE, known).one_or_none()
        if workspace is None:
            workspace = insert_if_new(
                self._session,
                Workspace,
                {"id": new_id(), "name": name, **known},
                ("platform", "external_id"),
            )
            workspace = workspace or self._session.scalars(_WORKSPACE, known).one()
        if name and workspace.name != name:
            workspace.name = name
        return workspace

    def known_workspace(self, platform: Platform, external_id: str) -> Workspace | None:
        """The workspace by the platform's own name; None: never seen. Writes nothing."""
        known = {"platform": platform, "external_id": external_id}
        return self._session.scalars(_WORKSPACE, known).one_or_none()

    def known(self, platform: Platform, workspace: str, person: str) -> Person | None:
        """The person by the platform's own names; None: never seen. Writes nothing."""
        names = {"platform": platform, "workspace": workspace, "person": person}
        return self._session.scalars(_KNOWN, names).one_or_none()

    def person_of(
        self, platform: Platform, workspace: str, person: str, *, display_name: str = "", locale: str = ""
    ) -> Person:
        """The person, by the platform's own names, in a workspace that appears likewise. The rest as in `person`."""
        known = self.known(platform, workspace, person)
        if known is None:
            return self.person(self.workspace(platform, workspace).id, person, display_name, locale)
        return _renamed(known, display_name, locale)

    def person(self, workspace_id: str, external_id: str, display_name: str = "", locale: str = "") -> Person:
        """The person that the platform knows by this id. Name and locale, where given, replace the stored ones."""
        known = {"workspace_id": workspace_id, "external_id": external_id}
        person = self._session.scalars(_PERSON, known).one_or_none()
        if person is None:
            person = insert_if_new(
                self._session,
                Person,
                {
                    "id": new_id(),
                    "display_name": display_name[:_NAME_CHARS],
                    "locale": locale[:_LOCALE_CHARS],
                    **known,
                },
                ("workspace_id", "external_id"),
            )
            person = person or self._session.scalars(_PERSON, known).one()
        return _renamed(person, display_name, locale)

    def names(self, workspace_id: str) -> list[str]:
        """What the people of a workspace are called; each name once."""
        named = (Person.workspace_id == workspace_id, Person.display_name != "")
        return list(self._session.scalars(select(Person.display_name).where(*named).distinct()).all())

    def set_language(self, person_id: str, language: str) -> None:
        """Write to this person in `language` from now on, whatever the platform says; empty: as the platform says."""
        self._session.execute(
            update(Person)
            .where(Person.id == person_id)
            .values(language=language[:_LOCALE_CHARS])
            .execution_options(synchronize_session=False)
        )


def _renamed(person: Person, display_name: str, locale: str) -> Person:
    display_name, locale = display_name[:_NAME_CHARS], locale[:_LOCALE_CHARS]
    if display_name and person.display_name != display_name:
        person.display_name = display_name
    if locale and person.locale != locale:
        person.locale = locale
    return person
