"""The fields beside `messages`: how to answer."""

import json
import math
from dataclasses import dataclass
from typing import Any

from bots.web.model_name import served_model
from bots.web.openai_api.messages import Dialogue, parse_messages
from core.errors import ModelNotFound, RequestError, WrongParameter
from core.settings import Settings
from serving.text import clean

# What would change the answer if it were obeyed; accepted only with a value that asks for nothing.
_NOTHING: dict[str, tuple[object, ...]] = {
    "n": (None, 1),
    "tools": (None, []),
    "functions": (None, []),
    "tool_choice": (None, "none", "auto"),
    "function_call": (None, "none", "auto"),
    "audio": (None,),
    "modalities": (None, ["text"]),
    "response_format": (None, {"type": "text"}),
    "logprobs": (None, False),
    "top_logprobs": (None, 0),
    "logit_bias": (None, {}),
    "presence_penalty": (None, 0),
    "frequency_penalty": (None, 0),
    "prediction": (None,),
    "web_search_options": (None,),
}
MAX_STOPS = 4
MAX_USER_CHARS = 100
MAX_STOP_CHARS = 100
LARGEST_SEED = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Wanted:
    """One request, understood. `options` are fields of `core.inference.port.Sampling`; `user` is its end user."""

    dialogue: Dialogue
    user: str
    options: dict[str, Any]
    stream: bool
    include_usage: bool


def parse_json(body: bytes) -> dict[str, Any]:
    """The object in a request's body.

    Raises:
        RequestError: it is no JSON object.
    """
    try:
        content = json.loads(body, parse_constant=_no_constant)
    # Deep nesting exhausts the stack, endless digits the limit on integers; both come as these.
    except (ValueError, RecursionError):
        raise RequestError(user_message="The body is not valid JSON.") from None
    if not isinstance(content, dict):
        raise RequestError(user_message="The body must be a JSON object.")
    return content


def parse_request(content: dict[str, Any], settings: Settings) -> Wanted:
    """Check every field that matters. Unknown ones are let through, as other servers do.

    Raises:
        ModelNotFound: another model than the served one is wanted.
        WrongParameter: a field is wrong, or asks for what Glimt cannot do.
    """
    check_model(content.get("model"), settings)
    for name, harmless in _NOTHING.items():
        if name in content and not any(_same(content[name], value) for value in harmless):
            raise WrongParameter(name, f"{name} is not supported here with this value. Leave it out.")
    stream = _flag(content, "stream")
    usage = content.get("stream_options")
    if usage is not None and not isinstance(usage, dict):
        raise WrongParameter("stream_options", "stream_options must be an object.")
    return Wanted(
        dialogue=parse_messages(content.get("messages")),
        user=_user(content.get("user")),
        options=_options(content, settings),
        stream=stream,
        include_usage=stream and usage is not None and usage.get("include_usage") is True,
    )


def check_model(name: object, settings: Settings) -> None:
    """Whether `name` is the served model; a client that names none gets it too.

    Raises:
        ModelNotFound: it is another one.
    """
    served = served_model(settings)
    if name is not None and name != served:
        raise ModelNotFound(user_message=f"There is no such model here. The served one is {served!r}.")


def _options(content: dict[str, Any], settings: Settings) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for name in ("max_completion_tokens", "max_tokens"):
        if content.get(name) is not None:
            # More than the operator allows is cut to that; the answer's finish_reason tells.
            wanted = int(_number(content, name, 1, math.inf, whole=True))
            options["max_new_tokens"] = min(wanted, settings.max_new_tokens)
            break
    if content.get("temperature") is not None:
        options["temperature"] = float(_number(content, "temperature", 0, 2))
    if content.get("top_p") is not None:
        top_p = float(_number(content, "top_p", 0, 1))
        # 0 keeps the likeliest token alone, which is what greedy sampling does.
        options |= {"top_p": top_p} if top_p > 0 else {"temperature": 0.0}
    if content.get("top_k") is not None:
        options["top_k"] = max(0, int(_number(content, "top_k", -1, 1_000_000, whole=True)))
    if content.get("repetition_penalty") is not None:
        options["repetition_penalty"] = float(_number(content, "repetition_penalty", 0.1, 10))
    if content.get("seed") is not None:
        options["seed"] = int(_number(content, "seed", -LARGEST_SEED, LARGEST_SEED, whole=True))
    if stops := _stops(content.get("stop")):
        options["stop"] = stops
    return options


def _user(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > MAX_USER_CHARS or not value.isprintable():
        raise WrongParameter("user", f"user must be text of at most {MAX_USER_CHARS} printable characters.")
    return value


def _stops(value: object) -> list[str]:
    stops = [value] if isinstance(value, str) else value
    if stops is None:
        return []
    if not isinstance(stops, list) or not all(isinstance(stop, str) and stop for stop in stops):
        raise WrongParameter("stop", "stop must be text or a list of texts, none of them empty.")
    if len(stops) > MAX_STOPS or any(len(stop) > MAX_STOP_CHARS for stop in stops):
        raise WrongParameter("stop", f"stop may have {MAX_STOPS} texts of {MAX_STOP_CHARS} characters.")
    return [clean(stop) for stop in stops]


def _number(content: dict[str, Any], name: str, least: float, most: float, *, whole: bool = False) -> float:
    value = content[name]
    right_kind = isinstance(value, int) or (isinstance(value, float) and not whole)
    if isinstance(value, bool) or not right_kind or not least <= value <= most:
        kind = "a whole number" if whole else "a number"
        limit = f"from {least:g} to {most:g}" if most < math.inf else f"of at least {least:g}"
        raise WrongParameter(name, f"{name} must be {kind} {limit}.")
    number: float = value
    return number


def _flag(content: dict[str, Any], name: str) -> bool:
    value = content.get(name)
    if value is not None and not isinstance(value, bool):
        raise WrongParameter(name, f"{name} must be true or false.")
    return bool(value)


def _same(value: object, harmless: object) -> bool:
    # True equals 1 in Python, but `n: true` is not `n: 1`.
    return value == harmless and isinstance(value, bool) == isinstance(harmless, bool)


def _no_constant(name: str) -> object:
    raise ValueError(name)
