"""What a server answers instead of an answer, and what follows from it."""

import json
import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from openai import APIError, APIStatusError

from core.errors import ConfigurationError, ContentRefused, GlimtError, InferenceError, PromptTooLong
from core.values import utc_now

_LONGEST = 200
_LOOKED_AT = 20_000
_OVERLOADED = (429, 503, 529)
_LATER = (408, 409, 425, 429)
# The codes beside words are those of OpenAI and, in digits, of GLM's vendor (docs.z.ai, "Error codes").
_NO_CREDIT = {"insufficient_quota", "1113"}
_LOCKED = {"1110", "1111", "1112", "1121"}
_NO_MODEL = {"model_not_found", "1211"}
_TOO_LONG_CODES = {"context_length_exceeded", "exceed_context_size_error", "1261"}
_FILTERED = {"content_filter", "content_policy_violation", "1301"}
# vLLM, SGLang, llama.cpp and vendors, in that order.
_TOO_LONG = re.compile(
    r"maximum context length|model's context length|exceeds? the available context size|context window"
    r"|prompt (?:is )?too long|too many tokens|maximum (?:prompt|input) length"
)
_MODEL = re.compile(r"model\b.{0,80}(?:does not exist|not found)|unknown model|no such model|pinned to")
_COUNTED = re.compile(
    r"n_prompt_tokens\W+(\d+)|\((\d+) in the messages|(\d+) (?:input tokens|tokens from the input)"
    r"|(?:input|request|prompt) \((\d+) tokens\)|(?:resulted in|contains) (\d+) (?:input )?tokens"
)
_CONTEXT = re.compile(r"n_ctx\W+(\d+)|context (?:length|size|window)(?: is| of)? ?\(?(\d+)")


class Again(Exception):
    """There is no answer yet; the same may succeed later.

    `overloaded`: because too much is asked at once. `broke`: the server itself failed, and may do so each time.
    """

    def __init__(
        self, detail: str, after_s: float | None = None, *, overloaded: bool = False, broke: bool = False
    ) -> None:
        super().__init__(detail)
        self.after_s = after_s
        self.overloaded = overloaded
        self.broke = broke


class NoSuchModel(Exception):
    """The server does not serve the model."""


class Refused(Exception):
    """The server said something instead of an answer."""

    def __init__(self, refusal: "Refusal") -> None:
        super().__init__(refusal.words)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Refusal:
    """`status` is the HTTP status, or the code of an error inside a stream, or 0; `code` the server's own.

    `words` are the server's, short enough for a log and without what people wrote; `text` is all of it in lower case,
    to look for things in. `after_s`: when to come again, in seconds, if it said so.
    """

    status: int
    code: str
    words: str
    text: str
    after_s: float | None = None

    @classmethod
    def of(cls, error: APIError, key: str) -> "Refusal":
        """What the openai package raised. `key` is blotted out wherever it comes back."""
        body = error.body
        status, after_s = 0, None
        if isinstance(error, APIStatusError):
            status, after_s = error.status_code, _after(error.response.headers)
        elif isinstance(body, dict) and str(body.get("code", "")).isdigit():
            status = int(body["code"])
        code = str(body.get("code") or body.get("type") or "") if isinstance(body, dict) else ""
        kind = str(body.get("type") or "") if isinstance(body, dict) else ""
        text = (body if isinstance(body, str) else json.dumps(body, default=str))[:_LOOKED_AT]
        words = _words(body)
        if key:
            text, words = text.replace(key, "…"), words.replace(key, "…")
        # llama.cpp has its code in the type and the status in the code.
        return cls(status, kind if kind in _TOO_LONG_CODES else code, words, text.lower(), after_s)

    @property
    def too_long(self) -> bool:
        """Whether it is about the length of prompt and answer."""
        # A limit of tokens a minute (429) reads alike.
        return self.code in _TOO_LONG_CODES or (
            self.status not in (401, 403, 429) and bool(_TOO_LONG.search(self.text))
        )

    @property
    def counted(self) -> int | None:
        """How many tokens the prompt has, where the server says so."""
        return self._number(_COUNTED)

    @property
    def context_tokens(self) -> int | None:
        """How many tokens prompt and answer may have, where the server says so."""
        return self._number(_CONTEXT)

    def _number(self, pattern: re.Pattern[str]) -> int | None:
        found = pattern.search(re.sub(r"(?<=\d),(?=\d{3})", "", self.text))
        return int(next(filter(None, found.groups()))) if found else None

    def meaning(self, address: str) -> GlimtError | Again | NoSuchModel:
        """The error that this is. `address` is the server's, for sentences to the operator."""
        status, said = self.status, self.words or _phrase(self.status)
        if status in (401, 403):
            return ConfigurationError(
                f"The backend at {address} does not accept the key ({status}: {said}). Check GLIMT_BACKEND_KEY."
            )
        if status == 402 or self.code in _NO_CREDIT | _LOCKED:
            return ConfigurationError(f"The account at {address} must be looked after ({status}: {said}).")
        if 300 <= status < 400:
            return ConfigurationError(
                f"The backend at {address} sends us elsewhere ({status}), where the key would have to be shown. "
                "Set GLIMT_BACKEND_URL to the address that it redirects to."
            )
        if self.code in _FILTERED:
            return ContentRefused(f"filtered: {said}")
        if self.too_long or status == 413:
            return PromptTooLong(f"the backend finds it too long ({status}: {said})")
        if status == 404 or self.code in _NO_MODEL or (status in (400, 422) and _MODEL.search(self.text)):
            return NoSuchModel(f"{status}: {said}")
        if status in _LATER or status >= 500 or status == 0:
            detail = f"{status}: {said}" if status else said
            return Again(detail, self.after_s, overloaded=status in _OVERLOADED, broke=status in (0, 500))
        return InferenceError(f"the backend refused the request ({status}: {said})")


def _words(body: object) -> str:
    """The server's sentence. Details that repeat what was sent are left out: logs hold nothing that people wrote."""
    if isinstance(body, dict):
        inner = body.get("error") or body.get("message") or body.get("detail")
        return _words(inner) if inner is not body else ""
    if isinstance(body, list):
        return "; ".join(f"{e.get('loc')}: {e.get('msg')}" for e in body if isinstance(e, dict))[:_LONGEST]
    text = " ".join(str(body or "").split())
    if text.startswith("<"):
        return ""  # A page of some proxy.
    text = re.split(r"['\"]?\binput(?:_value)?\b['\"]?\s*[:=]", text)[0]
    return re.sub(r"\S{60,}", "…", text)[:_LONGEST]


def _after(headers: Any) -> float | None:
    value = headers.get("retry-after")
    try:
        return max(0.0, float(value)) if value else None
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - utc_now()).total_seconds())
    except (ValueError, TypeError):
        return None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no reason given"
