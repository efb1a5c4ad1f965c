"""The worker's share in runs of retention: it looks once a minute whether one is due."""

from core.conversation.retention import Retention
from core.media.blobs import BlobStore
from core.store.database import Store
from worker.periodic import Periodic

PERIOD_S = 60.0


class RetentionKeeper(Periodic):
    """Does what is due, until it is asked to stop; another worker, or the next start, goes on."""

    def __init__(self, store: Store, blobs: BlobStore, owner: str) -> None:
        retention = Retention(store, blobs, owner, lambda seconds: self.stopped.wait(seconds))
        super().__init__("retention", PERIOD_S, lambda: _do(retention))


def _do(retention: Retention) -> None:
    retention.round()
