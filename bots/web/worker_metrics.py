"""The workers' numbers, as they announce them with their presence: they serve no port of their own."""

from collections.abc import Iterable

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis import Redis
from redis.exceptions import RedisError

from core.queue.presence import WorkerPresence, list_workers

# Keys of `WorkerPresence.engine`, with the metric that each becomes.
_NOW = {
    "waiting": ("glimt_engine_waiting", "Requests that wait for room in the engine"),
    "running": ("glimt_engine_running", "Requests that the engine computes"),
    "kv_slots": ("glimt_engine_kv_slots", "K/V slots"),
    "kv_slot_tokens": ("glimt_engine_kv_slot_tokens", "Tokens that fit into one K/V slot"),
    "picture_bytes": ("glimt_picture_cache_bytes", "Memory that features of pictures take"),
    "picture_budget": ("glimt_picture_cache_budget_bytes", "Memory that features of pictures may take"),
    "prefix_bytes": ("glimt_prefix_cache_bytes", "Memory that prefixes of conversations take"),
    "prefix_budget": ("glimt_prefix_cache_budget_bytes", "Memory that prefixes of conversations may take"),
}
_SINCE_START = {
    "steps": ("glimt_engine_steps", "Steps of the engine"),
    "prompt_tokens": ("glimt_engine_prompt_tokens", "Tokens of prompts, with those that were known from before"),
    "cached_tokens": ("glimt_engine_cached_tokens", "Tokens of prompts that were known from before"),
    "completion_tokens": ("glimt_engine_completion_tokens", "Tokens of answers"),
    "picture_hits": ("glimt_picture_cache_hits", "Pictures whose features were known"),
    "picture_misses": ("glimt_picture_cache_misses", "Pictures that had to be encoded"),
    "prefix_hits": ("glimt_prefix_cache_hits", "Questions of whose conversation something was kept"),
    "prefix_misses": ("glimt_prefix_cache_misses", "Questions of whose conversation nothing was kept"),
    "prefix_reused": ("glimt_prefix_cache_reused_tokens", "Tokens of conversations' prompts that were known"),
    "prefix_asked": ("glimt_prefix_cache_asked_tokens", "Tokens of conversations' prompts"),
}


class WorkerNumbers(Collector):
    """One series for each worker that lives; without Redis only that it is away. At most three seconds old."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def collect(self) -> Iterable[Metric]:
        up = GaugeMetricFamily("glimt_redis_up", "Whether Redis answers")
        try:
            workers = list_workers(self._redis)
        except RedisError:
            up.add_metric([], 0)
            return [up]
        up.add_metric([], 1)
        return [up, *_of(workers)]

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not ask Redis."""
        return []


def _of(workers: list[WorkerPresence]) -> list[Metric]:
    slots = GaugeMetricFamily("glimt_worker_slots", "Turns that the worker answers at once", labels=["worker", "model"])
    turns = GaugeMetricFamily("glimt_worker_turns", "Turns that the worker is answering", labels=["worker"])
    gauges = {key: GaugeMetricFamily(name, text, labels=["worker"]) for key, (name, text) in _NOW.items()}
    counters = {key: CounterMetricFamily(name, text, labels=["worker"]) for key, (name, text) in _SINCE_START.items()}
    for worker in workers:
        slots.add_metric([worker.owner, worker.model], worker.slots)
        turns.add_metric([worker.owner], worker.running)
        for key, metric in (gauges | counters).items():
            # A worker of another version may count other things.
            if key in worker.engine:
                metric.add_metric([worker.owner], worker.engine[key])
    return [slots, turns, *gauges.values(), *counters.values()]
