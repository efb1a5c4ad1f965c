"""/sign-in: with a password or a link; /sign-out."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from admin.console import Console
from admin.door import Entry, address_of
from admin.errors import SIGN_IN, local_path
from admin.forms import read_form
from admin.passwords import is_right
from admin.routes import Routes
from admin.viewer import Viewer
from core.admins import Permission
from core.errors import NotSignedIn, TooManyTries
from core.store.admin_tables import Admin
from core.values import utc_now
from serving.secrets import hash_secret
from serving.throttle import Throttle

_WRONG = "The name or the password is wrong."
_TOO_MANY = "Too many wrong tries. Please wait a minute, or use a link: glimt admins link NAME"
# By name, whatever the address: many addresses must not guess one admin's password together. Whoever is locked out by
# that has the link.
_BURST_BY_NAME = 10
_SECONDS_BY_NAME = 30.0
_AT_ONCE = 2
_MOST_WAITING = 20


class SignIn:
    """Checks passwords and links."""

    def __init__(self, console: Console, clock: Callable[[], float]) -> None:
        self._store = console.services.store
        self._door = console.door
        self._addresses = Throttle(clock=clock)
        # Each password takes 64 MiB for a tenth of a second, so strangers must not have many at once, and must not keep
        # the threads that everybody else's pages need.
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="passwords")
        self._waiting = 0
        self._names = Throttle(_BURST_BY_NAME, _SECONDS_BY_NAME, clock)

    async def with_password(self, request: Request, name: str, password: str) -> str:
        """The cookie's content for whoever has this name and password.

        Raises:
            NotSignedIn: there is no such admin.
            TooManyTries: like too many before; this one was not looked at.
        """
        entry = Entry.of(request, "password")
        if self._addresses.closed(entry.address) or self._names.closed(name):
            raise TooManyTries(user_message=_TOO_MANY)
        # Counted before it is checked, since others come in meanwhile; a right one is no try at all.
        self._addresses.wrong(entry.address)
        self._names.wrong(name)
        token = await self._in_turn(name, password, entry)
        self._addresses.right(entry.address)
        self._names.right(name)
        return token

    async def with_link(self, request: Request, secret: str) -> str:
        """The cookie's content for whoever has this link, which is used up by it.

        Raises:
            NotSignedIn: there is no such link.
            TooManyTries: like too many before.
        """
        entry = Entry.of(request, "link")
        if self._addresses.closed(entry.address):
            raise TooManyTries(user_message=_TOO_MANY)
        try:
            return await asyncio.to_thread(self._link, secret, entry)
        except NotSignedIn:
            self._addresses.wrong(entry.address)
            raise

    async def _in_turn(self, name: str, password: str, entry: Entry) -> str:
        if self._waiting >= _MOST_WAITING:
            raise TooManyTries(user_message="Too many sign in at this moment. Please try again in a minute.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, self._password, name, password, entry
            )
        finally:
            self._waiting -= 1

    def _password(self, name: str, password: str, entry: Entry) -> str:
        with self._store.read() as repositories:
            admin = repositories.admins.by_name(name)
        if not is_right(password, _password_of(admin)) or admin is None:
            self._door.refuse(name, entry, "wrong")
            raise NotSignedIn(user_message=_WRONG)
        with self._store.write() as repositories:
            return self._door.open(repositories, admin, entry)

    def _link(self, secret: str, entry: Entry) -> str:
        with self._store.write() as repositories:
            admin = repositories.admin_sessions.use_link(hash_secret(secret), utc_now())
            if admin is not None:
                return self._door.open(repositories, admin, entry)
        self._door.refuse("", entry, "no such link")
        raise NotSignedIn(user_message="This link was used before, or is too old. A new one: glimt admins link NAME")


def _password_of(admin: Admin | None) -> str:
    return admin.password_hash if admin is not None and admin.disabled_at is None else ""


def add_sign_in(routes: Routes, console: Console, clock: Callable[[], float]) -> None:
    """Add the routes that anybody may use to come in, and the one that leads out. `clock` times wrong tries."""
    settings, pages, door = console.services.settings, console.pages, console.door
    sign_in = SignIn(console, clock)

    def page(request: Request, after: str, *, name: str = "", problem: str = "", status: int = 200) -> Response:
        provider = settings.oidc_name if settings.oidc_issuer else ""
        said = {"after": after, "name": name, "problem": problem, "provider": provider}
        return pages.show(request, None, "sign_in.html", status=status, **said)

    @routes.public("GET", SIGN_IN)
    async def ask(request: Request) -> Response:
        after = local_path(request.query_params.get("next", "/"))
        if await door.viewer(request) is not None:
            return RedirectResponse(after, 303)
        return page(request, after)

    @routes.public("POST", SIGN_IN)
    async def check(request: Request) -> Response:
        form = await read_form(request)
        after, name = local_path(form.get("next")), form.get("name")
        try:
            token = await sign_in.with_password(request, name, form.exact("password"))
        except (NotSignedIn, TooManyTries) as error:
            status = 401 if isinstance(error, NotSignedIn) else 429
            return page(request, after, name=name, problem=error.user_message, status=status)
        response = RedirectResponse(after, 303)
        door.set_cookie(request, response, token)
        return response

    @routes.public("GET", "/link/{secret}")
    async def ask_link(request: Request) -> Response:
        # Not used up by looking: whatever fetches links ahead of people must not use them up.
        return pages.show(request, None, "link.html", secret=request.path_params["secret"], problem="")

    @routes.public("POST", "/link")
    async def use_link(request: Request) -> Response:
        form = await read_form(request)
        try:
            token = await sign_in.with_link(request, form.get("secret"))
        except (NotSignedIn, TooManyTries) as error:
            status = 401 if isinstance(error, NotSignedIn) else 429
            return pages.show(request, None, "link.html", status=status, secret="", problem=error.user_message)
        response = RedirectResponse("/", 303)
        door.set_cookie(request, response, token)
        return response

    @routes.guarded("POST", "/sign-out", Permission.READ)
    async def sign_out(request: Request, viewer: Viewer) -> Response:
        await asyncio.to_thread(door.end, viewer, address_of(request))
        response = RedirectResponse(SIGN_IN, 303)
        door.set_cookie(request, response, "")
        return response

    @routes.public("GET", "/healthz")
    async def alive(_request: Request) -> Response:
        return PlainTextResponse("ok\n")
