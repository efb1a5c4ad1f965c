"""All that is stored about one person, as one archive with a readable index: GDPR, articles 15 and 20.

What others said stays with them: of those who rated or reviewed his answers their words are here, but not their names,
and of threads that he shared only his own questions.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from typing import IO, Any

from core.errors import NotFound
from core.export import told_html
from core.export.archive import Archive, spool
from core.export.card import MANIFEST
from core.export.options import Pictures
from core.export.taken import Taken, take
from core.media.blobs import BlobStore
from core.store.database import Repositories, Store
from core.store.models import Attachment, Conversation, Feedback, Usage
from core.store.personal import PAGE, PersonalTurn, Profile
from core.store.review.remarks import Said
from core.values import utc_now

FORMAT = "glimt-person-1"


class PersonExport:
    """Made once, piece by piece, in the caller's thread. `still`: called before each page; raises to end it.

    Raises:
        NotFound: there is no such person.
        StoreError: the database is away.
    """

    def __init__(
        self, store: Store, blobs: BlobStore, person_id: str, *, still: Callable[[], None] = lambda: None
    ) -> None:
        with store.read() as repositories:
            profile = repositories.personal.profile(person_id)
        if profile is None:
            raise NotFound(user_message="There is no such person.")
        self.profile = profile
        self.begun_at = utc_now()
        self.counts: dict[str, Any] = {"conversations": 0, "questions": 0, "pictures": 0, "ratings": 0, "attempts": 0}
        self._missing: list[dict[str, str]] = []
        self._store = store
        self._blobs = blobs
        self._id = person_id
        self._still = still

    def pieces(self) -> Iterator[bytes]:
        """The archive.

        Raises:
            StoreError: the database or the blob store is away.
        """
        with Archive(self.begun_at) as archive, closing(spool()) as lines, closing(spool()) as index:
            yield from archive.add_json("profile.json", _profile(self.profile))
            yield from archive.take(1)
            index.write(_encoded(told_html.begin(_short(self.profile), self.begun_at)))
            for turn in self._turns():
                yield from self._add(turn, archive, lines, index)
            for name, kind, read, describe in _TABLES:
                with closing(spool()) as rows:
                    for row in self._pages(read):
                        rows.write(_line(describe(row)))
                        self.counts[kind] += 1
                    yield from archive.add_spool(name, rows)
            yield from archive.add_spool("turns.jsonl", lines)
            index.write(_encoded(told_html.end(self.counts)))
            yield from archive.add_spool("index.html", index)
            yield from archive.add_json(MANIFEST, self._manifest())
            yield from archive.finish()

    def _add(self, turn: PersonalTurn, archive: Archive, lines: IO[bytes], index: IO[bytes]) -> Iterator[bytes]:
        files: list[tuple[str, bytes]] = []
        asked = [self._take(attachment, files) for attachment in turn.record.turn.attachments]
        own = [self._take(attachment, files) for attachment in turn.record.turn.answer_pictures]
        for name, data in files:
            yield from archive.add(name, data, compress=False)
        told = _turn(turn, [*(_picture(p, "question") for p in asked), *(_picture(p, "answer") for p in own)])
        lines.write(_line(told))
        index.write(_encoded(told_html.turn(told)))
        self.counts["questions"] += 1

    def _take(self, attachment: Attachment, files: list[tuple[str, bytes]]) -> Taken:
        taken = take(attachment, Pictures.FILES, self._blobs, lambda *file: files.append(file))
        self.counts["pictures"] += bool(taken.place)
        if taken.is_missing:
            self._missing.append({"turn": attachment.turn_id, "picture": attachment.id, "why": taken.why})
        return taken

    def _turns(self) -> Iterator[PersonalTurn]:
        after, more = "", True
        while more:
            self._still()
            with self._store.read() as repositories:
                page = repositories.personal.turns(self._id, after=after)
            yield from page
            more = len(page) == PAGE
            after = page[-1].record.turn.id if page else after

    def _pages(self, read: Callable[[Repositories, str, str], list[Any]]) -> Iterator[Any]:
        after, more = "", True
        while more:
            self._still()
            with self._store.read() as repositories:
                page = read(repositories, self._id, after)
            yield from page
            more = len(page) == PAGE
            after = page[-1].id if page else after

    def _manifest(self) -> dict[str, Any]:
        told = {"format": FORMAT, "begun_at": self.begun_at.isoformat(), "ended_at": utc_now().isoformat()}
        return told | self.counts | {"missing": self._missing}


def _read_conversations(repositories: Repositories, person_id: str, after: str) -> list[Conversation]:
    return repositories.personal.conversations(person_id, after=after)


def _read_feedback(repositories: Repositories, person_id: str, after: str) -> list[Feedback]:
    return repositories.personal.feedback(person_id, after=after)


def _read_usage(repositories: Repositories, person_id: str, after: str) -> list[Usage]:
    return repositories.personal.usage(person_id, after=after)


def _short(profile: Profile) -> dict[str, Any]:
    person, workspace = profile.person, profile.workspace
    return {
        "name": person.display_name,
        "id": person.external_id,
        "platform": workspace.platform,
        "workspace": workspace.name or workspace.external_id,
        "language": person.language or person.locale,
        "known since": f"{person.created_at:%Y-%m-%d}",
        "keys": [key.name for key in profile.keys],
    }


def _profile(profile: Profile) -> dict[str, Any]:
    person, workspace = profile.person, profile.workspace
    return {
        "id": person.id,
        "platform": workspace.platform,
        "workspace": {"id": workspace.external_id, "name": workspace.name},
        "platform_id": person.external_id,
        "name": person.display_name,
        "locale": person.locale,
        "language": person.language,
        "known_since": _at(person.created_at),
        "keys": [
            {
                "name": key.name,
                "created_at": _at(key.created_at),
                "last_used_at": _at(key.last_used_at),
                "revoked_at": _at(key.revoked_at),
            }
            for key in profile.keys
        ],
        "browsers": [
            {"created_at": _at(browser.created_at), "expires_at": _at(browser.expires_at)}
            for browser in profile.browsers
        ],
        "erasures": [
            {"at": _at(e.created_at), "questions": e.turns, "conversations": e.conversations, "pictures": e.pictures}
            for e in profile.erasures
        ],
        # Without the tokens, which are the workspace's and nobody's data.
        "slack_installations": [
            {"team": i.team_id or "", "installed_at": i.installed_at.isoformat(), "user_scopes": i.user_scopes or ""}
            for i in profile.installations
        ],
        "telegram_business": [
            {"id": b.id, "bot": b.bot_id, "chat": str(b.owner_chat_id), "enabled": b.enabled, "can_reply": b.can_reply}
            for b in profile.business
        ],
    }


def _turn(personal: PersonalTurn, pictures: list[dict[str, Any]]) -> dict[str, Any]:
    record, turn = personal.record, personal.record.turn
    remarks = record.remarks
    return {
        "id": turn.id,
        "conversation": turn.conversation_id,
        "thread": personal.conversation.external_id,
        "number": turn.seq,
        "state": turn.state,
        "question": turn.question,
        "answer": turn.answer,
        "answered_by": "human" if turn.answered_by else "model",
        "thinking": turn.thinking,
        "observations": turn.observations,
        "boxes": turn.boxes,
        "options": turn.options,
        "error": turn.error_message,
        "model": turn.model,
        "prompt_tokens": turn.prompt_tokens,
        "picture_tokens": turn.picture_tokens,
        "completion_tokens": turn.completion_tokens,
        "asked_at": _at(turn.created_at),
        "answered_at": _at(turn.finished_at),
        "delivered_at": _at(turn.delivered_at),
        "pictures": pictures,
        "feedback": [
            {"rating": r.rating, "reason": r.reason, "at": _at(r.at), "yours": r.person_id == turn.person_id}
            for r in record.feedback
        ],
        "labels": sorted({said.text for said in remarks.labels}),
        "flags": _said(remarks.flags),
        "notes": _said(remarks.notes),
        "corrections": _said(remarks.corrections),
        "judgements": _said(remarks.judgements),
        "deliveries": [
            {
                "platform": d.platform,
                "kind": d.kind,
                "state": d.state,
                "message": d.external_id,
                "sent_at": _at(d.sent_at),
            }
            | {"where": d.target}
            for d in personal.deliveries
        ],
        "messages": [post.external_id for post in personal.posts],
        "events": [event.event_key for event in personal.events],
    }


def _said(remarks: list[Said]) -> list[dict[str, str]]:
    return [{"text": said.text, "at": _at(said.at)} for said in remarks]


def _picture(taken: Taken, of: str) -> dict[str, Any]:
    attachment = taken.attachment
    sizes = {"width": attachment.width, "height": attachment.height, "bytes": attachment.byte_size}
    return {"of": of, "file": taken.place, "name": attachment.name, **sizes, "why_not": taken.why}


def _conversation(conversation: Conversation) -> dict[str, Any]:
    return {
        "id": conversation.id,
        "thread": conversation.external_id,
        "title": conversation.title,
        "system_prompt": conversation.system_prompt,
        "created_at": _at(conversation.created_at),
        "updated_at": _at(conversation.updated_at),
    }


def _feedback(feedback: Feedback) -> dict[str, Any]:
    rated = {"turn": feedback.turn_id, "rating": feedback.rating, "reason": feedback.reason}
    return rated | {"at": _at(feedback.created_at)}


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "turn": usage.turn_id,
        "attempt": usage.attempt,
        "model": usage.model,
        "prompt_tokens": usage.prompt_tokens,
        "picture_tokens": usage.picture_tokens,
        "cached_tokens": usage.cached_tokens,
        "completion_tokens": usage.completion_tokens,
        "engine_s": usage.engine_s,
        "at": _at(usage.created_at),
    }


# File, count, how it is read, how it is told.
_TABLES: tuple[tuple[str, str, Callable[[Repositories, str, str], list[Any]], Callable[[Any], dict[str, Any]]], ...] = (
    ("conversations.jsonl", "conversations", _read_conversations, _conversation),
    ("feedback.jsonl", "ratings", _read_feedback, _feedback),
    ("usage.jsonl", "attempts", _read_usage, _usage),
)


def _at(at: datetime | None) -> str:
    return "" if at is None else at.isoformat()


def _line(told: dict[str, Any]) -> bytes:
    return _encoded(json.dumps(told, ensure_ascii=False) + "\n")


def _encoded(text: str) -> bytes:
    # Text in SQL may hold what UTF-8 cannot.
    return text.encode("utf-8", "replace")
