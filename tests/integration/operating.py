"""An admin who answers in conversations of an installation, without the pages of the console around him."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from redis import Redis

from core.conversation.inbound import Named
from core.conversation.takeover import TakeOver, Words
from core.media.blobs import BlobStore
from core.media.limits import PictureLimits
from core.media.pictures import read_pictures
from core.settings import Settings
from core.store.database import Repositories, Store
from core.values import new_id
from tests.integration.web.site import picture


@dataclass
class Operator:
    """He does at once what an admin does by forms. `did` is what he noted with it."""

    store: Store
    redis: Redis
    settings: Settings
    admin_id: str = field(default_factory=new_id)
    did: list[str] = field(default_factory=list)

    @property
    def _takeover(self) -> TakeOver:
        return TakeOver(self.store, BlobStore(self.settings.blob_store_url), self.redis, self.settings)

    def take(self, conversation_id: str, instead_of: str = "") -> None:
        """Take over."""
        self._takeover.take(conversation_id, self.admin_id, instead_of, self._noting("took over"))

    def say(self, conversation_id: str, text: str = "", pictures: Sequence[Named] = (), key: str = "") -> str:
        """Say something; the turn that it became."""
        words = Words(key or new_id(), text, tuple(pictures))
        return self._takeover.write(conversation_id, self.admin_id, words, self._noting("wrote"))

    def back(self, conversation_id: str, *, answer_open: bool = False) -> None:
        """Hand back."""
        note = self._noting("handed back")
        self._takeover.hand_back(conversation_id, self.admin_id, answer_open=answer_open, note=note)

    def picture(self, colour: str = "blue", size: tuple[int, int] = (64, 48)) -> Named:
        """A picture that he chooses, read like any file."""
        (safe,) = read_pictures(picture(colour, size=size), PictureLimits.of(self.settings))
        return Named(f"{colour}.webp", safe)

    def _noting(self, what: str) -> "_Noting":
        return _Noting(self, what)


@dataclass
class _Noting:
    operator: Operator
    what: str

    def __call__(self, _repositories: Repositories) -> None:
        self.operator.did.append(self.what)
