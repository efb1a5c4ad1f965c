"""What was seen before: the same picture is not looked at twice for the same question."""

import threading

from core.inference.byte_lru import ByteLru

BUDGET = 16 * 1024 * 1024
# Keys and the objects around a text.
_OVERHEAD = 500


class Memory:
    """Observations by tenant, picture and focus; nothing crosses tenants. Thread-safe.

    It lives and dies with the eyes, so their model needs no place in the key. Nothing depends on it: what belongs to a
    conversation is stored with it.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self._lock = threading.Lock()
        self.cache: ByteLru[tuple[str, str, str], str] = ByteLru(budget)

    def recall(self, tenant: str, picture: str, focus: str) -> str | None:
        """What was seen, if it is known. Without a tenant nothing is."""
        if not tenant:
            return None
        with self._lock:
            return self.cache.get((tenant, picture, focus))

    def keep(self, tenant: str, picture: str, focus: str, text: str) -> None:
        """Remember what was seen."""
        if tenant:
            with self._lock:
                self.cache.put((tenant, picture, focus), text, len(text.encode()) + len(focus.encode()) + _OVERHEAD)
