"""Which picture an answer's boxes are in."""

from collections.abc import Iterable, Sequence

from core.store.models import Attachment
from core.values import AttachmentState


def pointed_at(attachments: Sequence[Attachment], earlier: Iterable[Sequence[Attachment]]) -> Attachment | None:
    """The one picture that a question is about: its own, else that of the latest turn before it which has any.

    `earlier` are the files of the turns before, latest first. None where there are several pictures: a model does not
    say which of them its boxes are in.
    """
    stored = _stored(attachments) or next((files for before in earlier if (files := _stored(before))), [])
    return stored[0] if len(stored) == 1 else None


def _stored(attachments: Sequence[Attachment]) -> list[Attachment]:
    return [attachment for attachment in attachments if attachment.state == AttachmentState.STORED]
