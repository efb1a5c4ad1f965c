"""/numbers: what was asked and how it went, by day and place; the queue and the workers now."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from admin.console import Console
from admin.numbers_views import charts, figures, tables
from admin.period import PERIODS, Period
from admin.routes import Routes
from admin.viewer import Viewer
from core.admins import Action, Permission
from core.days import day_of
from core.queue.presence import WorkerPresence, list_workers
from core.store.numbers.reading import Report, Standing
from core.usage_csv import usage_csv
from core.values import Platform, utc_now


@dataclass(frozen=True, slots=True)
class Now:
    """What is going on. `workers` is None where Redis is away."""

    standing: Standing
    workers: list[WorkerPresence] | None
    at: datetime


def add_numbers(routes: Routes, console: Console) -> None:
    """Add the overview, who asked, and the file of usage."""
    services, pages = console.services, console.pages
    store, zone = services.store, services.settings.zone

    def period_of(request: Request) -> Period:
        return Period.of(request.query_params, day_of(utc_now(), zone))

    def read_now(viewer: Viewer) -> Now:
        at = utc_now()
        with store.read() as repositories:
            standing = repositories.numbers(viewer.scope).standing(at)
        try:
            workers: list[WorkerPresence] | None = list_workers(services.redis)
        except RedisError:
            workers = None
        return Now(standing, workers, at)

    def read(viewer: Viewer, period: Period) -> tuple[Report, Report, dict[str, Any]]:
        at = utc_now()
        with store.read() as repositories:
            mine = repositories.numbers(viewer.scope)
            report = mine.report(period.wanted(), zone, at)
            before = mine.report(period.wanted_before(), zone, at, parts=False)
            choices = repositories.review(viewer.scope).choices()
        return report, before, {"choices": choices, "now": read_now(viewer)}

    @routes.guarded("GET", "/numbers", Permission.READ)
    async def overview(request: Request, viewer: Viewer) -> Response:
        period = period_of(request)
        report, before, shown = await asyncio.to_thread(read, viewer, period)
        return pages.show(
            request,
            viewer,
            "numbers.html",
            period=period,
            periods=PERIODS,
            platforms=[platform.value for platform in Platform],
            zone=zone.key,
            report=report,
            figures=figures(period, report, before),
            charts=charts(period, report),
            tables=tables(period, report),
            **shown,
        )

    # The page asks by itself, every few seconds, so asking is no use of the session. It shows nothing that was said.
    @routes.guarded("GET", "/numbers/now", Permission.READ, counts=False)
    async def now(request: Request, viewer: Viewer) -> Response:
        return pages.show(request, viewer, "numbers_now.html", now=await asyncio.to_thread(read_now, viewer))

    @routes.guarded("GET", "/numbers/people", Permission.READ)
    async def people(request: Request, viewer: Viewer) -> Response:
        period = period_of(request)

        def read_people() -> list[Any]:
            with store.read() as repositories:
                return list(repositories.numbers(viewer.scope).people(period.wanted(), zone, utc_now()))

        found = await asyncio.to_thread(read_people)
        await console.log.note(request, viewer, Action.READ_PEOPLE, asked=period.said())
        return pages.show(request, viewer, "numbers_people.html", period=period, people=found)

    @routes.guarded("GET", "/usage.csv", Permission.EXPORT)
    async def usage(request: Request, viewer: Viewer) -> Response:
        period = period_of(request)
        await console.log.note(request, viewer, Action.EXPORTED_USAGE, asked=period.said())
        pieces = usage_csv(store, viewer.scope, period.wanted(), zone, bom=request.query_params.get("bom") == "1")
        name = f"glimt-usage-{period.first.isoformat()}-{period.last.isoformat()}.csv"
        return StreamingResponse(
            (piece.encode("utf-8", "replace") for piece in pieces),
            media_type="text/csv; charset=utf-8; header=present",
            headers={"content-disposition": f'attachment; filename="{name}"'},
        )
