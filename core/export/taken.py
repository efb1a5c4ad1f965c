"""Pictures on their way out: where each is in the export, or why it is not."""

import base64
from collections.abc import Callable
from dataclasses import dataclass

from core.errors import BlobDamaged, NotFound
from core.export.options import Pictures
from core.media.blobs import BlobStore
from core.store.models import Attachment
from core.values import AttachmentState

FOLDER = "pictures"
# The types that `core.media` writes; anything else is no picture of ours.
_SUFFIXES = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


@dataclass(frozen=True, slots=True)
class Taken:
    """`place` is a path in the export or a data URL; empty: `why` says why there is none."""

    attachment: Attachment
    place: str
    why: str = ""

    @property
    def is_missing(self) -> bool:
        """Whether it should be there and is not."""
        return self.why in ("missing", "damaged")


def take(attachment: Attachment, pictures: Pictures, blobs: BlobStore, put: Callable[[str, bytes], None]) -> Taken:
    """Bring one picture out; `put` gets the name and the bytes of a file.

    The name is ours, made of the attachment's id: what the sender called it stays out of every path. A picture that is
    gone or damaged is reported and stops nothing.

    Raises:
        StoreError: the blob store is away.
    """
    if attachment.state != AttachmentState.STORED or attachment.media_type not in _SUFFIXES:
        return Taken(attachment, "", attachment.error_code or str(attachment.state))
    if pictures is Pictures.NONE:
        return Taken(attachment, "", "not asked for")
    try:
        data = blobs.get(attachment.blob_key)
    except NotFound:
        return Taken(attachment, "", "missing")
    except BlobDamaged:
        return Taken(attachment, "", "damaged")
    if pictures is Pictures.DATA_URLS:
        return Taken(attachment, f"data:{attachment.media_type};base64,{base64.b64encode(data).decode()}")
    name = f"{FOLDER}/{attachment.id}.{_SUFFIXES[attachment.media_type]}"
    put(name, data)
    return Taken(attachment, name)
