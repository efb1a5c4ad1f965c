"""/export: what is exported and how; /api/export: the export itself, for the page and for programs."""

from collections.abc import Callable
from datetime import datetime
from time import monotonic
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from admin.bearer import Bearers
from admin.console import Console
from admin.door import Door
from admin.filters import Filters, require_known
from admin.routes import Routes
from admin.viewer import Viewer
from core.admins import Action, Permission
from core.errors import Busy, NotAllowed, WrongParameter
from core.export.chunks import Reach
from core.export.export import Export
from core.export.options import FIELDS, Container, ExportOptions, Given, Pictures, export_options
from core.export.sent import as_bytes
from core.store.words import Sought, sought_words
from serving.download import Download

# Exports of one console at a time: each keeps a thread busy.
MOST_AT_ONCE = 2
# How often it is asked whether he may still.
ASKED_EVERY_S = 5.0
NAMES_MAX = 200
# Where usage is to be had as CSV.
USAGE = "/usage.csv"
_TYPES = {Container.ZIP: "application/zip", Container.JSONL: "application/jsonl"}


def add_exports(routes: Routes, console: Console) -> None:
    """Add the page and the address that sends the file."""
    services, pages = console.services, console.pages
    running: set[Export] = set()

    @routes.guarded("GET", "/export", Permission.EXPORT)
    async def page(request: Request, viewer: Viewer) -> Response:
        filters = Filters.of(_filters_in(request), services.settings.zone)
        shown: dict[str, Any] = {
            "regions": services.settings.redact_regions,
            "usage": ("GET", USAGE) in routes.declared,
        }
        return pages.show(request, viewer, "export.html", filters=filters, **shown)

    @routes.for_programs_too("GET", "/api/export", Permission.EXPORT)
    async def export(request: Request, viewer: Viewer) -> Response:
        given = _filters_in(request)
        require_known(given)
        filters, options = Filters.of(given, services.settings.zone), _options_in(request, viewer)
        if len(running) >= MOST_AT_ONCE:
            raise Busy(user_message="Other exports are running. Please try again when one of them has ended.")
        reach = Reach(viewer.scope, filters.wanted, _sought(filters.q), viewer.admin_id)
        still = still_allowed(console.door, console.bearers, viewer)
        made = Export(services.store, services.blobs, services.settings, reach, options, still=still)
        said: dict[str, Any] = {"filters": filters.said(), **options.said(), "token": viewer.token}
        running.add(made)
        try:
            await console.log.note(request, viewer, Action.EXPORTED, **said)
        except BaseException:
            running.discard(made)
            raise

        async def ended(how: str) -> None:
            running.discard(made)
            await console.log.note(request, viewer, Action.EXPORT_ENDED, how=how, **made.summary())

        return Download(
            as_bytes(made), file_name("export", made.begun_at, options.container), _TYPES[options.container], ended
        )


def still_allowed(door: Door, bearers: Bearers, viewer: Viewer) -> Callable[[], None]:
    """Raises `NotAllowed` from when on the session or token has ended, or its admin may read or do something else.

    Synchronous; asks SQL now and then.
    """
    asked_at = monotonic()

    def ask() -> None:
        nonlocal asked_at
        if monotonic() - asked_at < ASKED_EVERY_S:
            return
        find = bearers.find if viewer.token else door.find
        now = find(viewer.token_hash, counts=False)
        if now is None or now.scope != viewer.scope or now.role != viewer.role:
            raise NotAllowed(user_message="Whoever asked for this may not read it any more.")
        asked_at = monotonic()

    return ask


def file_name(what: str, at: datetime, suffix: str) -> str:
    """What the browser calls the file."""
    return f"glimt-{what}-{at:%Y-%m-%d-%H%M%S}.{suffix}"


def _filters_in(request: Request) -> dict[str, str]:
    """What of the address is a filter."""
    return {name: value for name, value in request.query_params.items() if name not in (*FIELDS, "names", "before")}


def _sought(q: str) -> list[Sought]:
    """The words of a search.

    Raises:
        WrongParameter: there is nothing to search for in it, and so the list shows nothing.
    """
    sought = sought_words(q)
    if q and not sought:
        raise WrongParameter("q", "There is nothing to search for in that. Use letters, digits or characters.")
    return sought


def _options_in(request: Request, viewer: Viewer) -> ExportOptions:
    query = request.query_params
    words = dict(query)
    if not viewer.token and words.get("format") == Container.JSONL and words.get("images") == Pictures.FILES:
        # The button says that it leaves the files out; a program is told instead.
        words["images"] = Pictures.NONE
    names = tuple(name.strip() for name in query.get("names", "").split(",") if name.strip())
    return export_options(Given(words, query.getlist("redact"), names[:NAMES_MAX]))
