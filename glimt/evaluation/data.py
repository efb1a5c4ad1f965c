"""What is asked: a JSONL file with one question a line.

`{"picture": "shop/1.png", "question": "What is the total?", "answers": ["12.50", "$12.50"], "kind": "total"}`

`pictures` (a list) stands for `picture` where there are several; `kind` may be left out; paths start at the file.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import ConfigurationError, NotFound


@dataclass(frozen=True, slots=True)
class Item:
    """One question; `answers` are those that are accepted, at least one."""

    number: int
    pictures: tuple[Path, ...]
    question: str
    answers: tuple[str, ...]
    kind: str = ""


def read_items(file: Path, limit: int = 0) -> list[Item]:
    """The questions of `file`, of which `limit` (0: all) from the start.

    Raises:
        NotFound: no such file, or a picture of it is missing.
        ConfigurationError: a line is not as it should be; says which and what is wrong.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise NotFound(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{file} is not UTF-8. Save it as UTF-8, one JSON object a line.") from None
    items = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            items.append(_item(number, line, file))
        if limit and len(items) == limit:
            break
    if not items:
        raise ConfigurationError(f"{file} has no questions: one JSON object a line is expected.")
    return items


def _item(number: int, line: str, file: Path) -> Item:
    def wrong(what: str) -> ConfigurationError:
        return ConfigurationError(f"{file}, line {number}: {what}")

    try:
        row: Any = json.loads(line)
    except ValueError as error:
        raise wrong(f"this is no JSON ({error})") from None
    if not isinstance(row, dict):
        raise wrong("an object is expected: {…}")
    if unknown := sorted(set(row) - {"picture", "pictures", "question", "answers", "kind", "id"}):
        raise wrong(f"{unknown[0]!r} is not known here; known are picture, pictures, question, answers, kind, id")
    names = row.get("pictures", [row["picture"]] if "picture" in row else [])
    answers = row.get("answers")
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise wrong("`picture` is a path, `pictures` a list of paths")
    if not isinstance(row.get("question"), str) or not row["question"].strip():
        raise wrong("`question` is missing")
    if not isinstance(answers, list) or not answers or not all(isinstance(a, str) and a.strip() for a in answers):
        raise wrong("`answers` is a list of the answers that are accepted, at least one")
    if not isinstance(row.get("kind", ""), str):
        raise wrong("`kind` is a word")
    paths = tuple(file.parent / name for name in names)
    for path in paths:
        if not path.is_file():
            raise NotFound(f"{file}, line {number}: there is no {path}")
    return Item(number, paths, row["question"], tuple(answers), row.get("kind", ""))
