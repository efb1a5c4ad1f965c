"""Text from strangers, before it goes to SQL."""

import re

from core.errors import NotFound

_ID = re.compile(r"[0-9a-f]{32}")
FILE_NAME_CHARS = 200


def clean(text: str) -> str:
    """`text` without what no database stores: NUL goes, lone surrogates (legal in JSON) become U+FFFD."""
    return text.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def plain_lines(text: str) -> str:
    """`text` with each line end as one newline: forms send `\\r\\n`."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def file_name(name: str | None) -> str:
    """The last part of a client's path, printable and not too long."""
    last = clean(name or "").replace("\\", "/").rpartition("/")[2]
    printable = "".join(c for c in last if c.isprintable()).strip()
    return printable[-FILE_NAME_CHARS:] or "picture"


def known_id(text: str) -> str:
    """`text` if it can be one of our ids.

    Raises:
        NotFound: it cannot, so there is no such thing.
    """
    if not _ID.fullmatch(text):
        raise NotFound
    return text
