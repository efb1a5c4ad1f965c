"""People whose conversations are exported, on both databases."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.conversation.inbound import Accepted, InboundQuestion, Named
from core.conversation.intake import Intake
from core.export.chunks import Reach
from core.export.export import Export, LineOut, PictureFile
from core.export.options import ExportOptions, Given, export_options
from core.media.blobs import BlobStore
from core.media.safe_picture import SafePicture
from core.settings import Settings, load_settings
from core.store.database import Store
from core.store.outcome import Outcome
from core.store.review.filters import Wanted
from core.store.review.scope import EVERYTHING, ReadScope
from core.store.words import sought_words
from core.values import Platform, TurnState, new_id, utc_now
from tests.integration.web.site import LEASE, OWNER, picture


@dataclass
class Told:
    """A database, a blob store, and people who ask."""

    store: Store
    blobs: BlobStore
    settings: Settings

    @classmethod
    def begin(cls, store: Store, folder: Path) -> "Told":
        settings = load_settings(_env_file=None, data_dir=folder, system_prompt="Answer briefly.", redact_names="Zed")
        return cls(store, BlobStore(settings.blob_store_url), settings)

    def ask(self, question: str, *pictures: Named, thread: str = "", person: str = "ann", name: str = "") -> Accepted:
        """Commit a question."""
        inbound = InboundQuestion(
            platform=Platform.WEB,
            workspace="W1",
            person=person,
            person_name=name,
            event_key=new_id(),
            question=question,
            conversation=thread or None,
            pictures=pictures,
        )
        return Intake(self.store, self.blobs, self.settings).accept(inbound)

    def answered(self, question: str, answer: str, *pictures: Named, thread: str = "", **more: Any) -> Accepted:
        """A question with its answer; an `error_code` makes it fail."""
        asker = {key: more.pop(key) for key in ("person", "name") if key in more}
        accepted = self.ask(question, *pictures, thread=thread, **asker)
        outcome: dict[str, Any] = {"finish_reason": "stop", "model": "demo", "answer": answer, **more}
        failed = "error_code" in more
        how = Outcome(TurnState.FAILED if failed else TurnState.ANSWERED, **outcome)
        with self.store.write() as repositories:
            turn = repositories.turns.claim(accepted.turn_id, OWNER, utc_now(), utc_now() + LEASE)
            assert turn is not None
            repositories.turns.finish(turn.id, OWNER, turn.attempt, how, utc_now())
        return accepted

    def rated(self, accepted: Accepted, rating: int, reason: str = "") -> None:
        """Feedback of whoever asked."""
        with self.store.write() as repositories:
            repositories.feedback.set(accepted.turn_id, accepted.person_id, rating, reason, now=utc_now())

    def export(
        self, *, q: str = "", wanted: Wanted | None = None, scope: ReadScope = EVERYTHING, **words: Any
    ) -> Export:
        """One that was not read yet."""
        redact, names = words.pop("redact", ()), words.pop("names", ())
        options: ExportOptions = export_options(Given(words, redact, names))
        reach = Reach(scope, wanted or Wanted(), sought_words(q), words.get("admin_id", ""))
        return Export(self.store, self.blobs, self.settings, reach, options)


def safe(name: str = "chart.png", colour: str = "red", size: tuple[int, int] = (32, 24)) -> Named:
    """A picture as the reader process leaves it."""
    return Named(name, SafePicture.of(picture(colour, size=size), "image/png", *size))


def lines_of(export: Export) -> list[dict[str, Any]]:
    """All lines."""
    return [json.loads(piece.data) for piece in export.pieces() if isinstance(piece, LineOut)]


def split(export: Export) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    """All lines, and the files beside them."""
    lines, files = [], {}
    for piece in export.pieces():
        if isinstance(piece, PictureFile):
            files[piece.name] = piece.data
        else:
            lines.append(json.loads(piece.data))
    return lines, files


def texts(messages: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Roles and words; a picture is `#`."""
    return [(m["role"], "".join("#" if p["type"] == "image" else p["text"] for p in m["content"])) for m in messages]


def matches(value: Any, kind: Any, optional: frozenset[str] = frozenset({"text", "path", "url"})) -> Iterator[str]:
    """Where `value` is not as the description says (`core.export.card.fields`)."""
    kinds = {"string": str, "int64": int, "float64": float, "bool": bool}
    if isinstance(kind, str):
        if type(value) is not kinds[kind]:
            yield f"{value!r} is no {kind}"
    elif isinstance(kind, list):
        if not isinstance(value, list):
            yield f"{value!r} is no list"
        else:
            for each in value:
                yield from matches(each, kind[0])
    elif not isinstance(value, dict):
        yield f"{value!r} is no object"
    else:
        missing = set(kind) - set(value) - optional
        if missing or set(value) - set(kind):
            yield f"{set(value) ^ set(kind)} of {value!r}"
        for name in set(value) & set(kind):
            yield from matches(value[name], kind[name])
