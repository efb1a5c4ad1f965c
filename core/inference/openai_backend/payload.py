"""What is sent: a request in the words of the OpenAI API."""

import base64
from typing import Any

from core.inference.openai_backend.words import neutralise_known
from core.inference.port import Message, Picture, Request
from core.media.sniff import sniff

LLAMA_CPP = "llamacpp"


def chat_messages(request: Request) -> list[Any]:
    """The messages; pictures before the text of theirs, as data URLs."""
    return [_message(message) for message in request.messages]


def chat_fields(request: Request, room: int, owner: str) -> dict[str, Any]:
    """All fields beside `model`, `messages` and `stream`. `room` are the tokens that are left for the answer; `owner`
    is who the server says that its models are of, which tells llama.cpp from the others.

    What a knob does by itself when nobody turns it is left to the server, which may have it from the model's makers.
    Stop strings are not sent: servers look for them in the thinking, too, and some leave them in the text.
    """
    sampling = request.sampling
    penalty = "repeat_penalty" if owner == LLAMA_CPP else "repetition_penalty"
    fields: dict[str, Any] = {
        "temperature": sampling.temperature,
        "max_tokens": max(1, min(sampling.max_new_tokens, room)),
        "stream_options": {"include_usage": True},
        # vLLM, SGLang and llama.cpp hand this to the model's chat template …
        "chat_template_kwargs": {"enable_thinking": request.reasoning},
        # … and this is for the vendor of GLM.
        "thinking": {"type": "enabled" if request.reasoning else "disabled"},
    }
    if sampling.top_p != 1.0:
        fields["top_p"] = sampling.top_p
    if sampling.top_k:
        fields["top_k"] = sampling.top_k
    if sampling.repetition_penalty != 1.0:
        fields[penalty] = sampling.repetition_penalty
    if sampling.seed is not None:
        fields["seed"] = sampling.seed
    return fields


def _message(message: Message) -> dict[str, Any]:
    text = neutralise_known(message.text)
    if not message.pictures:
        # Plain text is what every server and every template takes.
        return {"role": message.role, "content": text}
    content: list[dict[str, Any]] = [
        {"type": "image_url", "image_url": {"url": data_url(picture)}} for picture in message.pictures
    ]
    return {"role": message.role, "content": [*content, {"type": "text", "text": text}]}


def data_url(picture: Picture) -> str:
    """The picture's bytes in a URL; their type is what they begin like (PNG or JPEG, as `core.media` encodes them)."""
    kind = sniff(picture.data).value.lower()
    return f"data:image/{kind};base64,{base64.b64encode(picture.data).decode('ascii')}"
