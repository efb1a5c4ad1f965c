"""`glimt doctor`: what is wrong with this installation, and how to mend it."""

import importlib.util
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from core.errors import ConfigurationError, GlimtError
from core.inference.create import check_eyes, eyes_of, require_packages
from core.inference.scripted import PREFIX as SCRIPTED
from core.inference.scripted import read_script
from core.inference.source import local_model, reads_text_only
from core.media.blobs import BlobStore
from core.queue.presence import list_workers
from core.settings import Settings
from core.store.database import Store
from core.store.migrate import require_current

LITTLE_DISK = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, whether it is good, and what it says or how to mend it."""

    what: str
    good: bool
    says: str


def examine(settings: Settings) -> Iterator[Finding]:
    """All checks, each yielded as soon as it is done. None of them raises."""
    for what, check in (
        ("database", _database),
        ("redis", _redis),
        ("blobs", _blobs),
        ("model", _model),
        ("eyes", _eyes),
        ("device", _device),
        ("disk", _disk),
        ("keys", _keys),
    ):
        yield _safely(what, check, settings)


def _safely(what: str, check: Callable[[Settings], str], settings: Settings) -> Finding:
    try:
        return Finding(what, True, check(settings))
    except (GlimtError, RedisError, OSError) as error:
        return Finding(what, False, " ".join(str(error).split()))


def _database(settings: Settings) -> str:
    require_current(settings.sql_url)
    return "reachable, schema is current"


def _redis(settings: Settings) -> str:
    client = Redis.from_url(settings.queue_url)
    try:
        version = client.info("server").get("redis_version", "?")
        workers = list_workers(client)
    except RedisError as error:
        if settings.redis_url:
            raise RedisError(f"{str(error).rstrip('.')}. Check REDIS_URL and that the server runs.") from error
        return "embedded, not running now; `glimt up` starts it"
    finally:
        client.close()
    names = ", ".join(f"{w.model} ({w.running}/{w.slots} slots)" for w in workers) or "none running"
    return f"version {version}; workers: {names}"


def _blobs(settings: Settings) -> str:
    if not settings.blobs_url:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    blobs = BlobStore(settings.blob_store_url)
    key = blobs.put(b"glimt doctor")
    blobs.delete(key)
    return "writable"


def _model(settings: Settings) -> str:
    if settings.model.startswith(SCRIPTED):
        read_script(settings.model)
        return f"'{settings.model}': answers are scripted, no model is loaded"
    if not _worker_installed():
        # Where no worker runs no model needs to be; one that is there can be looked at.
        if Path(settings.model).is_dir():
            local_model(settings.model, settings.model_revision)
        return f"'{settings.model}'; torch or transformers is not installed here, so this machine runs no worker"
    source = local_model(settings.model, settings.model_revision)
    if source is None:
        return f"{settings.model} at {settings.model_revision}; a worker that starts looks for it, or fetches it"
    return f"{source.name} in {source.folder}, {source.weight_bytes >> 20} MiB of weights"


def _eyes(settings: Settings) -> str:
    if settings.eyes:
        if _worker_installed() or settings.eyes.startswith(SCRIPTED):
            check_eyes(settings)
        return _model(eyes_of(settings))
    if settings.model.startswith(SCRIPTED) or not _worker_installed():
        return "none set"
    source = local_model(settings.model, settings.model_revision)
    if source is None:
        return "none set; if the model reads text only, GLIMT_EYES names one that looks at pictures for it"
    if reads_text_only(source):
        raise ConfigurationError(
            f"{source.name} reads text only (it has no preprocessor_config.json): pictures will be refused. Set "
            "GLIMT_EYES to a model that sees them, such as GLM-4.6V-Flash."
        )
    return "the model's own"


def _device(settings: Settings) -> str:
    if not _worker_installed():
        return "no torch here"
    from core.inference.hardware import describe_device

    return describe_device(settings.device)


def _worker_installed() -> bool:
    try:
        require_packages()
    except ConfigurationError:
        return False
    return True


def _disk(settings: Settings) -> str:
    folder = settings.data_dir.absolute()
    while not folder.exists():
        folder = Path(folder).parent
    free = shutil.disk_usage(folder).free
    if free < LITTLE_DISK:
        raise OSError(f"only {free >> 20} MiB free at {folder}; pictures and conversations need room")
    return f"{free >> 30} GiB free at {folder}"


def _keys(settings: Settings) -> str:
    require_current(settings.sql_url)
    if importlib.util.find_spec("bots") is None:
        return "not asked for here: this installation has no bots"
    from bots.web.reach import check_binding, public_host

    public_host(settings)
    store = Store(settings.sql_url)
    try:
        check_binding(settings, store)
        with store.read() as repositories:
            made = repositories.keys.any()
    finally:
        store.close()
    return "made" if made else "none yet: the page and the REST API are open on loopback and closed beyond it"
