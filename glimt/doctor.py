"""`glimt doctor`: what is wrong with this installation, and how to mend it."""

import importlib.util
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from core.errors import GlimtError
from core.media.blobs import BlobStore
from core.queue.presence import list_workers
from core.settings import Settings
from core.store.database import Store
from core.store.migrate import require_current
from glimt.doctor_chat import examine_slack, examine_telegram
from glimt.doctor_compute import Worry, check_cores, check_device, check_eyes, check_memory, check_model
from glimt.doctor_finding import Finding
from glimt.review import console_installed
from serving.addresses import is_loopback

LITTLE_DISK = 2 * 1024**3


def examine(settings: Settings) -> Iterator[Finding]:
    """All checks, each yielded as soon as it is done. None of them raises."""
    for what, check in (
        ("database", _database),
        ("redis", _redis),
        ("blobs", _blobs),
        ("model", check_model),
        ("eyes", check_eyes),
        ("device", check_device),
        ("memory", check_memory),
        ("cores", check_cores),
        ("disk", _disk),
        ("keys", _keys),
        ("console", _console),
    ):
        yield _safely(what, check, settings)
    if settings.slack_enabled:
        yield from examine_slack(settings)
    if settings.telegram_enabled:
        yield from examine_telegram(settings)


def _safely(what: str, check: Callable[[Settings], str | Worry], settings: Settings) -> Finding:
    try:
        says = check(settings)
        return Finding(what, True, str(says), isinstance(says, Worry))
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


def _console(settings: Settings) -> str | Worry:
    if not console_installed():
        return "not installed here: pip install 'glimt[console]'"
    require_current(settings.sql_url)
    store = Store(settings.sql_url)
    try:
        with store.read() as repositories:
            admins = [admin for admin in repositories.admins.list() if admin.disabled_at is None]
    finally:
        store.close()
    if not admins:
        return "nobody may sign in yet: glimt admins create --name NAME (`glimt up` on this machine alone makes a link)"
    open_to_others = not is_loopback(settings.host) and not settings.console_url.startswith("https://")
    if open_to_others:
        return Worry("passwords and cookies would travel openly: put HTTPS in front and set GLIMT_CONSOLE_URL")
    return f"{len(admins)} may sign in"
