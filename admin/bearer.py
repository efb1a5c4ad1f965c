"""Programs that come with a token in an admin's place."""

import asyncio
from datetime import datetime, timedelta

from starlette.requests import Request

from admin.door import Door, address_of, require
from admin.viewer import Viewer
from core.admins import Permission, Role
from core.errors import NotSignedIn, RequestError, TooManyTries
from core.store.database import Store
from core.values import utc_now
from serving.secrets import hash_secret
from serving.throttle import Throttle

PREFIX = "glimt_console_"
_SCHEME = "bearer"
# How often it is noted that a token is in use.
USED_EVERY = timedelta(minutes=1)


class Bearers:
    """Finds whose token it is. His role and scope are those of the moment."""

    def __init__(self, door: Door, store: Store) -> None:
        self._door = door
        self._store = store
        self._wrong = Throttle()

    def secret_of(self, request: Request) -> str:
        """What stands behind `Authorization: Bearer`; empty: nothing does. A proxy's own scheme is not ours.

        Raises:
            RequestError: the request has a session as well, so it is not clear who asks.
        """
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != _SCHEME or not secret.strip():
            return ""
        if self._door.cookie_name(request) in request.cookies:
            raise RequestError(user_message="The request has a token and a session. Send one of them.")
        return secret.strip()

    async def admit(self, request: Request, secret: str, permission: Permission) -> Viewer:
        """Whose token it is, if he may do this.

        Raises:
            NotSignedIn: there is no such token (any more).
            NotAllowed: his role does not allow it.
            TooManyTries: many wrong ones came from this address.
        """
        address = address_of(request)
        if self._wrong.closed(address):
            raise TooManyTries(user_message="Too many wrong tokens came from here. Try again in a minute.")
        viewer = await asyncio.to_thread(self.find, hash_secret(secret))
        if viewer is None:
            self._wrong.wrong(address)
            raise NotSignedIn(user_message="This token is not known, has expired or was ended. Make one under Export.")
        return require(viewer, permission)

    def find(self, token_hash: str, *, counts: bool = True) -> Viewer | None:
        """Whose token it is, as it is in SQL now. Synchronous. `counts`: it is in use."""
        now = utc_now()
        with self._store.read() as repositories:
            found = repositories.admin_tokens.find(token_hash, now=now)
            if found is None:
                return None
            scope = repositories.admins.scope(found.admin)
        admin, token = found.admin, found.token
        if counts:
            self._note_use(token.id, token.last_used_at, now)
        return Viewer(admin.id, admin.name, Role(admin.role), scope, "", token_hash, token.name)

    def _note_use(self, token_id: str, before: datetime | None, now: datetime) -> None:
        if before is None or now - before > USED_EVERY:
            with self._store.write() as repositories:
                repositories.admin_tokens.used(token_id, now)
