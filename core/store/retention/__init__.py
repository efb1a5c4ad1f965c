"""What is removed by age: rules, holds, dry runs, and the runs with their batches."""

from core.store.retention.batches import Batches
from core.store.retention.holds import Holds
from core.store.retention.runs import Runs


class RetentionRepository(Batches, Holds, Runs):
    """One transaction's view of all of it."""
