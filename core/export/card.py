"""What lies beside the lines so that tools load them without being told how."""

import json
from typing import Any

from core.export.options import ExportOptions, Kind, Pictures, Redact, Shape

LINES = "conversations.jsonl"
MANIFEST = "manifest.json"
README = "README.md"
DATASET_INFO = "dataset_info.json"

_TEXT = "string"
_REMARKS = [{"by": _TEXT, "at": _TEXT, "text": _TEXT}]
_TURN = {
    "turn": _TEXT,
    "number": "int64",
    "person": _TEXT,
    "name": _TEXT,
    "state": _TEXT,
    "model": _TEXT,
    "answered_by": _TEXT,
    "asked_at": _TEXT,
    "answered_at": _TEXT,
    "corrected": "bool",
    "original": _TEXT,
    "correction": _TEXT,
    "thinking": _TEXT,
    "rating": "int64",
    "feedback": [{"person": _TEXT, "rating": "int64", "reason": _TEXT}],
    "labels": [_TEXT],
    "flags": _REMARKS,
    "notes": _REMARKS,
    "judgements": _REMARKS,
    "boxes": [{"label": _TEXT, "left": "float64", "top": "float64", "right": "float64", "bottom": "float64"}],
    "pictures": [
        {"of": _TEXT, "file": _TEXT, "name": _TEXT, "width": "int64", "height": "int64", "why_not": _TEXT},
    ],
    "prompt_tokens": "int64",
    "completion_tokens": "int64",
}
_WHERE = {
    "conversation": _TEXT,
    "part": "int64",
    "platform": _TEXT,
    "workspace": _TEXT,
    "place": _TEXT,
    "mode": _TEXT,
    "title": _TEXT,
    "state": _TEXT,
    "created_at": _TEXT,
    "updated_at": _TEXT,
}


def beside(options: ExportOptions) -> dict[str, bytes]:
    """Name → content of the files that say how the lines are read."""
    files = {README: _readme(options).encode()}
    if options.shape is Shape.TAGS:
        files[DATASET_INFO] = json.dumps({"glimt": _llama_factory(options)}, indent=2).encode() + b"\n"
    return files


def fields(options: ExportOptions) -> dict[str, Any]:
    """Every field of a line with its type; a list has one type for all it holds."""
    message: dict[str, Any] = {"role": _TEXT, "content": _TEXT}
    if options.shape is not Shape.TAGS:
        message["content"] = [{"type": _TEXT, "text": _TEXT}]
    if options.shape is Shape.INLINE:
        message["content"][0] |= {"url": _TEXT} if options.pictures is Pictures.DATA_URLS else {"path": _TEXT}
    if options.kind is Kind.CHAT:
        line: dict[str, Any] = {"messages": [message]}
    elif options.shape is Shape.TAGS:
        line = {"messages": [message]}
        line |= {"chosen": message, "rejected": message} if options.kind is Kind.PAIRS else {"label": "bool"}
    elif options.kind is Kind.PAIRS:
        line = {"prompt": [message], "chosen": [message], "rejected": [message]}
    else:
        line = {"prompt": [message], "completion": [message], "label": "bool"}
    if options.shape is not Shape.INLINE:
        line["images"] = [_TEXT]
    about: dict[str, Any] = dict(_WHERE)
    if options.kind is Kind.CHAT:
        about |= {"turns": [_TURN], "left_out": [{"turn": _TEXT, "number": "int64", "why": _TEXT}]}
    else:
        about["turn"] = _TURN
    return line | {"metadata": about}


def _features(name: str, kind: Any, depth: int) -> list[str]:
    """A field as the card of a Hugging Face data set says it: https://huggingface.co/docs/hub/datasets-cards"""
    indent = "  " * depth
    head = f"{indent}- name: {name}"
    if isinstance(kind, str):
        return [head, f"{indent}  dtype: {kind}"]
    if isinstance(kind, dict):
        inner = [line for key, value in kind.items() for line in _features(key, value, depth + 1)]
        return [head, f"{indent}  struct:", *inner]
    if isinstance(kind[0], str):
        return [head, f"{indent}  list: {kind[0]}"]
    inner = [line for key, value in kind[0].items() for line in _features(key, value, depth + 1)]
    return [head, f"{indent}  list:", *inner]


def _readme(options: ExportOptions) -> str:
    features = [line for name, kind in fields(options).items() for line in _features(name, kind, 1)]
    card = [
        "---",
        "configs:",
        "- config_name: default",
        "  data_files:",
        "  - split: train",
        f"    path: {LINES}",
        "dataset_info:",
        "  features:",
        *features,
        "---",
        "",
    ]
    return "\n".join(card) + "\n".join(_told(options)) + "\n"


def _told(options: ExportOptions) -> list[str]:
    lines = [
        "# Conversations exported from Glimt",
        "",
        f"`{LINES}` has one JSON object a line, `{MANIFEST}` what there is and what was left out. An export without a "
        "manifest is not whole.",
        "",
        f"Kind `{options.kind}`, shape `{options.shape}`, answers `{options.answers}`, pictures `{options.pictures}`.",
    ]
    if options.redact:
        lines.append(f"Taken out of the texts: {', '.join(sorted(options.redact))}. Marks such as [EMAIL] say where.")
    if options.redact and options.pictures is not Pictures.NONE:
        lines.append("Pictures are as they were: nothing in them was taken out.")
    if Redact.NAME not in options.redact:
        lines.append("People are named.")
    return lines


def _llama_factory(options: ExportOptions) -> dict[str, Any]:
    """LLaMA-Factory's description of a data set; its `--media_dir` is this folder."""
    columns = {"messages": "messages", "images": "images"}
    info: dict[str, Any] = {"file_name": LINES, "formatting": "sharegpt"}
    if options.kind is Kind.PAIRS:
        info["ranking"] = True
        columns |= {"chosen": "chosen", "rejected": "rejected"}
    if options.kind is Kind.RATINGS:
        columns["kto_tag"] = "label"
    tags = {"role_tag": "role", "content_tag": "content", "user_tag": "user"}
    tags |= {"assistant_tag": "assistant", "system_tag": "system"}
    return info | {"columns": columns, "tags": tags}
