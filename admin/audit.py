"""/audit: what admins did, read and searched. For owners."""

import asyncio
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from admin.console import Console
from admin.filters import LONGEST, is_id
from admin.routes import Routes
from admin.viewer import Viewer
from core.admins import Action, Permission
from core.errors import WrongParameter
from core.store.admin_tables import AuditEntry


def add_audit(routes: Routes, console: Console) -> None:
    """Add the one page of the log."""
    store, pages = console.services.store, console.pages

    def read(who: str, action: str, conversation: str, before: str) -> tuple[list[AuditEntry], str | None, list[str]]:
        with store.read() as repositories:
            names = [admin.name for admin in repositories.admins.list()]
            entries, older = repositories.audit.list(
                admin_name=who, action=action, conversation_id=conversation, before=before or None
            )
        return entries, older, names

    @routes.guarded("GET", "/audit", Permission.AUDIT)
    async def audit(request: Request, viewer: Viewer) -> Response:
        given = {name: value[:LONGEST] for name, value in request.query_params.items() if value}
        who, action, before = given.get("who", ""), given.get("action", ""), given.get("before", "")
        conversation = given.get("conversation", "")
        if action and action not in set(Action):
            raise WrongParameter("action", f"The log knows no “{action}”.")
        if any(word and not is_id(word) for word in (before, conversation)):
            raise WrongParameter("before", "There is no such page of the log.")
        entries, older, names = await asyncio.to_thread(read, who, action, conversation, before)
        asked: dict[str, Any] = {"who": who, "action": action, "conversation": conversation}
        await console.log.note(request, viewer, Action.READ_AUDIT, asked={k: v for k, v in given.items() if v})
        next_page = "/audit?" + urlencode({**{k: v for k, v in asked.items() if v}, "before": older}) if older else ""
        return pages.show(
            request, viewer, "audit.html", entries=entries, older=next_page, names=names, actions=list(Action), **asked
        )
