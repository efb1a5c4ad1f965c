"""The parts that the routes of one web server share, put together once."""

from dataclasses import dataclass

from bots.services import Services
from bots.web.auth import Auth
from bots.web.gate import Gate
from bots.web.metrics import Metrics
from bots.web.openai_api.fetcher import Fetcher
from bots.web.receipts import Receipts
from serving.bodies import Bodies
from serving.throttle import Throttle


@dataclass(frozen=True, slots=True)
class Parts:
    """What a route may need."""

    services: Services
    gate: Gate
    auth: Auth
    bodies: Bodies
    fetcher: Fetcher
    receipts: Receipts
    metrics: Metrics

    @classmethod
    def of(cls, services: Services) -> "Parts":
        """Put them together."""
        settings, store = services.settings, services.store
        bodies = Bodies(settings)
        gate = Gate(settings, store, Throttle())
        return cls(
            services=services,
            gate=gate,
            auth=Auth(settings, store, gate),
            bodies=bodies,
            fetcher=Fetcher(settings),
            receipts=Receipts(store),
            metrics=Metrics(store, services.sync_redis, services.hub, bodies),
        )

    async def close(self) -> None:
        """Finish what is under way."""
        await self.receipts.close()
        self.fetcher.close()
