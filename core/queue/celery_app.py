"""Celery over Redis: a wake-up call that carries a turn's id and nothing else (docs/adr/0003)."""

from celery import Celery

from core.settings import Settings

TASK_ANSWER = "glimt.answer"
QUEUE = "glimt"


def make_celery(settings: Settings) -> Celery:
    """The Celery application that both ends share.

    No result backend, JSON only, acknowledged on receipt: the leases in SQL recover lost work, so Celery's own
    redelivery (which was seen to run tasks twice) is not relied on.
    """
    app = Celery("glimt", broker=_broker_url(settings.queue_url), set_as_current=False)
    app.conf.update(
        task_default_queue=QUEUE,
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=False,
        task_store_errors_even_if_ignored=False,
        worker_prefetch_multiplier=1,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_hijack_root_logger=False,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        broker_connection_retry_on_startup=True,
        # For ever: Redis may be away for longer than a hundred tries.
        broker_connection_max_retries=None,
        broker_connection_timeout=5,
        broker_pool_limit=4,
        # Without these a half-open connection leaves a worker deaf (reference: docs/adr/0003).
        broker_transport_options={
            "socket_timeout": 10,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            "health_check_interval": 5,
            # How often sending looks for a Redis that is away; the turns stay ready in SQL and the sweeper comes again.
            "max_retries": 1,
            "interval_start": 0.1,
        },
        task_publish_retry=False,
        timezone="UTC",
    )
    return app


def _broker_url(redis_url: str) -> str:
    """Kombu's spelling of a redis-py URL: Unix sockets are `redis+socket://` there."""
    if redis_url.startswith("unix://"):
        return "redis+socket://" + redis_url.removeprefix("unix://")
    return redis_url
