"""Who may come in: sessions, their cookie, and where requests come from."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from admin.viewer import Viewer
from core.admins import Action, Permission, Role
from core.errors import NotAllowed, NotSignedIn
from core.settings import Settings
from core.store.admin_sessions import SignedIn
from core.store.admin_tables import Admin
from core.store.database import Repositories, Store
from core.values import utc_now
from serving.origin import OriginCheck
from serving.secrets import hash_secret, new_secret

COOKIE = "glimt_console"
SESSION_LASTS = timedelta(days=7)
IDLE_LASTS = timedelta(hours=12)
# How often it is noted that a session is in use.
SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """How somebody comes in: by which way, from which address, with which browser."""

    method: str
    address: str
    browser: str

    @classmethod
    def of(cls, request: Request, method: str) -> "Entry":
        """From the request that brings him."""
        return cls(method, address_of(request), request.headers.get("user-agent", ""))


class Door:
    """Opens, finds and ends sessions."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._store = store
        self._origin = OriginCheck(settings.console_url)
        self._always_secure = urlsplit(settings.console_url).scheme == "https"

    def check_origin(self, request: Request, *, links: bool = True) -> None:
        """For every request. `links`: somebody may follow one from another site to here.

        Raises:
            NotAllowed: another site sent it, and it is more than a link that somebody follows.
        """
        if links:
            self._origin.admit_links(request)
        else:
            self._origin.require_ours(request)

    async def viewer(self, request: Request, *, counts: bool = True) -> Viewer | None:
        """Who is signed in; None: nobody."""
        token = request.cookies.get(self.cookie_name(request), "")
        return await asyncio.to_thread(self.find, hash_secret(token), counts=counts) if token else None

    async def admit(self, request: Request, permission: Permission, *, counts: bool = True) -> Viewer:
        """Who is signed in and may do this. `counts`: the session is in use; not where a page asks by itself.

        Raises:
            NotSignedIn: nobody is.
            NotAllowed: his role does not allow it.
        """
        viewer = await self.viewer(request, counts=counts)
        if viewer is None:
            raise NotSignedIn(user_message="Please sign in.")
        return require(viewer, permission)

    def find(self, token_hash: str, *, counts: bool = True) -> Viewer | None:
        """Whose session this is, as it is in SQL now. Synchronous."""
        now = utc_now()
        with self._store.read() as repositories:
            found = repositories.admin_sessions.find(token_hash, now=now, seen_since=now - IDLE_LASTS)
            if found is None:
                return None
            scope = repositories.admins.scope(found.admin)
        if counts:
            self._note_use(found, now)
        admin = found.admin
        return Viewer(admin.id, admin.name, Role(admin.role), scope, found.session.id, token_hash)

    def _note_use(self, found: SignedIn, now: datetime) -> None:
        if now - found.session.seen_at > SEEN_EVERY:
            with self._store.write() as repositories:
                repositories.admin_sessions.seen(found.session.id, now)

    def still_open(self, token_hash: str) -> bool:
        """Whether the session is there, without counting as its use. Synchronous."""
        now = utc_now()
        with self._store.read() as repositories:
            return repositories.admin_sessions.find(token_hash, now=now, seen_since=now - IDLE_LASTS) is not None

    def open(self, repositories: Repositories, admin: Admin, entry: Entry) -> str:
        """Begin a session in this transaction and write it into the audit log; what the browser's cookie holds."""
        now = utc_now()
        token = new_secret()
        repositories.admin_sessions.purge(now)
        repositories.admin_sessions.begin(
            hash_secret(token),
            admin.id,
            method=entry.method,
            browser=entry.browser,
            now=now,
            expires_at=now + SESSION_LASTS,
        )
        repositories.admins.signed_in(admin.id, now)
        repositories.audit.add(
            Action.SIGNED_IN,
            admin_id=admin.id,
            admin_name=admin.name,
            address=entry.address,
            detail={"how": entry.method},
        )
        return token

    def refuse(self, name: str, entry: Entry, why: str) -> None:
        """Write into the audit log that somebody was not let in. Synchronous."""
        with self._store.write() as repositories:
            repositories.audit.add(
                Action.SIGN_IN_REFUSED,
                admin_name=name[:100],
                address=entry.address,
                detail={"how": entry.method, "why": why},
            )

    def end(self, viewer: Viewer, address: str) -> None:
        """End this browser's session. Synchronous."""
        with self._store.write() as repositories:
            repositories.admin_sessions.end(viewer.session_id, viewer.admin_id)
            repositories.audit.add(Action.SIGNED_OUT, admin_id=viewer.admin_id, admin_name=viewer.name, address=address)

    def cookie_name(self, request: Request) -> str:
        """Over HTTPS the name keeps every other host, path and unencrypted page from setting it."""
        return f"__Host-{COOKIE}" if self.is_secure(request) else COOKIE

    def is_secure(self, request: Request) -> bool:
        """Whether the browser speaks HTTPS."""
        return self._always_secure or request.url.scheme == "https"

    def set_cookie(self, request: Request, response: Response, token: str) -> None:
        """Give the browser its token; an empty one takes it away."""
        response.set_cookie(
            self.cookie_name(request),
            token,
            max_age=int(SESSION_LASTS.total_seconds()) if token else 0,
            path="/",
            httponly=True,
            # Not strict: a link in a chat to a transcript should open it. Changes need our own page anyway.
            samesite="lax",
            secure=self.is_secure(request),
        )


def require(viewer: Viewer, permission: Permission) -> Viewer:
    """The same viewer.

    Raises:
        NotAllowed: his role does not allow it.
    """
    if not viewer.may(permission):
        raise NotAllowed(user_message=f"The role “{viewer.role}” does not allow this. Ask an owner.")
    return viewer


def address_of(request: Request) -> str:
    """The caller's address; empty for a Unix socket."""
    return request.client.host if request.client is not None else ""
