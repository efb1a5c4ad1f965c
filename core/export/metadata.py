"""What is told beside the messages: where and when, who, what reviewers said, what is not there and why.

Every field is in every line with one type, so that a table can be made of them.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from core.export.exchange import Exchange
from core.export.redaction import Redactor
from core.export.taken import Taken
from core.store.review.export import Head, Rated
from core.store.review.remarks import Said


def describe_conversation(head: Head, part: int, mode: str, redactor: Redactor) -> dict[str, Any]:
    """The conversation; `mode` is who answers there now.

    Where nobody is to be known, the platform's own names of places and threads stay out.
    """
    conversation, workspace, place = head.conversation, head.workspace, head.place
    hidden = redactor.names
    return {
        "conversation": conversation.id,
        "part": part,
        "platform": workspace.platform,
        "workspace": "" if hidden else redactor.text(workspace.name or workspace.external_id),
        "place": "" if hidden or place is None else place.external_id,
        "mode": mode,
        "title": redactor.text(conversation.title),
        "state": conversation.review_state,
        "created_at": _at(conversation.created_at),
        "updated_at": _at(conversation.updated_at),
    }


def describe_turns(exchanges: Sequence[Exchange], redactor: Redactor) -> dict[str, list[dict[str, Any]]]:
    """Those that are in the messages, and those that are not."""
    kept = [describe_turn(exchange, redactor) for exchange in exchanges if not exchange.left_out]
    left_out = [
        {"turn": e.record.turn.id, "number": e.record.turn.seq, "why": e.left_out} for e in exchanges if e.left_out
    ]
    return {"turns": kept, "left_out": left_out}


def describe_turn(exchange: Exchange, redactor: Redactor) -> dict[str, Any]:
    """One turn, whose own texts are redacted. `original` is what was said, where the messages say something else."""
    record, turn = exchange.record, exchange.record.turn
    return {
        "turn": turn.id,
        "number": turn.seq,
        "person": turn.person_id,
        "name": "" if redactor.names else redactor.text(record.person),
        "state": turn.state,
        "model": turn.model,
        "answered_by": "human" if turn.answered_by else "model",
        "asked_at": _at(turn.created_at),
        "answered_at": _at(turn.finished_at),
        "corrected": exchange.corrected,
        "original": exchange.original if exchange.corrected else "",
        "correction": exchange.correction,
        "thinking": redactor.text(turn.thinking),
        "rating": record.rating,
        "feedback": [_feedback(rated, redactor) for rated in record.feedback],
        "labels": sorted({redactor.text(said.text) for said in record.remarks.labels}),
        "flags": [_remark(said, redactor) for said in record.remarks.flags],
        "notes": [_remark(said, redactor) for said in record.remarks.notes],
        "judgements": [_remark(said, redactor) for said in record.remarks.judgements],
        "boxes": [_box(box, redactor) for box in turn.boxes],
        "pictures": [
            *(_picture(picture, "question", redactor) for picture in exchange.pictures),
            *(_picture(picture, "answer", redactor) for picture in exchange.answer_pictures),
        ],
        "prompt_tokens": turn.prompt_tokens,
        "completion_tokens": turn.completion_tokens,
    }


def _feedback(rated: Rated, redactor: Redactor) -> dict[str, Any]:
    return {"person": rated.person_id, "rating": rated.rating, "reason": redactor.text(rated.reason)}


def _remark(said: Said, redactor: Redactor) -> dict[str, str]:
    by = "" if redactor.names else redactor.text(said.admin)
    return {"by": by, "at": said.at.isoformat(), "text": redactor.text(said.text)}


def _picture(picture: Taken, of: str, redactor: Redactor) -> dict[str, Any]:
    attachment = picture.attachment
    place = "" if picture.place.startswith("data:") else picture.place
    return {
        "of": of,
        "file": place,
        "name": redactor.text(attachment.name),
        "width": attachment.width,
        "height": attachment.height,
        "why_not": picture.why,
    }


def _box(box: dict[str, Any], redactor: Redactor) -> dict[str, Any]:
    sides = {side: float(box.get(side, 0.0)) for side in ("left", "top", "right", "bottom")}
    return {"label": redactor.text(str(box.get("label", ""))), **sides}


def _at(at: datetime | None) -> str:
    return "" if at is None else at.isoformat()
