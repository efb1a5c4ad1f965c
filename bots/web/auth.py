"""Who is asking: a program with a key, or a browser with a session."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from bots.web.gate import Gate, Holder
from bots.web.keys import WORKSPACE
from core.errors import NotSignedIn
from core.settings import Settings
from core.store.database import Store
from core.store.models import Person
from core.values import Platform, new_id, utc_now
from serving.origin import OriginCheck
from serving.secrets import hash_secret, new_secret

COOKIE = "glimt_session"
SESSION_LASTS = timedelta(days=30)
# Without keys the cookie is all that leads back to a browser's conversations.
KEYLESS_SESSION_LASTS = timedelta(days=365)
# Whoever asks the REST API on an installation without keys.
LOCAL_PERSON = "local"


@dataclass(frozen=True, slots=True)
class Visitor:
    """A signed-in browser. `person` is the external id in the web workspace, `person_id` its row."""

    person: str
    person_id: str


class Auth:
    """Decides for each request who it comes from."""

    def __init__(self, settings: Settings, store: Store, gate: Gate) -> None:
        self._store = store
        self._gate = gate
        self._origin = OriginCheck(settings.public_url)
        self._always_secure = urlsplit(settings.public_url).scheme == "https"

    async def program(self, request: Request) -> str:
        """External id, in the API workspace, of whoever calls the REST API.

        Raises:
            NotSignedIn: a key is needed and there is none, or it is wrong or revoked.
            TooManyTries: it is wrong, like too many before from this address.
            NotAllowed: another site's page sent it to an installation without keys.
        """
        if await self._gate.keyless():
            # Clients insist on sending some key; without any made here there is none to compare it with.
            self._origin.refuse_foreign(request)
            return LOCAL_PERSON
        return (await self._gate.holder(_bearer(request), address_of(request))).person

    async def visitor(self, request: Request) -> Visitor:
        """Whose browser this is.

        Raises:
            NotSignedIn: no session, or it ended.
            NotAllowed: another site's page sent it.
        """
        visitor = await self.visitor_if_any(request)
        if visitor is None:
            raise NotSignedIn(user_message="You are not signed in (any more). Please reload the page.")
        return visitor

    async def visitor_if_any(self, request: Request) -> Visitor | None:
        """As `visitor`, but None without a valid session."""
        self._origin.require_ours(request)
        token = request.cookies.get(COOKIE, "")
        if not token:
            return None
        keyless = await self._gate.keyless()
        return await asyncio.to_thread(self._session, hash_secret(token), keyless)

    async def needs_key(self) -> bool:
        """Whether a browser must show a key before it gets a session."""
        return not await self._gate.keyless()

    async def sign_in(self, request: Request, secret: str | None) -> str:
        """Begin a session and return its token: with a key, or with None where no key is needed.

        Raises:
            NotSignedIn, TooManyTries: as for any key.
        """
        holder = None if secret is None else await self._gate.holder(secret, address_of(request))
        token = new_secret()
        old = request.cookies.get(COOKIE, "")
        await asyncio.to_thread(self._begin, holder, hash_secret(token), hash_secret(old) if old else "")
        return token

    def require_own_page(self, request: Request) -> None:
        """For what signs browsers in and out.

        Raises:
            NotAllowed: another site's page sent it.
        """
        self._origin.require_ours(request)

    async def sign_out(self, request: Request) -> None:
        """End the session, if there is one."""
        if token := request.cookies.get(COOKIE, ""):
            await asyncio.to_thread(self._end, hash_secret(token))

    def set_cookie(self, request: Request, response: Response, token: str) -> None:
        """Give the browser its token; an empty one takes it away."""
        response.set_cookie(
            COOKIE,
            token,
            max_age=int(KEYLESS_SESSION_LASTS.total_seconds()) if token else 0,
            path="/",
            httponly=True,
            samesite="strict",
            secure=self._always_secure or request.url.scheme == "https",
        )

    async def key_holder(self, request: Request) -> Holder:
        """Who holds the key that came along, whether or not one is needed.

        Raises:
            NotSignedIn, TooManyTries: as for any key.
        """
        return await self._gate.holder(_bearer(request), address_of(request))

    def _session(self, token_hash: str, keyless: bool) -> Visitor | None:
        with self._store.read() as repositories:
            session = repositories.web_sessions.by_hash(token_hash, utc_now())
            # A session from before the first key was made ends with that key.
            if session is None or (session.api_key_id is None and not keyless):
                return None
            person = repositories.session.get(Person, session.person_id)
        return None if person is None else Visitor(person.external_id, person.id)

    def _begin(self, holder: Holder | None, token_hash: str, old_hash: str) -> None:
        now = utc_now()
        with self._store.write() as repositories:
            repositories.web_sessions.purge(now)
            if old_hash:
                repositories.web_sessions.delete(old_hash)
            workspace = repositories.people.workspace(Platform.WEB, WORKSPACE)
            name = f"browser:{new_id()}" if holder is None else holder.person
            shown = "" if holder is None else holder.name
            person = repositories.people.person(workspace.id, name, display_name=shown)
            key_id, lasts = (None, KEYLESS_SESSION_LASTS) if holder is None else (holder.key_id, SESSION_LASTS)
            repositories.web_sessions.create(token_hash, person.id, key_id, now + lasts)

    def _end(self, token_hash: str) -> None:
        with self._store.write() as repositories:
            repositories.web_sessions.delete(token_hash)


def address_of(request: Request) -> str:
    """The caller's address, for counting wrong keys; empty for a Unix socket."""
    return request.client.host if request.client is not None else ""


def _bearer(request: Request) -> str:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise NotSignedIn(user_message="Send a key: Authorization: Bearer glimt_… (made with: glimt keys create)")
    return secret.strip()
