"""What an answer points out in a picture, drawn into it."""

from dataclasses import dataclass

from core.media.blobs import BlobStore
from core.store.database import Store
from core.store.models import Turn


@dataclass(frozen=True, slots=True)
class BoxedPicture:
    """A picture (PNG or JPEG bytes) with its boxes, and Markdown that says what the numbers in it mean."""

    name: str
    data: bytes
    caption: str


def boxed_picture(store: Store, blobs: BlobStore, turn: Turn) -> BoxedPicture | None:
    """The picture that the answer's boxes are about, with them drawn in; None: there are none, or not one picture."""
    return None
