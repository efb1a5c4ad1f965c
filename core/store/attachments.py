"""Attachments: the files that came with a question, fetched or yet to be fetched."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from core.store.models import Attachment, Conversation, Turn
from core.values import AttachmentState, new_id

_NAME_CHARS = 255
# Pictures of an answer stand behind whatever its question may still get.
ANSWER_POSITION = 1000
_ADD = insert(Attachment)
_NAMED = select(Attachment.blob_key).where(Attachment.blob_key.in_(bindparam("blob_keys", expanding=True))).distinct()


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file whose bytes are in the blob store, at `position` (from 0) of its turn. Pixels and bytes, re-encoded.

    `of_answer`: a human answered with it; at `ANSWER_POSITION` and behind.
    """

    turn_id: str
    position: int
    name: str
    blob_key: str
    media_type: str
    width: int
    height: int
    byte_size: int
    of_answer: bool = False


class AttachmentRepository:
    """pending → stored or refused, once."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(
        self,
        turn_id: str,
        position: int,
        *,
        state: AttachmentState,
        name: str = "",
        source: dict[str, Any] | None = None,
        blob_key: str = "",
        media_type: str = "",
        width: int = 0,
        height: int = 0,
        byte_size: int = 0,
        error_code: str = "",
        error_message: str = "",
    ) -> Attachment:
        """Add a file at `position` (from 0) of its turn. Sizes in pixels and bytes, after re-encoding."""
        attachment = Attachment(
            id=new_id(),
            turn_id=turn_id,
            position=position,
            state=state,
            name=name[-_NAME_CHARS:],
            source=source or {},
            blob_key=blob_key,
            media_type=media_type,
            width=width,
            height=height,
            byte_size=byte_size,
            error_code=error_code,
            error_message=error_message,
        )
        self._session.add(attachment)
        self._session.flush()
        return attachment

    def add_stored(self, files: Iterable[StoredFile]) -> None:
        """Add files that are there already, in one statement."""
        rows = [asdict(file) | {"name": file.name[-_NAME_CHARS:], "state": AttachmentState.STORED} for file in files]
        if rows:
            self._session.execute(_ADD, rows)

    def store(
        self, attachment_id: str, blob_key: str, media_type: str, width: int, height: int, byte_size: int
    ) -> bool:
        """pending → stored; False: somebody was faster, or there is no such attachment (any more)."""
        return self._settle(
            attachment_id,
            state=AttachmentState.STORED,
            blob_key=blob_key,
            media_type=media_type,
            width=width,
            height=height,
            byte_size=byte_size,
        )

    def refuse(self, attachment_id: str, code: str, message: str) -> bool:
        """pending → refused, with the words for the user; False: somebody was faster, or there is none (any more)."""
        return self._settle(attachment_id, state=AttachmentState.REFUSED, error_code=code, error_message=message)

    def clear_pending(self, turn_id: str) -> None:
        """Remove the references of a turn, for what they turned out to be."""
        self._session.execute(
            delete(Attachment)
            .where(Attachment.turn_id == turn_id, Attachment.state == AttachmentState.PENDING)
            .execution_options(synchronize_session=False)
        )

    def visible_to(self, blob_key: str, person_id: str) -> Attachment | None:
        """An attachment with these bytes in a conversation that this person started; None: not to be shown."""
        if not blob_key:
            return None
        return self._session.scalars(
            select(Attachment)
            .join(Turn, Turn.id == Attachment.turn_id)
            .join(Conversation, Conversation.id == Turn.conversation_id)
            .where(
                Attachment.blob_key == blob_key,
                Attachment.state == AttachmentState.STORED,
                Conversation.person_id == person_id,
            )
            .limit(1)
        ).one_or_none()

    def named(self, blob_keys: Collection[str]) -> set[str]:
        """Those of the blobs that an attachment names."""
        return set(self._session.scalars(_NAMED, {"blob_keys": list(blob_keys)}).all())

    def _settle(self, attachment_id: str, **values: Any) -> bool:
        statement = (
            update(Attachment)
            .where(Attachment.id == attachment_id, Attachment.state == AttachmentState.PENDING)
            .values(source={}, **values)
            .returning(Attachment.id)
            .execution_options(synchronize_session=False)
        )
        return self._session.execute(statement).first() is not None
