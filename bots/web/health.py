"""/healthz: the process lives. /readyz: the service makes progress. /metrics: its numbers."""

import asyncio
from time import monotonic

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bots.web.errors import json_response
from bots.web.hosts import forwarded
from bots.web.parts import Parts
from bots.web.reach import beyond_loopback
from core.errors import GlimtError
from core.store.migrate import is_current
from core.values import TurnState, utc_now

# A turn that has waited for so long while no worker runs any means that nobody takes them.
STALLED_S = 60.0
BELIEVED_S = 1.0
CHECK_TIMEOUT_S = 5.0
# Watchers often send HEAD.
WATCHED = ["GET", "HEAD"]


class Readiness:
    """Checks SQL, its schema, Redis and whether turns are being taken; believes the result for a second."""

    def __init__(self, parts: Parts) -> None:
        self._services = parts.services
        self._lock = asyncio.Lock()
        self._report: dict[str, object] = {}
        self._until = 0.0
        # Seen once is enough: nothing goes back to an older schema under a running service.
        self._schema_current = False

    async def report(self) -> dict[str, object]:
        """`ready`, what each check says, and how long the oldest ready turn has waited, in seconds."""
        async with self._lock:
            if monotonic() >= self._until:
                self._report = await self._check()
                self._until = monotonic() + BELIEVED_S
            return self._report

    async def _check(self) -> dict[str, object]:
        (sql, queue, oldest), redis = await asyncio.gather(self._sql(), self._redis())
        checks = {"sql": sql, "redis": redis, "queue": queue}
        return {
            "ready": all(said == "ok" for said in checks.values()),
            "checks": checks,
            "oldest_ready_s": round(oldest, 1),
        }

    async def _sql(self) -> tuple[str, str, float]:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                return await asyncio.to_thread(self._look)
        except (GlimtError, TimeoutError):
            return "cannot be reached", "unknown", 0.0

    def _look(self) -> tuple[str, str, float]:
        services = self._services
        services.store.check()
        if not self._schema_current:
            self._schema_current = is_current(services.settings.sql_url)
        if not self._schema_current:
            return "old schema: run `glimt db upgrade`", "unknown", 0.0
        with services.store.read() as repositories:
            oldest = repositories.turns.oldest_ready_age(utc_now())
            running = repositories.turns.counts_by_state()[TurnState.RUNNING]
        stalled = oldest > STALLED_S and running == 0
        return "ok", "no worker takes the waiting turns" if stalled else "ok", oldest

    async def _redis(self) -> str:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                await self._services.redis.ping()
        except (RedisError, OSError, TimeoutError):
            return "cannot be reached"
        return "ok"


def add_health(routes: APIRouter, parts: Parts) -> None:
    """Add the routes for whoever watches the service."""
    readiness = Readiness(parts)
    settings = parts.services.settings
    open_metrics = settings.metrics_public or not beyond_loopback(settings)

    @routes.api_route("/healthz", methods=WATCHED)
    async def alive() -> Response:
        return PlainTextResponse("ok\n")

    @routes.api_route("/readyz", methods=WATCHED)
    async def ready() -> Response:
        report = await readiness.report()
        return json_response(report, 200 if report["ready"] else 503)

    @routes.get("/metrics")
    async def metrics(request: Request) -> Response:
        if not settings.metrics_public and (not open_metrics or forwarded(request.headers)):
            await parts.auth.key_holder(request)
        text = await asyncio.to_thread(parts.metrics.text)
        return Response(text, headers={"content-type": CONTENT_TYPE_LATEST})
