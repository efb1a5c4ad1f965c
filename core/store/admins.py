"""Admins and what they may read."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from core.admins import Role
from core.errors import NotFound, RequestError
from core.store.admin_tables import Admin, Grant
from core.store.models import Place, Workspace
from core.store.review.scope import ReadScope
from core.store.upsert import insert_if_new
from core.values import new_id, utc_now

_UNSYNCHRONIZED = {"synchronize_session": False}
_LAST_OWNER = "This is the last owner who can sign in. Make another one first."


class AdminRepository:
    """Names are unique for ever: a disabled admin keeps his, so that the audit log stays unambiguous."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(
        self, name: str, role: Role, *, email: str = "", everywhere: bool = False, password_hash: str = ""
    ) -> Admin:
        """Add an admin.

        Raises:
            RequestError: the name or the address was used before.
        """
        email = email.strip().lower()
        if email and self.by_email(email) is not None:
            raise RequestError(user_message=f"Somebody has the address {email} already.")
        values = {
            "id": new_id(),
            "name": name,
            "role": role.value,
            "email": email,
            "everywhere": everywhere,
            "password_hash": password_hash,
        }
        admin = insert_if_new(self._session, Admin, values, ("name",))
        if admin is None:
            raise RequestError(user_message=f"There is (or was) an admin named {name!r} already. Choose another name.")
        return admin

    def get(self, admin_id: str) -> Admin | None:
        """One admin, as he is now."""
        return self._session.get(Admin, admin_id, populate_existing=True)

    def by_name(self, name: str) -> Admin | None:
        """The admin of this name, disabled or not."""
        return self._session.scalars(select(Admin).where(Admin.name == name)).one_or_none()

    def by_email(self, email: str) -> Admin | None:
        """The admin of this address, in lower case; disabled or not."""
        return self._session.scalars(select(Admin).where(Admin.email == email, Admin.email != "")).one_or_none()

    def by_subject(self, issuer: str, subject: str) -> Admin | None:
        """The admin whom the provider calls so."""
        known = (Admin.issuer == issuer, Admin.subject == subject, Admin.subject != "")
        return self._session.scalars(select(Admin).where(*known)).one_or_none()

    def link(self, admin_id: str, issuer: str, subject: str) -> bool:
        """From now on the provider's `subject` is this admin. False: somebody was faster, or he is somebody else."""
        statement = (
            update(Admin)
            .where(Admin.id == admin_id, Admin.subject == "", Admin.disabled_at.is_(None))
            .values(issuer=issuer, subject=subject)
            .returning(Admin.id)
            .execution_options(**_UNSYNCHRONIZED)
        )
        return self._session.execute(statement).first() is not None

    def list(self) -> list[Admin]:
        """All admins, by name."""
        return list(self._session.scalars(select(Admin).order_by(Admin.name)).all())

    def any(self) -> bool:
        """Whether there is an admin who may sign in."""
        return self._session.scalar(select(Admin.id).where(Admin.disabled_at.is_(None)).limit(1)) is not None

    def change(self, admin_id: str, *, role: Role, email: str, everywhere: bool) -> None:
        """Change what he may do. Counts from his next request on.

        Raises:
            NotFound: there is no such admin.
            RequestError: nobody would be left who may change this, or somebody else has the address.
        """
        admin = self._existing(admin_id)
        if role is not Role.OWNER:
            self._keep_an_owner(admin)
        email = email.strip().lower()
        other = self.by_email(email) if email else None
        if other is not None and other.id != admin_id:
            raise RequestError(user_message=f"Somebody else has the address {email} already.")
        if email != admin.email:
            # Another address may be another person.
            admin.issuer, admin.subject = "", ""
        admin.role, admin.email, admin.everywhere = role.value, email, everywhere
        self._session.flush()

    def set_password(self, admin_id: str, password_hash: str) -> None:
        """Replace the password; empty: he has none any more."""
        self._set(admin_id, password_hash=password_hash)

    def signed_in(self, admin_id: str, now: datetime) -> None:
        """Note when."""
        self._set(admin_id, signed_in_at=now)

    def disable(self, admin_id: str, now: datetime | None = None) -> None:
        """Let him in no more; his sessions end with it.

        Raises:
            NotFound: there is no such admin.
            RequestError: he is the last owner.
        """
        admin = self._existing(admin_id)
        self._keep_an_owner(admin)
        admin.disabled_at = now or utc_now()
        self._session.flush()

    def enable(self, admin_id: str) -> None:
        """Let him in again.

        Raises:
            NotFound: there is no such admin.
        """
        self._existing(admin_id).disabled_at = None
        self._session.flush()

    def grant(self, admin_id: str, *, workspaces: Collection[str], places: Collection[str]) -> None:
        """Replace what he may read: whole workspaces, and single places of others. Unknown ids are passed over."""
        self._session.execute(delete(Grant).where(Grant.admin_id == admin_id).execution_options(**_UNSYNCHRONIZED))
        known = self._session.scalars(select(Workspace.id).where(Workspace.id.in_(workspaces))).all()
        rows = [{"admin_id": admin_id, "workspace_id": workspace, "place_id": None} for workspace in known]
        single = select(Place.workspace_id, Place.id).where(Place.id.in_(places), Place.workspace_id.not_in(known))
        rows += [{"admin_id": admin_id, "workspace_id": w, "place_id": p} for w, p in self._session.execute(single)]
        if rows:
            self._session.execute(insert(Grant), rows)

    def scope(self, admin: Admin) -> ReadScope:
        """What he may read now."""
        if admin.everywhere or admin.role == Role.OWNER:
            return ReadScope(everywhere=True)
        grants = self._session.scalars(select(Grant).where(Grant.admin_id == admin.id)).all()
        return ReadScope(
            workspaces=frozenset(grant.workspace_id for grant in grants if grant.place_id is None),
            places=frozenset(grant.place_id for grant in grants if grant.place_id is not None),
        )

    def _existing(self, admin_id: str) -> Admin:
        admin = self.get(admin_id)
        if admin is None:
            raise NotFound
        return admin

    def _keep_an_owner(self, admin: Admin) -> None:
        if admin.role != Role.OWNER or admin.disabled_at is not None:
            return
        others = select(Admin.id).where(Admin.role == Role.OWNER.value, Admin.disabled_at.is_(None))
        # Locked, so that two owners cannot disable each other at once.
        left = self._session.scalars(others.where(Admin.id != admin.id).with_for_update()).first()
        if left is None:
            raise RequestError(user_message=_LAST_OWNER)

    def _set(self, admin_id: str, **values: object) -> None:
        self._session.execute(
            update(Admin).where(Admin.id == admin_id).values(**values).execution_options(**_UNSYNCHRONIZED)
        )

    def count(self) -> int:
        """How many there are, disabled ones too."""
        return self._session.scalar(select(func.count()).select_from(Admin)) or 0
