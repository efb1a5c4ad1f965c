"""A client's `messages` → what was said before, and the question. Nothing is fetched or decoded here."""

from dataclasses import dataclass, field
from typing import Any

from core.errors import WrongParameter
from serving.text import clean, plain_lines

# A conversation longer than this fits no model; the numbers bound the work that one request can cause.
MAX_MESSAGES = 1000
MAX_PICTURES = 100
MAX_HISTORY_CHARS = 1_000_000
MAX_SYSTEM_CHARS = 32_000


@dataclass(frozen=True, slots=True)
class PictureRef:
    """A picture that a message names: `url` as sent, `where` its path in the request, `number` from 1."""

    number: int
    where: str
    url: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question of earlier and its answer."""

    question: str
    pictures: tuple[PictureRef, ...]
    answer: str


@dataclass(frozen=True, slots=True)
class Dialogue:
    """The whole request in our words."""

    system: str
    past: tuple[Exchange, ...]
    question: str
    pictures: tuple[PictureRef, ...]

    def all_pictures(self) -> list[PictureRef]:
        """In the order of the messages."""
        return [ref for exchange in self.past for ref in exchange.pictures] + list(self.pictures)


@dataclass(slots=True)
class _Collector:
    """Merges neighbouring messages of one role and pairs questions with answers."""

    system: list[str] = field(default_factory=list)
    past: list[Exchange] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    pictures: list[PictureRef] = field(default_factory=list)
    answered: list[str] | None = None
    pictures_seen: int = 0

    def user(self, text: str, pictures: list[PictureRef]) -> None:
        if self.answered is not None:
            self.past.append(Exchange(_joined(self.asked), tuple(self.pictures), _joined(self.answered)))
            self.asked, self.pictures, self.answered = [], [], None
        self.asked.append(plain_lines(text))
        self.pictures += pictures

    def assistant(self, text: str) -> None:
        self.answered = [*(self.answered or ()), text]


def parse_messages(messages: object) -> Dialogue:
    """Check and sort `messages`.

    Raises:
        WrongParameter: naming the message and the part that cannot be understood.
    """
    if not isinstance(messages, list) or not messages:
        raise WrongParameter("messages", "messages must be a list with at least one message.")
    if len(messages) > MAX_MESSAGES:
        raise WrongParameter("messages", f"There are more than {MAX_MESSAGES} messages.")
    collector = _Collector()
    for index, message in enumerate(messages):
        _take(collector, message, f"messages[{index}]")
    if collector.answered is not None or not collector.asked:
        raise WrongParameter("messages", "The last message must be of role user: it is the question.")
    dialogue = Dialogue(
        _joined(collector.system), tuple(collector.past), _joined(collector.asked), tuple(collector.pictures)
    )
    if len(dialogue.system) > MAX_SYSTEM_CHARS:
        raise WrongParameter("messages", f"The system messages have more than {MAX_SYSTEM_CHARS:,} characters.")
    if sum(len(e.question) + len(e.answer) for e in dialogue.past) > MAX_HISTORY_CHARS:
        raise WrongParameter("messages", f"The earlier messages have more than {MAX_HISTORY_CHARS:,} characters.")
    return dialogue


def _take(collector: _Collector, message: object, where: str) -> None:
    if not isinstance(message, dict):
        raise WrongParameter(where, f"{where} must be an object with role and content.")
    role = message.get("role")
    if role in ("system", "developer"):
        collector.system.append(plain_lines(_content(collector, message, where)[0]))
    elif role == "user":
        collector.user(*_content(collector, message, where))
    elif role == "assistant":
        for unknown in ("tool_calls", "function_call", "audio"):
            if message.get(unknown):
                raise WrongParameter(f"{where}.{unknown}", f"{where}.{unknown}: tools and audio are not supported.")
        # Left as it came: it must equal the stored answer.
        collector.assistant(_content(collector, message, where)[0])
    else:
        raise WrongParameter(f"{where}.role", f"{where}.role must be system, developer, user or assistant.")


def _content(collector: _Collector, message: dict[str, Any], where: str) -> tuple[str, list[PictureRef]]:
    content = message.get("content")
    if isinstance(content, str):
        return clean(content), []
    if content is None and message["role"] == "assistant":
        return clean(_text(message.get("refusal") or "", f"{where}.refusal")), []
    if not isinstance(content, list):
        raise WrongParameter(f"{where}.content", f"{where}.content must be text or a list of parts.")
    texts: list[str] = []
    pictures: list[PictureRef] = []
    for index, part in enumerate(content):
        here = f"{where}.content[{index}]"
        if not isinstance(part, dict):
            raise WrongParameter(here, f"{here} must be an object with a type.")
        kind = part.get("type")
        if kind in ("text", "refusal"):
            texts.append(clean(_text(part.get(kind), f"{here}.{kind}")))
        elif kind == "image_url" and message["role"] == "user":
            pictures.append(_picture(collector, part.get("image_url"), here))
        elif kind == "image_url":
            raise WrongParameter(here, f"{here}: only messages of role user can have pictures.")
        else:
            raise WrongParameter(f"{here}.type", f"{here}.type must be text or image_url; others are not supported.")
    return "\n".join(texts), pictures


def _picture(collector: _Collector, image: object, where: str) -> PictureRef:
    # Some clients send the address itself instead of an object that holds it.
    url = image.get("url") if isinstance(image, dict) else image
    if not isinstance(url, str) or not url:
        raise WrongParameter(f"{where}.image_url", f"{where}.image_url must have a url.")
    collector.pictures_seen += 1
    if collector.pictures_seen > MAX_PICTURES:
        raise WrongParameter("messages", f"There are more than {MAX_PICTURES} pictures in all messages together.")
    return PictureRef(collector.pictures_seen, f"{where}.image_url", url)


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise WrongParameter(where, f"{where} must be text.")
    return value


def _joined(texts: list[str]) -> str:
    return "\n\n".join(text for text in texts if text)
