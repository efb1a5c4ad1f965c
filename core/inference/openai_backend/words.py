"""Keeps people's words words where the tokenizer is out of reach.

In-process the tokenizer itself says what is a control token (`core/inference/neutralise.py`). A server renders our
messages with its own template and, as vLLM does, takes a typed `<|user|>` for a token. So what looks like a control
token of any common family is changed in the same way: a space after its first character.
"""

import re

_MARKS = "s|think|image|img|img_context|video|audio|bos|eos|pad|unk|mask|sop|eop"
_CONTROL = re.compile(
    # <|user|>, and DeepSeek's full-width bars
    r"<(?=[|｜][^<>\s]{1,64}[|｜]>)"
    # <image>, </think>, <start_of_turn>, <image_soft_token>, <row_1_col_2>
    rf"|<(?=/?(?:{_MARKS}|(?:start|end|begin)_of_[a-z_]+|[a-z_]*image[a-z_]*|row_\d+_col_\d+|global-img)>)"
    # [INST], [/INST], [gMASK], [IMG_BREAK]; and Llama's <<SYS>>
    r"|\[(?=/?(?:INST|SYSTEM_PROMPT|IMG|IMG_BREAK|IMG_END|TOOL_CALLS|gMASK|sMASK)\])"
    r"|<(?=</?SYS>>)",
    re.IGNORECASE,
)


def neutralise_known(text: str) -> str:
    """`text`, with a space inside whatever looks like a control token."""
    # Lone surrogates are no Unicode text and cannot be sent.
    text = text.encode("utf-8", "replace").decode("utf-8")
    return _CONTROL.sub(lambda found: f"{found[0]} ", text)
