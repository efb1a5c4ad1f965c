"""The labels that turns can be sorted by."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotFound, RequestError
from core.reviewing import checked_name, folded
from core.store.review_tables import Label
from core.store.upsert import insert_if_new
from core.values import new_id

MOST = 200


class LabelRepository:
    """Names are unique without the difference of upper and lower case; also among retired labels."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self) -> list[Label]:
        """All of them, by name."""
        return list(self._session.scalars(select(Label).order_by(Label.folded)))

    def add(self, name: str, now: datetime) -> Label:
        """Make a label.

        Raises:
            WrongParameter: that is no name.
            RequestError: there is one of this name, or there are too many.
        """
        name = checked_name("label", name)
        if len(self.list()) >= MOST:
            raise RequestError(user_message=f"There are {MOST} labels already. Rename one that is no longer needed.")
        values = {"id": new_id(), "name": name, "folded": folded(name), "created_at": now}
        label = insert_if_new(self._session, Label, values, ("folded",))
        if label is None:
            raise RequestError(user_message=f"There is (or was) a label “{name}” already.")
        return label

    def rename(self, label_id: str, name: str) -> Label:
        """Change what it is called, wherever it was put.

        Raises:
            NotFound: there is no such label.
            WrongParameter: that is no name.
            RequestError: another one has this name.
        """
        name = checked_name("label", name)
        label = self._existing(label_id)
        other = self._session.scalar(select(Label.id).where(Label.folded == folded(name), Label.id != label_id))
        if other is not None:
            raise RequestError(user_message=f"There is (or was) another label “{name}”.")
        label.name, label.folded = name, folded(name)
        self._session.flush()
        return label

    def retire(self, label_id: str, now: datetime | None) -> Label:
        """Offer it no longer; with None, offer it again. Where it was put, it stays.

        Raises:
            NotFound: there is no such label.
        """
        label = self._existing(label_id)
        label.retired_at = now
        self._session.flush()
        return label

    def _existing(self, label_id: str) -> Label:
        label = self._session.get(Label, label_id)
        if label is None:
            raise NotFound(user_message="There is no such label.")
        return label
