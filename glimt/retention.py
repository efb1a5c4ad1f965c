"""What `glimt retention` does."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from core.conversation.retention import TIDY, Retention
from core.errors import ConfigurationError
from core.media.blobs import BlobStore
from core.settings import Settings
from core.store.database import Store
from core.store.migrate import require_current
from core.store.models import Workspace
from core.store.retention.rules import MOST_DAYS, OF_WORKSPACES, What, least_days
from core.values import utc_now

# Who the audit log says it was.
COMMAND_LINE = "command line"
EVERYWHERE = "all others"


def rules(settings: Settings) -> dict[str, Any]:
    """The rules, the workspaces that there can be rules for, and the latest run."""
    with _opened(settings) as store, store.read() as repositories:
        workspaces = list(repositories.session.query(Workspace).order_by(Workspace.platform, Workspace.id))
        names = {w.id: f"{w.platform} {w.name or w.external_id}" for w in workspaces}
        stored = [
            {
                "workspace": names.get(rule.workspace_id or "", EVERYWHERE),
                "workspace_id": rule.workspace_id,
                "what": rule.what,
                "days": rule.days,
                "set_by": rule.set_by,
                "set_at": rule.set_at.isoformat(),
            }
            for rule in repositories.retention.stored_rules()
        ]
        runs = [
            {
                "started_at": run.started_at.isoformat(),
                "finished_at": run.finished_at.isoformat() if run.finished_at else None,
                "stage": run.stage,
                "removed": run.removed,
            }
            for run in repositories.retention.runs(1)
        ]
    return {"rules": stored, "workspaces": names, "latest_run": runs[0] if runs else None}


def figures(settings: Settings, what: str, days: int, workspace: str) -> dict[str, dict[str, Any]]:
    """What a run would remove: by all rules, or by one about `what` that keeps it for `days`.

    Raises:
        ConfigurationError: it is no rule.
    """
    with _opened(settings) as store, store.read() as repositories:
        known, now = repositories.retention.rules(), utc_now()
        if not what:
            told = {
                kind.value: repositories.retention.dry_run(known, kind, None, now, everywhere=True) for kind in What
            }
        else:
            kind, workspace_id = _kind(what, days, workspace), workspace or None
            if workspace_id is not None and repositories.session.get(Workspace, workspace_id) is None:
                raise ConfigurationError(
                    f"There is no workspace {workspace}. `glimt retention list --json` shows them."
                )
            tried = known.changed(workspace_id, kind, days)
            told = {kind.value: repositories.retention.dry_run(tried, kind, workspace_id, now)}
    return {name: counted.as_json() for name, counted in told.items() if counted.rows}


def run_once(settings: Settings) -> dict[str, dict[str, Any]] | None:
    """Do a run; what it removed, also before it was taken over from another process. None: that one is at it."""
    with _opened(settings) as store:
        owner = f"{socket.gethostname()[:24]}:{os.getpid()}:cli"
        run = Retention(store, BlobStore(settings.blob_store_url), owner).run_now(COMMAND_LINE)
    return None if run is None else {stage: gone for stage, gone in run.removed.items() if stage != TIDY}


def _kind(what: str, days: int, workspace: str) -> What:
    if what not in set(What):
        raise ConfigurationError(f"--what is one of: {', '.join(What)}.")
    kind = What(what)
    if workspace and kind not in OF_WORKSPACES:
        raise ConfigurationError(f"A rule about {what} holds for all workspaces; leave --workspace out.")
    if not least_days(kind) <= days <= MOST_DAYS:
        raise ConfigurationError(f"{what} can be kept from {least_days(kind)} to {MOST_DAYS} days.")
    return kind


@contextmanager
def _opened(settings: Settings) -> Iterator[Store]:
    require_current(settings.sql_url)
    store = Store(settings.sql_url, pool_size=2)
    try:
        yield store
    finally:
        store.close()
