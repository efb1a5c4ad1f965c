"""Whoever looks at a page of the console."""

from dataclasses import dataclass

from core.admins import MAY, Permission, Role
from core.store.review.scope import ReadScope


@dataclass(frozen=True, slots=True)
class Viewer:
    """A signed-in admin, as he was when the request came."""

    admin_id: str
    name: str
    role: Role
    scope: ReadScope
    session_id: str
    # By which the session is found again while a long answer is watched.
    token_hash: str
    # The name of the token by which a program came in his place; empty: he came himself.
    token: str = ""

    def may(self, permission: Permission) -> bool:
        """Whether his role allows it."""
        return permission in MAY[self.role]
