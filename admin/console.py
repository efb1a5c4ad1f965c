"""The parts that the console's routes share, put together once."""

from dataclasses import dataclass

from admin.bearer import Bearers
from admin.door import Door
from admin.log import AuditLog
from admin.pages import Pages
from admin.services import Services


@dataclass(frozen=True, slots=True)
class Console:
    """What a route may need."""

    services: Services
    door: Door
    bearers: Bearers
    pages: Pages
    log: AuditLog

    @classmethod
    def of(cls, services: Services) -> "Console":
        """Put them together."""
        store = services.store
        door = Door(services.settings, store)
        return cls(services, door, Bearers(door, store), Pages(), AuditLog(store))
