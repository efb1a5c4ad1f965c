"""Routes, each of which says what it takes to get there.

    @routes.guarded("GET", "/conversations/{id}", Permission.READ)
    async def transcript(request: Request, viewer: Viewer) -> Response: ...

A handler is called only after origin, session and permission were checked, and an application with a route that was not
declared here does not start.
"""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from admin.bearer import Bearers
from admin.door import Door
from admin.viewer import Viewer
from core.admins import Permission
from core.errors import ConfigurationError

Guarded = Callable[[Request, Viewer], Awaitable[Response]]
Public = Callable[[Request], Awaitable[Response]]


class Routes:
    """Adds routes to an application and remembers them."""

    def __init__(self, app: FastAPI, door: Door, bearers: Bearers) -> None:
        self._app = app
        self._door = door
        self._bearers = bearers
        # Method and path → permission; None: open to everybody.
        self.declared: dict[tuple[str, str], Permission | None] = {}
        # Those of them that programs reach with a token.
        self.for_programs: set[tuple[str, str]] = set()
        self._mounted: set[str] = set()

    def guarded(
        self, method: str, path: str, permission: Permission, *, counts: bool = True
    ) -> Callable[[Guarded], Guarded]:
        """For signed-in admins whose role has the permission. `counts`: their session is in use."""

        def register(handler: Guarded) -> Guarded:
            async def endpoint(request: Request) -> Response:
                self._door.check_origin(request)
                return await handler(request, await self._door.admit(request, permission, counts=counts))

            self._add(method, path, permission, endpoint)
            return handler

        return register

    def for_programs_too(self, method: str, path: str, permission: Permission) -> Callable[[Guarded], Guarded]:
        """As `guarded`, for programs that bring a token as well; a browser comes here from our own pages only."""

        def register(handler: Guarded) -> Guarded:
            async def endpoint(request: Request) -> Response:
                secret = self._bearers.secret_of(request)
                if secret:
                    # A token is sent by whoever has it, not by a browser on somebody's behalf.
                    return await handler(request, await self._bearers.admit(request, secret, permission))
                self._door.check_origin(request, links=False)
                return await handler(request, await self._door.admit(request, permission))

            self._add(method, path, permission, endpoint)
            self.for_programs.add((method, path))
            return handler

        return register

    def public(self, method: str, path: str) -> Callable[[Public], Public]:
        """For everybody: signing in, and what watches the service."""

        def register(handler: Public) -> Public:
            async def endpoint(request: Request) -> Response:
                self._door.check_origin(request)
                return await handler(request)

            self._add(method, path, None, endpoint)
            return handler

        return register

    def mount_public(self, path: str, app: Callable[..., Awaitable[None]], name: str) -> None:
        """Files that everybody may have."""
        self._mounted.add(path)
        self._app.mount(path, app, name=name)

    def require_all_declared(self) -> None:
        """Look through the application.

        Raises:
            ConfigurationError: it has a route that was added past this.
        """
        for route in self._app.routes:
            path = getattr(route, "path", str(route))
            methods = getattr(route, "methods", None)
            known = path in self._mounted if methods is None else all((m, path) in self.declared for m in methods)
            if not known:
                raise ConfigurationError(f"The route {path} of the console does not say who may use it.")

    def _add(self, method: str, path: str, permission: Permission | None, endpoint: Public) -> None:
        if (method, path) in self.declared:
            raise ConfigurationError(f"The route {method} {path} of the console is declared twice.")
        self.declared[method, path] = permission
        self._app.router.add_api_route(path, endpoint, methods=[method], response_model=None)
