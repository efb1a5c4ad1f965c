"""The text or caption of a call, read as Telegram reads it."""

from __future__ import annotations

from tests.fakes.telegram.entities import CAPTION_LIMIT, TEXT_LIMIT, checked, found, tidy, trimmed, units
from tests.fakes.telegram.html import parse_html
from tests.fakes.telegram.markdown import parse_markdown
from tests.fakes.telegram.refusal import Refusal
from tests.fakes.telegram.state import Json

# Nobody would see a message of these alone.
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad \n"


def read_text(arguments: Json, *, empty: bool = False) -> tuple[str, list[Json]]:
    """`text`, as it is after its entities were parsed, and the entities.

    Raises:
        Refusal: it cannot be parsed, is empty (unless `empty`) or too long.
    """
    text, entities = _read(arguments.get("text", ""), arguments.get("parse_mode", ""), arguments.get("entities"))
    if not empty and not text.strip(_INVISIBLE):
        raise Refusal("message text is empty", fault="an empty message")
    if units(text) > TEXT_LIMIT:
        raise Refusal("message is too long", fault=f"a message of {units(text)} characters")
    return text, entities


def read_caption(given: Json) -> tuple[str, list[Json]]:
    """`caption` likewise, of a call or of one InputMedia. It may be empty.

    Raises:
        Refusal: it cannot be parsed or is too long.
    """
    text, entities = _read(given.get("caption", ""), given.get("parse_mode", ""), given.get("caption_entities"))
    if units(text) > CAPTION_LIMIT:
        raise Refusal("message caption is too long", fault=f"a caption of {units(text)} characters")
    return text, entities


def _read(source: str, mode: str, given: list[Json] | None) -> tuple[str, list[Json]]:
    if "\x00" in source:
        raise Refusal("strings must be encoded in UTF-8", fault="a text with NUL")
    if mode and given is not None:
        # The server takes parse_mode and forgets the entities.
        raise Refusal("parse_mode beside entities", fault="parse_mode beside entities")
    kind = mode.lower()
    if kind == "html":
        text, entities = parse_html(source)
    elif kind == "markdownv2":
        text, entities = parse_markdown(source)
    elif kind:
        raise Refusal("unsupported parse_mode", fault=f"parse_mode {mode}, which is unknown or out of date")
    else:
        text, entities = source, checked(source, given) if given is not None else []
    text, entities = trimmed(text, entities)
    taken = [(entity["offset"], entity["offset"] + entity["length"]) for entity in entities]
    # Links, mentions and commands are found in every text, but not where there are entities already.
    extra = [one for one in found(text) if all(one["offset"] >= end or one["offset"] < start for start, end in taken)]
    return text, tidy([*entities, *extra])
