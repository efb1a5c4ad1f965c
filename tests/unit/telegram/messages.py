"""Messages as Telegram sends them."""

from typing import Any

from telegram import Message, User

ME = User(7, "Glimt", is_bot=True, username="glimt_bot")
ANN = {"id": 11, "is_bot": False, "first_name": "Ann", "language_code": "en"}


def message(
    text: str = "", *, chat: int = 11, number: int = 5, by: dict[str, Any] | None = None, **more: Any
) -> Message:
    """A message of Ann's, in private or (with an id below zero) in a group."""
    kind = "private" if chat > 0 else "supergroup"
    data: dict[str, Any] = {
        "message_id": number,
        "date": 1_700_000_000,
        "chat": {"id": chat, "type": kind, "title": "Group"},
        "from": by if by is not None else ANN,
        **({"text": text} if text else {}),
        **more,
    }
    made = Message.de_json(data, None)
    assert made is not None
    return made


def entity(kind: str, offset: int, length: int, **more: Any) -> dict[str, Any]:
    """An entity of a text."""
    return {"type": kind, "offset": offset, "length": length, **more}


def photo(*sizes: int, name: str = "p") -> list[dict[str, Any]]:
    """A photo in several sizes (the longer sides)."""
    return [
        {
            "file_id": f"{name}{side}",
            "file_unique_id": f"u{name}{side}",
            "width": side,
            "height": side,
            "file_size": side,
        }
        for side in sizes
    ]
