"""/audit: what admins did, read and searched; and all of it as a file. For owners."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from admin.audit_file import TYPES, entries_as
from admin.console import Console
from admin.filters import LONGEST, Filters, is_id
from admin.routes import Routes
from admin.viewer import Viewer
from core.admins import Action, Permission
from core.errors import WrongParameter
from core.store.admin_tables import AuditEntry
from core.store.retention.rules import What
from core.store.retention_tables import AuditRemoval
from core.values import utc_now

_WORDS = ("who", "action", "since", "until", "conversation", "person")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which entries. `given` is what stands in the URL; `list_` are the arguments of `AuditRepository.list`."""

    given: Mapping[str, str]
    list_: Mapping[str, Any]
    before: str

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Asked":
        """From the parameters of a URL; empty ones count as left out, unknown ones are passed over.

        Raises:
            WrongParameter: one of them says what it cannot say.
        """
        given = {name: query[name].strip()[:LONGEST] for name in (*_WORDS, "before") if query.get(name, "").strip()}
        action, before = given.get("action", ""), given.pop("before", "")
        if action and action not in set(Action):
            raise WrongParameter("action", f"The log knows no “{action}”.")
        for name, id_ in (("before", before), *((n, given.get(n, "")) for n in ("conversation", "person"))):
            if id_ and not is_id(id_):
                raise WrongParameter(name, f"{name} is no id." if name != "before" else "There is no such page.")
        days = Filters.of({name: given[name] for name in ("since", "until") if name in given}).wanted
        list_ = {
            "admin_name": given.get("who", ""),
            "action": action,
            "conversation_id": given.get("conversation", ""),
            "person_id": given.get("person", ""),
            "since": days.since,
            "until": days.before,
        }
        return cls(given, list_, before)

    def get(self, name: str) -> str:
        """What the form shows in a field."""
        return self.given.get(name, "")

    def address(self, path: str, **more: str) -> str:
        """The URL of the same entries elsewhere."""
        query = urlencode({**self.given, **more})
        return f"{path}?{query}" if query else path


@dataclass(frozen=True, slots=True)
class Log:
    """What the page shows. `days`: how long entries are kept; None: for ever."""

    entries: list[AuditEntry]
    older: str | None
    names: list[str]
    guarded: bool
    days: int | None
    removals: list[AuditRemoval]


def add_audit(routes: Routes, console: Console) -> None:
    """Add the page of the log and its file."""
    store, pages = console.services.store, console.pages

    def read(asked: Asked) -> Log:
        with store.read() as repositories:
            names = [admin.name for admin in repositories.admins.list()]
            entries, older = repositories.audit.list(**asked.list_, before=asked.before or None)
            days = repositories.retention.rules().days(What.AUDIT, None)
            removals = repositories.retention.audit_removals()
            return Log(entries, older, names, repositories.audit.guarded(), days, removals)

    @routes.guarded("GET", "/audit", Permission.AUDIT)
    async def audit(request: Request, viewer: Viewer) -> Response:
        asked = Asked.of(request.query_params)
        log = await asyncio.to_thread(read, asked)
        said = {**asked.given, **({"before": asked.before} if asked.before else {})}
        await console.log.note(request, viewer, Action.READ_AUDIT, asked=said)
        older = asked.address("/audit", before=log.older) if log.older else ""
        files = [(kind, asked.address(f"/audit/{kind}")) for kind in TYPES]
        return pages.show(
            request, viewer, "audit.html", log=log, asked=asked, older=older, actions=list(Action), files=files
        )

    @routes.guarded("GET", "/audit/{kind}", Permission.AUDIT)
    async def file(request: Request, viewer: Viewer) -> Response:
        kind = request.path_params["kind"]
        if kind not in TYPES:
            raise WrongParameter("kind", f"The log can be had as one of: {', '.join(TYPES)}.")
        asked = Asked.of(request.query_params)
        await console.log.note(request, viewer, Action.EXPORTED_AUDIT, asked=dict(asked.given), file=kind)
        name = f"glimt-audit-{utc_now():%Y-%m-%d}.{kind}"
        headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
        return StreamingResponse(entries_as(kind, store, asked.list_), media_type=TYPES[kind], headers=headers)
