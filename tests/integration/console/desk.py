"""The review console as an admin's browser meets it: real uvicorn, SQL and Redis; the test itself is the worker."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

import httpx
from fastapi import FastAPI

from admin.app import create_app_and_routes
from admin.links import add_link
from admin.routes import Routes
from admin.services import open_services
from core.admins import Role
from core.settings import Settings
from core.store.admin_tables import Admin, AuditEntry
from core.store.database import Store
from core.values import new_id
from tests.processes import PATIENCE_S, Installation
from tests.serve import serving_app

OURS = {"sec-fetch-site": "same-origin", "accept": "text/html"}


@dataclass
class Desk:
    """A running console. `url` has no slash at its end."""

    at: Installation
    settings: Settings
    url: str
    routes: Routes

    @property
    def store(self) -> Store:
        return self.at.store

    def browser(self, **headers: str) -> httpx.Client:
        """A browser on our own page, which nobody has signed in with; it follows no redirects by itself."""
        return httpx.Client(base_url=self.url, headers={**OURS, **headers}, timeout=PATIENCE_S, verify=False)

    def add(
        self,
        role: Role = Role.OWNER,
        *,
        name: str = "",
        email: str = "",
        everywhere: bool = True,
        workspaces: tuple[str, ...] = (),
        places: tuple[str, ...] = (),
        password_hash: str = "",
    ) -> Admin:
        """A new admin."""
        name = name or f"{role}-{new_id()[-8:]}"
        with self.store.write() as repositories:
            admin = repositories.admins.add(name, role, email=email, everywhere=everywhere, password_hash=password_hash)
            repositories.admins.grant(admin.id, workspaces=workspaces, places=places)
        return admin

    def signed_in(self, admin: Admin | None = None, **headers: str) -> httpx.Client:
        """A browser that this admin (or a new owner) has signed in with, by a link."""
        admin = admin or self.add()
        with self.store.write() as repositories:
            secret = add_link(repositories, admin)
        browser = self.browser(**headers)
        assert browser.post("/link", data={"secret": secret}).status_code == 303
        return browser

    def audit(self, **asked: Any) -> list[AuditEntry]:
        """The log, latest first."""
        with self.store.read() as repositories:
            return repositories.audit.list(**asked)[0]


@contextmanager
def open_desk(at: Installation, *, clock: Callable[[], float] = monotonic, **overrides: Any) -> Iterator[Desk]:
    """A console over `at` on a port that the system chose; it ends with the block. `clock` counts wrong tries."""
    settings = at.settings.model_copy(update={"redis_url": at.redis_server.url, **overrides})

    @asynccontextmanager
    async def opening() -> AsyncIterator[tuple[FastAPI, Routes]]:
        async with open_services(settings) as services:
            yield create_app_and_routes(services, clock)

    with serving_app(opening) as (url, routes):
        yield Desk(at, settings, url, routes)
