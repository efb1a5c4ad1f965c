"""Fields beyond the core of the API: sent until the server refuses them, then never again."""

import re
from typing import Any

import structlog

from core.inference.openai_backend.refusal import Refusal

log = structlog.get_logger(__name__)

# An answer without them is still an answer to the question.
_EXTRA = frozenset(
    {
        *("stream_options", "chat_template_kwargs", "thinking", "seed"),
        *("top_k", "repetition_penalty", "repeat_penalty"),
    }
)
# OpenAI's newer models know the limit under another name only.
_RENAMED = {"max_tokens": "max_completion_tokens"}
_UNKNOWN = re.compile(
    r"un(?:expected|known|supported|recogni[sz]ed)|not (?:supported|permitted|allowed)|extra|forbidden"
)


class FieldMemory:
    """What one server has refused. Belongs to one event loop."""

    def __init__(self) -> None:
        self._refused: set[str] = set()

    def trial(self, wanted: dict[str, Any]) -> "FieldTrial":
        """One request with the fields that it would like to have."""
        return FieldTrial(wanted, self._refused)


class FieldTrial:
    """The fields of one request, fewer after each refusal."""

    def __init__(self, wanted: dict[str, Any], refused: set[str]) -> None:
        self._wanted = wanted
        self._refused = refused
        self._dropped: set[str] = set()
        self._unknown: set[str] = set()

    def fields(self) -> dict[str, Any]:
        """What to send now."""
        kept = {}
        for name, value in self._wanted.items():
            if name not in self._refused | self._dropped:
                kept[name] = value
            elif name in _RENAMED:
                kept[_RENAMED[name]] = value
        return kept

    def drop(self, refusal: Refusal) -> bool:
        """Leave out what `refusal` is about; False: nothing that could be left out explains it.

        A field that it names, else all that could be meant.
        """
        if refusal.status not in (400, 422):
            return False
        sent = self.fields().keys()
        named = {name for name in sent & (_EXTRA | _RENAMED.keys()) if _names(refusal.text, name)}
        dropped = named or set(sent & _EXTRA)
        self._dropped |= dropped
        # A value that was refused says nothing of the field: the next request may have it.
        if not named or _UNKNOWN.search(refusal.text):
            self._unknown |= dropped
        return bool(dropped)

    def accepted(self) -> None:
        """The server took what was left: what it did not know is not sent again by any request."""
        if self._unknown:
            log.warning("backend_refuses_fields", fields=sorted(self._unknown))
            self._refused |= self._unknown
            self._unknown = set()


def _names(text: str, name: str) -> bool:
    return re.search(rf"(?<!\w){name}(?!\w)", text) is not None
