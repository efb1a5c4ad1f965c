"""Numbers for Prometheus."""

import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis import Redis
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bots.web.worker_metrics import WorkerNumbers
from core.errors import StoreError
from core.queue.follow import StreamHub
from core.store.database import Store
from core.values import utc_now
from serving.bodies import Bodies

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Metrics:
    """The numbers of one web server, in a registry of its own."""

    def __init__(self, store: Store, redis: Redis, hub: StreamHub, bodies: Bodies) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "glimt_http_requests",
            "Requests by route and status",
            ("route", "method", "status"),
            registry=self._registry,
        )
        self.seconds = Histogram(
            "glimt_http_request_seconds",
            "Time from request to the end of the response",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._streams = Gauge("glimt_streams", "Answers being streamed now", ("channel",), registry=self._registry)
        followers = Gauge("glimt_stream_followers", "Readers that the stream hub serves", registry=self._registry)
        followers.set_function(lambda: hub.follower_count)
        held = Gauge("glimt_body_bytes", "Bytes that request bodies take, with their copies", registry=self._registry)
        held.set_function(lambda: bodies.held_bytes)
        self._registry.register(_Turns(store))
        self._registry.register(WorkerNumbers(redis))

    async def streaming(self, channel: str, events: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        """Pass `events` on and count the stream while it lasts."""
        gauge = self._streams.labels(channel)
        gauge.inc()
        try:
            async with aclosing(events):
                async for event in events:
                    yield event
        finally:
            gauge.dec()

    def text(self) -> bytes:
        """Everything in Prometheus' text format. Reads SQL and Redis, so call it in a thread."""
        return generate_latest(self._registry)


class _Turns(Collector):
    """What SQL says of the open turns; without SQL only that it is away."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterable[Metric]:
        up = GaugeMetricFamily("glimt_store_up", "Whether SQL answers")
        turns = GaugeMetricFamily("glimt_turns", "Turns that are not final, by state", labels=["state"])
        oldest = GaugeMetricFamily("glimt_oldest_ready_seconds", "Age of the turn that waits longest")
        try:
            with self._store.read() as repositories:
                counts = repositories.turns.counts_by_state()
                age = repositories.turns.oldest_ready_age(utc_now())
        except StoreError:
            up.add_metric([], 0)
            return [up]
        up.add_metric([], 1)
        oldest.add_metric([], age)
        for state, count in counts.items():
            turns.add_metric([state], count)
        return [up, turns, oldest]

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not ask SQL."""
        return []


class CountRequests:
    """ASGI middleware that counts and times requests by their route's pattern."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on and count."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        began = time.perf_counter()

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            # Only patterns of ours: a path that a stranger chose must not become a label.
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.requests.labels(route, scope["method"], str(status)).inc()
            self._metrics.seconds.labels(route).observe(time.perf_counter() - began)
