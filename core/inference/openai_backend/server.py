"""What a server says about itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from openai import APIConnectionError, APIError, APIStatusError, AsyncOpenAI

from core.errors import BackendUnavailable, ConfigurationError
from core.inference.openai_backend.payload import LLAMA_CPP
from core.inference.openai_backend.refusal import Refusal

# GLIMT_MODEL as it is when nobody sets it, and when the choice is left to us.
NOT_GIVEN = ("demo", "auto")
_NAMED = 20
# It is there but has not loaded its model, or a proxy in front of it finds nobody yet.
_NOT_READY = (502, 503, 504)


@dataclass(frozen=True, slots=True)
class Served:
    """One entry of the list: its name, whose it is said to be, and prompt + answer in tokens (None: not said)."""

    name: str
    owner: str
    context_tokens: int | None


async def list_models(client: AsyncOpenAI, address: str, key: str) -> list[Served] | None:
    """What the server lists; None where it has no list.

    Raises:
        ConfigurationError: it does not accept the key.
        BackendUnavailable: it cannot be reached, or is not ready.
    """
    try:
        answer = await client.get("/models", cast_to=object)
    except APIStatusError as error:
        if error.status_code in _NOT_READY:
            raise BackendUnavailable(f"the backend at {address} is not ready ({error.status_code})") from None
        if error.status_code < 404:
            meaning = Refusal.of(error, key).meaning(address)
            if isinstance(meaning, ConfigurationError):
                raise meaning from None
        return None
    except APIConnectionError as error:
        raise BackendUnavailable(
            f"the backend at {address} cannot be reached ({type(error.__cause__ or error).__name__}). "
            "Start it, or check GLIMT_BACKEND_URL"
        ) from None
    except (APIError, ValueError):
        return None
    entries = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(entries, list):
        return None
    return [_served(entry) for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str)]


def choose_model(wanted: str, listed: list[Served] | None, address: str) -> Served:
    """The entry of `wanted`, which may be missing from the list; of the only one if none is wanted.

    Raises:
        ConfigurationError: none is wanted and there is not exactly one.
    """
    for served in listed or []:
        if served.name == wanted:
            return served
    if wanted not in NOT_GIVEN:
        return Served(wanted, "", None)
    if listed is not None and len(listed) == 1:
        return listed[0]
    raise ConfigurationError(f"Set GLIMT_MODEL to what the backend at {address} calls the model. {describe(listed)}")


def describe(listed: list[Served] | None) -> str:
    """A sentence about what there is."""
    if listed is None:
        return "It does not list its models; does GLIMT_BACKEND_URL end where its API begins, as in …/v1?"
    names = ", ".join(served.name for served in listed[:_NAMED]) or "nothing"
    return f"It lists: {names}{', …' if len(listed) > _NAMED else ''}."


async def ask_context(client: AsyncOpenAI, served: Served) -> int | None:
    """Tokens that prompt and answer may have together; None where the server does not say.

    llama.cpp lists what its model was trained on; what one request may have stands in /props beside the API.
    """
    if served.owner == LLAMA_CPP:
        root = str(client.base_url).rstrip("/").removesuffix("/v1")
        try:
            props = await client.get(f"{root}/props", cast_to=object)
        except (APIError, ValueError):
            props = None
        if tokens := _whole(_inside(_inside(props, "default_generation_settings"), "n_ctx")):
            return tokens
    return served.context_tokens


def _served(entry: Mapping[str, Any]) -> Served:
    # vLLM and SGLang; others; llama.cpp.
    said = (entry.get("max_model_len"), entry.get("context_length"), _inside(entry.get("meta"), "n_ctx_train"))
    return Served(entry["id"], str(entry.get("owned_by") or ""), next(filter(None, map(_whole, said)), None))


def _inside(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
