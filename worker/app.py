"""The worker process: Celery's threads pool around one engine."""

import sys
import threading
import warnings

import structlog
from celery.exceptions import SecurityWarning
from celery.signals import worker_shutting_down

from core.inference.create import create_engine
from core.queue.affinity import own_queue
from core.queue.celery_app import QUEUE, TASK_ANSWER, make_celery
from core.queue.fleet import model_queue
from core.settings import Settings
from core.store.migrate import require_current
from worker.pool import WakingPool
from worker.runtime import WorkerRuntime

log = structlog.get_logger(__name__)

# A server beside us that starts with us loads its model for so long. Questions wait in SQL meanwhile.
BACKEND_START_S = 600.0


def run_worker(settings: Settings) -> None:
    """Answer turns until SIGTERM or SIGINT, then finish or give back what runs.

    The model loads before Celery takes its first message, in this process: the threads pool never forks, and a fork
    after torch started its threads would hang.

    Raises:
        ConfigurationError: a setting or the database schema is wrong.
        ModelLoadError: the model cannot be loaded.
        SystemExit: Celery gave up, for example because Redis refuses the password.
    """
    require_current(settings.sql_url)
    # Celery warns of root because of pickle; messages here are JSON alone, and containers often have no other user.
    warnings.simplefilter("ignore", SecurityWarning)
    engine = create_engine(settings, patience_s=BACKEND_START_S)
    celery = make_celery(settings)
    # No turn waits in this process for a thread while another worker has one free; `WakingPool` belongs to it.
    celery.conf.worker_disable_prefetch = True
    runtime = WorkerRuntime(settings, engine, celery)
    own = celery.amqp.queues.add(own_queue(runtime.owner))
    same_model = celery.amqp.queues.add(model_queue(engine.model_name))
    celery.task(name=TASK_ANSWER, ignore_result=True)(runtime.answerer.answer)

    def wind_down(**_: object) -> None:
        # A signal handler must return; Celery then waits for the running tasks, which this thread ends in time.
        threading.Thread(target=runtime.wind_down, name="wind-down", daemon=True).start()

    worker_shutting_down.connect(wind_down, weak=False)
    runtime.start()
    try:
        consumer = celery.Worker(
            pool=WakingPool,
            concurrency=settings.worker_slots,
            queues=[QUEUE, own.name, same_model.name],
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            hostname=f"{runtime.owner}@glimt",
            loglevel=settings.log_level,
            quiet=True,
        )
        consumer.start()
    finally:
        runtime.close()
    if consumer.exitcode:
        sys.exit(consumer.exitcode)
