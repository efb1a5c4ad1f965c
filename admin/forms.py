"""What a form of ours sends: small, and nothing but fields."""

import asyncio
from urllib.parse import parse_qsl

from starlette.requests import Request

from core.errors import RequestTooLarge, RequestTooSlow, WrongParameter

LARGEST = 64 * 1024
MOST_FIELDS = 1000
PATIENCE_S = 30.0
_TYPE = "application/x-www-form-urlencoded"


class Form:
    """The fields, in their order."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self._fields = fields

    def get(self, name: str) -> str:
        """The last value of a field, without space around it; empty where there is none."""
        return next((value.strip() for known, value in reversed(self._fields) if known == name), "")

    def exact(self, name: str) -> str:
        """The last value as it is, for passwords."""
        return next((value for known, value in reversed(self._fields) if known == name), "")

    def names(self) -> list[str]:
        """Each field's name once, in order."""
        return list(dict.fromkeys(name for name, _ in self._fields))

    def all(self, name: str) -> list[str]:
        """All values of a field."""
        return [value for known, value in self._fields if known == name]


async def read_form(request: Request, *, largest: int = LARGEST) -> Form:
    """Read the body, of `largest` bytes at most.

    Raises:
        WrongParameter: it is no form, or not text.
        RequestTooLarge: it is longer than any form of ours.
        RequestTooSlow: it did not come to its end.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _TYPE:
        raise WrongParameter("content-type", "This address takes the fields of a form.")
    body = bytearray()
    try:
        async with asyncio.timeout(PATIENCE_S):
            async for piece in request.stream():
                body += piece
                if len(body) > largest:
                    raise RequestTooLarge(user_message="The form has too much in it.")
    except TimeoutError:
        raise RequestTooSlow from None
    try:
        fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise WrongParameter("form", "The form could not be read.") from None
    return Form([(name, value.replace("\0", "")) for name, value in fields])
