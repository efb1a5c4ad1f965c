"""/tokens: an admin's own tokens, by which his programs export what he may read."""

import asyncio
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from admin.bearer import PREFIX
from admin.console import Console
from admin.forms import Form, read_form
from admin.log import add_entry
from admin.names import checked_name
from admin.routes import Routes
from admin.viewer import Viewer
from core.admins import Action, Permission
from core.errors import RequestError, WrongParameter
from core.store.token_tables import AdminToken
from core.values import utc_now
from serving.secrets import hash_secret, new_secret

# Days after which a token is over, as the form offers them.
LASTS = (7, 30, 90, 365)
MOST_TOKENS = 20


def add_tokens(routes: Routes, console: Console) -> None:
    """Add the page of tokens and what it does."""
    store, pages = console.services.store, console.pages

    def mine(viewer: Viewer) -> list[AdminToken]:
        with store.read() as repositories:
            return repositories.admin_tokens.of_admin(viewer.admin_id)

    def make(request: Request, viewer: Viewer, form: Form) -> str:
        name, days = checked_name(form.get("name")), _days(form.get("days"))
        secret, now = PREFIX + new_secret(), utc_now()
        with store.write() as repositories:
            if len(repositories.admin_tokens.of_admin(viewer.admin_id)) >= MOST_TOKENS:
                raise RequestError(user_message=f"You have {MOST_TOKENS} tokens. End one that you do not use.")
            repositories.admin_tokens.add(
                viewer.admin_id, name, hash_secret(secret), now=now, expires_at=now + timedelta(days=days)
            )
            add_entry(repositories, request, viewer, Action.TOKEN_MADE, name=name, days=days)
        return secret

    def end(request: Request, viewer: Viewer, token_id: str) -> None:
        with store.write() as repositories:
            name = repositories.admin_tokens.revoke(token_id, viewer.admin_id)
            if name is not None:
                add_entry(repositories, request, viewer, Action.TOKEN_ENDED, name=name)

    async def page(request: Request, viewer: Viewer, *, problem: str = "", secret: str = "") -> Response:
        shown = {"tokens": await asyncio.to_thread(mine, viewer), "days": LASTS, "now": utc_now()}
        base = console.services.settings.console_url or str(request.base_url).rstrip("/")
        shown |= {"problem": problem, "secret": secret, "base": base}
        return pages.show(request, viewer, "tokens.html", status=400 if problem else 200, **shown)

    @routes.guarded("GET", "/tokens", Permission.EXPORT)
    async def tokens(request: Request, viewer: Viewer) -> Response:
        return await page(request, viewer)

    @routes.guarded("POST", "/tokens", Permission.EXPORT)
    async def made(request: Request, viewer: Viewer) -> Response:
        form = await read_form(request)
        try:
            secret = await asyncio.to_thread(make, request, viewer, form)
        except RequestError as error:
            return await page(request, viewer, problem=error.user_message)
        # Shown this once, so there is no other page to go to.
        return await page(request, viewer, secret=secret)

    @routes.guarded("POST", "/tokens/end", Permission.EXPORT)
    async def ended(request: Request, viewer: Viewer) -> Response:
        token_id = (await read_form(request)).get("token")
        await asyncio.to_thread(end, request, viewer, token_id)
        return RedirectResponse("/tokens", 303)


def _days(text: str) -> int:
    if text not in map(str, LASTS):
        raise WrongParameter("days", f"A token lasts for {', '.join(map(str, LASTS))} days.")
    return int(text)
