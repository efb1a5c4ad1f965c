"""/admins: who may sign in, as what, and what each may read. For owners."""

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from admin.console import Console
from admin.filters import is_id
from admin.forms import Form, read_form
from admin.links import LINK_LASTS, add_link, link_address
from admin.log import add_entry
from admin.names import checked_email, checked_name
from admin.routes import Routes
from admin.viewer import Viewer
from core.admins import Action, Permission, Role
from core.errors import NotFound, RequestError, WrongParameter
from core.store.admin_tables import Admin
from core.store.database import Repositories
from core.store.review.places import Choices
from core.store.review.scope import EVERYTHING, ReadScope
from core.values import utc_now

Change = Callable[[Repositories, Admin], dict[str, Any]]


def add_admins(routes: Routes, console: Console) -> None:
    """Add the page of admins and what it does."""
    store, pages, settings = console.services.store, console.pages, console.services.settings

    def read() -> tuple[list[tuple[Admin, ReadScope]], Choices]:
        with store.read() as repositories:
            admins = [(admin, repositories.admins.scope(admin)) for admin in repositories.admins.list()]
            return admins, repositories.review(EVERYTHING).choices()

    async def page(request: Request, viewer: Viewer, problem: str = "", link: str = "", whose: str = "") -> Response:
        admins, choices = await asyncio.to_thread(read)
        shown = {"admins": admins, "choices": choices, "roles": list(Role), "problem": problem, "link": link}
        shown |= {"whose": whose, "lasts": LINK_LASTS, "provider": bool(settings.oidc_issuer)}
        return pages.show(request, viewer, "admins.html", status=400 if problem else 200, **shown)

    def add(request: Request, viewer: Viewer, form: Form) -> None:
        name, email, role = checked_name(form.get("name")), checked_email(form.get("email")), checked_role(form)
        everywhere = form.get("everywhere") == "1"
        with store.write() as repositories:
            admin = repositories.admins.add(name, role, email=email, everywhere=everywhere)
            repositories.admins.grant(admin.id, workspaces=form.all("workspace"), places=form.all("place"))
            add_entry(repositories, request, viewer, Action.ADMIN_ADDED, name=name, **_said(repositories, admin))

    def change(request: Request, viewer: Viewer, admin_id: str, make: Change) -> None:
        with store.write() as repositories:
            admin = repositories.admins.get(admin_id) if is_id(admin_id) else None
            if admin is None:
                raise NotFound
            detail = make(repositories, admin)
            add_entry(repositories, request, viewer, Action.ADMIN_CHANGED, name=admin.name, **detail)

    async def changed(request: Request, viewer: Viewer, make: Change) -> Response:
        try:
            await asyncio.to_thread(change, request, viewer, request.path_params["id"], make)
        except NotFound:
            raise
        except RequestError as error:
            return await page(request, viewer, error.user_message)
        return RedirectResponse("/admins", 303)

    @routes.guarded("GET", "/admins", Permission.ADMINS)
    async def admins(request: Request, viewer: Viewer) -> Response:
        return await page(request, viewer)

    @routes.guarded("POST", "/admins", Permission.ADMINS)
    async def added(request: Request, viewer: Viewer) -> Response:
        form = await read_form(request)
        try:
            await asyncio.to_thread(add, request, viewer, form)
        except RequestError as error:
            return await page(request, viewer, error.user_message)
        return RedirectResponse("/admins", 303)

    @routes.guarded("POST", "/admins/{id}", Permission.ADMINS)
    async def edited(request: Request, viewer: Viewer) -> Response:
        form = await read_form(request)

        def make(repositories: Repositories, admin: Admin) -> dict[str, Any]:
            role, email = checked_role(form), checked_email(form.get("email"))
            everywhere = form.get("everywhere") == "1"
            repositories.admins.change(admin.id, role=role, email=email, everywhere=everywhere)
            repositories.admins.grant(admin.id, workspaces=form.all("workspace"), places=form.all("place"))
            return _said(repositories, admin)

        return await changed(request, viewer, make)

    @routes.guarded("POST", "/admins/{id}/disable", Permission.ADMINS)
    async def disabled(request: Request, viewer: Viewer) -> Response:
        def make(repositories: Repositories, admin: Admin) -> dict[str, Any]:
            repositories.admins.disable(admin.id, utc_now())
            sessions = repositories.admin_sessions.end_all(admin.id)
            # Let in again, he is not to find programs at work that nobody remembers.
            tokens = repositories.admin_tokens.end_all(admin.id)
            return {"disabled": True, "sessions": sessions, "tokens": tokens}

        return await changed(request, viewer, make)

    @routes.guarded("POST", "/admins/{id}/enable", Permission.ADMINS)
    async def enabled(request: Request, viewer: Viewer) -> Response:
        def make(repositories: Repositories, admin: Admin) -> dict[str, Any]:
            repositories.admins.enable(admin.id)
            return {"disabled": False}

        return await changed(request, viewer, make)

    @routes.guarded("POST", "/admins/{id}/sign-out", Permission.ADMINS)
    async def signed_out(request: Request, viewer: Viewer) -> Response:
        def make(repositories: Repositories, admin: Admin) -> dict[str, Any]:
            return {"sessions": repositories.admin_sessions.end_all(admin.id)}

        return await changed(request, viewer, make)

    @routes.guarded("POST", "/admins/{id}/link", Permission.ADMINS)
    async def linked(request: Request, viewer: Viewer) -> Response:
        def make() -> tuple[str, str]:
            with store.write() as repositories:
                admin_id = request.path_params["id"]
                admin = repositories.admins.get(admin_id) if is_id(admin_id) else None
                if admin is None or admin.disabled_at is not None:
                    raise NotFound(user_message="There is no such admin who may sign in.")
                secret = add_link(repositories, admin)
                add_entry(repositories, request, viewer, Action.LINK_MADE, name=admin.name)
                return admin.name, secret

        name, secret = await asyncio.to_thread(make)
        base = settings.console_url or str(request.base_url).rstrip("/")
        return await page(request, viewer, link=link_address(base, secret), whose=name)


def checked_role(form: Form) -> Role:
    """The role that a form names.

    Raises:
        WrongParameter: there is no such role.
    """
    try:
        return Role(form.get("role"))
    except ValueError:
        raise WrongParameter("role", f"A role is one of: {', '.join(Role)}.") from None


def _said(repositories: Repositories, admin: Admin) -> dict[str, Any]:
    """For the audit log: what he may do from now on."""
    scope = repositories.admins.scope(admin)
    return {
        "role": admin.role,
        "email": admin.email,
        "everywhere": scope.everywhere,
        "workspaces": sorted(scope.workspaces),
        "places": sorted(scope.places),
    }
