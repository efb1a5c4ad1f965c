"""What the chat page is told about turns and conversations."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bots.web.history import Remembered, version_of
from core.store.models import Attachment, Conversation, Turn
from core.values import AttachmentState, TurnState


def turn_view(turn: Turn, feedback: int = 0) -> dict[str, Any]:
    """One turn; `feedback` is what this visitor said of it: -1, 0 or 1.

    Timings are in milliseconds, null where not known (yet): `queue_ms` from ready to taken by a worker, the others
    from when the question arrived.
    """
    return {
        "id": turn.id,
        "seq": turn.seq,
        "state": turn.state,
        "question": turn.question,
        "answer": turn.answer,
        "thinking": turn.thinking,
        "observations": [observation_view(observation) for observation in turn.observations or ()],
        "pictures": [_picture(a) for a in turn.attachments if a.state == AttachmentState.STORED],
        # Who answered: an admin of ours, with his own words and pictures, or the model.
        "by_human": bool(turn.answered_by),
        "answer_pictures": [_picture(a) for a in turn.answer_pictures if a.state == AttachmentState.STORED],
        "refused": [
            {"name": a.name, "message": a.error_message} for a in turn.attachments if a.state == AttachmentState.REFUSED
        ],
        "error": _error(turn),
        "finish_reason": turn.finish_reason,
        "feedback": feedback,
        "model": turn.model,
        "created_at": turn.created_at.isoformat(),
        "timings": {
            "queue_ms": _milliseconds(turn.ready_at, turn.started_at),
            "first_token_ms": _milliseconds(turn.created_at, turn.first_token_at),
            "total_ms": _milliseconds(turn.created_at, turn.finished_at),
        },
        "tokens": {
            "prompt": turn.prompt_tokens,
            "picture": turn.picture_tokens,
            "cached": turn.cached_tokens,
            "completion": turn.completion_tokens,
        },
        "left_out": turn.left_out,
        "boxes": turn.boxes,
    }


def observation_view(observation: Mapping[str, Any]) -> dict[str, Any]:
    """What the eyes saw in one picture, this turn's or an earlier one; without text they could not look at it."""
    return {
        "picture": observation["picture"],
        "url": _picture_url(observation["picture"]),
        "model": observation["model"],
        "text": observation["text"],
    }


def conversation_view(found: Remembered) -> dict[str, Any]:
    """One conversation with all its turns. `human`: one answers there now; `version` changes with all of it."""
    conversation = found.conversation
    return {
        "id": conversation.id,
        "title": conversation.title,
        "human": conversation.handed_over_at is not None,
        "version": version_of(conversation),
        "turns": [turn_view(turn, found.ratings.get(turn.id, 0)) for turn in found.turns],
        "notices": [{"turn": one.turn_id, "text": one.text, "early": one.early} for one in found.notices],
    }


def listed_view(conversation: Conversation) -> dict[str, Any]:
    """One conversation in a list."""
    return {
        "id": conversation.id,
        "title": conversation.title,
        "updated_at": conversation.updated_at.isoformat(),
    }


def _picture(attachment: Attachment) -> dict[str, Any]:
    return {
        "key": attachment.blob_key,
        "url": _picture_url(attachment.blob_key),
        "width": attachment.width,
        "height": attachment.height,
        "name": attachment.name,
    }


def _picture_url(key: str) -> str:
    return f"/api/pictures/{key}"


def _error(turn: Turn) -> dict[str, str] | None:
    if turn.state != TurnState.FAILED:
        return None
    return {"code": turn.error_code, "message": turn.error_message}


def _milliseconds(start: datetime | None, end: datetime | None) -> int | None:
    if start is None or end is None:
        return None
    return max(0, round((end - start).total_seconds() * 1000))
