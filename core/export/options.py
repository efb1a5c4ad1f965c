"""How conversations are written: one vocabulary for the console's page, its REST address and the command line."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from core.errors import WrongParameter


class Kind(StrEnum):
    """What one line holds."""

    # A conversation.
    CHAT = "chat"
    # A corrected answer beside the original one (preference, DPO).
    PAIRS = "pairs"
    # An answer and whether it is good (unpaired preference, KTO).
    RATINGS = "ratings"


class Shape(StrEnum):
    """How pictures stand in messages; docs/adr/0025 says which tool reads which."""

    # `{"type": "image"}` in the content, the pictures in their order in `images`: TRL.
    PARTS = "parts"
    # `<image>` in the text, the pictures in `images`: LLaMA-Factory, ms-swift.
    TAGS = "tags"
    # The picture itself in the content: axolotl, transformers' `apply_chat_template`.
    INLINE = "inline"


class Pictures(StrEnum):
    """Where pictures go."""

    FILES = "files"
    DATA_URLS = "data-urls"
    NONE = "none"


class Answers(StrEnum):
    """Which answer counts where a reviewer has corrected one."""

    CORRECTED = "corrected"
    ORIGINAL = "original"


class Redact(StrEnum):
    """What is taken out of texts."""

    EMAIL = "email"
    PHONE = "phone"
    CARD = "card"
    IBAN = "iban"
    ID = "id"
    NAME = "name"


class Container(StrEnum):
    """What the whole is sent as."""

    ZIP = "zip"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What is chosen, beside the filters. `names` are further names to take out."""

    kind: Kind = Kind.CHAT
    shape: Shape = Shape.PARTS
    pictures: Pictures = Pictures.FILES
    answers: Answers = Answers.CORRECTED
    # Only conversations with a good answer, up to the last of them, without bad ones.
    good: bool = False
    redact: frozenset[Redact] = frozenset()
    names: tuple[str, ...] = ()
    container: Container = Container.ZIP

    def said(self) -> dict[str, object]:
        """For the audit log and the manifest."""
        said: dict[str, object] = {"kind": str(self.kind), "shape": str(self.shape), "pictures": str(self.pictures)}
        said |= {"answers": str(self.answers), "good": self.good, "container": str(self.container)}
        return said | {"redacted": sorted(str(word) for word in self.redact), "further_names": len(self.names)}


@dataclass(frozen=True, slots=True)
class Given:
    """Words of somebody who asks, by the names in `FIELDS`."""

    words: Mapping[str, str] = field(default_factory=dict)
    redact: Collection[str] = ()
    names: tuple[str, ...] = ()


FIELDS = ("kind", "shape", "images", "answers", "good", "redact", "format")
_Word = TypeVar("_Word", bound=StrEnum)


def export_options(given: Given) -> ExportOptions:
    """What these words choose. Pictures cannot be redacted, so with redaction they are left out unless asked for.

    Raises:
        WrongParameter: a word is unknown, or two do not go together.
    """
    redact = _redact(given.redact)
    words = given.words
    container = _one(Container, "format", words.get("format", ""), Container.ZIP)
    usual = Pictures.NONE if redact or container is Container.JSONL else Pictures.FILES
    options = ExportOptions(
        kind=_one(Kind, "kind", words.get("kind", ""), Kind.CHAT),
        shape=_one(Shape, "shape", words.get("shape", ""), Shape.PARTS),
        pictures=_one(Pictures, "images", words.get("images", ""), usual),
        answers=_one(Answers, "answers", words.get("answers", ""), Answers.CORRECTED),
        good=words.get("good", "") == "1",
        redact=redact,
        names=given.names,
        container=container,
    )
    if options.container is Container.JSONL and options.pictures is Pictures.FILES:
        raise WrongParameter("images", "A single JSONL file has no pictures beside it: take data-urls, none, or a zip.")
    return options


def _redact(words: Iterable[str]) -> frozenset[Redact]:
    chosen: set[Redact] = set()
    for word in (part.strip() for given in words for part in given.split(",")):
        if word == "all":
            chosen.update(Redact)
        elif word and word != "none":
            chosen.add(_one(Redact, "redact", word, Redact.EMAIL, also="all, none"))
    return frozenset(chosen)


def _one(words: type[_Word], name: str, word: str, usual: _Word, also: str = "") -> _Word:
    make: Callable[[str], _Word] = words
    try:
        return make(word) if word else usual
    except ValueError:
        known = ", ".join([*words, *([also] if also else [])])
        raise WrongParameter(name, f"{name} knows no “{word[:40]}”. It is one of: {known}.") from None
