"""Boxes: where in a picture something is, as models write it down.

Every family has its own way. Here are the numbers and labels of all of them; `box_text.py` finds them in an answer.
No torch: the bots draw boxes into pictures.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# Tokens that stand around boxes and labels. Tokenizers call most of them special, which would keep them out of the
# text that a box is read from.
MARKS = (
    *("<|begin_of_box|>", "<|end_of_box|>"),  # GLM
    *("<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>", "<|box_end|>"),  # Qwen2-VL
    *("<ref>", "</ref>", "<box>", "</box>"),  # InternVL
)
_PLACE_TOKEN = re.compile(r"<(loc\d{4}|seg\d{3})>")

_NUMBER = re.compile(r"\d{1,6}(?:\.\d{1,9})?")
# Nothing but numbers in any brackets.
_COORDINATES = re.compile(r"[\s\d.,;\[\](){}<>]*")
_OBJECT = re.compile(r"\{[^{}]*\}")
# Keys under which families put a box, and whether y comes before x.
_KEYS = {"bbox_2d": False, "bbox": False, "box_2d": True}
_LABELS = ("label", "sub_label", "text_content", "text", "name", "caption")


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in a picture, in parts (0 to 1) of its width and height from the left and from the top.

    `label` says what is there; it is empty where the model did not say.
    """

    label: str
    left: float
    top: float
    right: float
    bottom: float

    @property
    def place(self) -> str:
        """For people: where it is, in hundredths."""
        left, top, right, bottom = (round(side * 100) for side in (self.left, self.top, self.right, self.bottom))
        return f"(x {left}–{right} %, y {top}–{bottom} %)"


def is_mark(token: str) -> bool:
    """Whether `token` structures a box, so that it must reach the text although it is no text itself."""
    return token in MARKS or _PLACE_TOKEN.fullmatch(token) is not None


def rectangle(label: str, numbers: Sequence[float], pixels: tuple[int, int] | None = None) -> Box | None:
    """The box of left, top, right, bottom, in any order of the sides; None where these are no rectangle.

    They are parts (all at most 1), or else thousandths, or with `pixels` (width, height) in those.
    """
    width, height = (1, 1) if max(numbers) <= 1 else pixels or (1000, 1000)
    across = sorted(min(1.0, number / width) for number in numbers[0::2])
    down = sorted(min(1.0, number / height) for number in numbers[1::2])
    if (pixels is None and max(numbers) > 1000) or across[0] == across[1] or down[0] == down[1]:
        return None
    return Box(" ".join(label.split()), across[0], down[0], across[1], down[1])


def read_coordinates(text: str, label: str) -> list[Box]:
    """Boxes of a text that is nothing but numbers in brackets, four for each box; none if it is anything else."""
    numbers = [float(number) for number in _NUMBER.findall(text)]
    bracketed = text.strip()[:1] in ("[", "(", "{", "<")
    if not bracketed or not numbers or len(numbers) % 4 or not _COORDINATES.fullmatch(text):
        return []
    boxes = [rectangle(label, numbers[at : at + 4]) for at in range(0, len(numbers), 4)]
    return [box for box in boxes if box is not None] if all(boxes) else []


def read_json(text: str, pixels: tuple[int, int] | None) -> list[Box]:
    """Boxes of a JSON list or object, of which the end may be missing. None if it also says anything else."""
    try:
        # Before the length counts: JSON has no depth limit, but Python does.
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = []
        for match in _OBJECT.finditer(text):
            try:
                values.append(json.loads(match[0]))
            except (ValueError, RecursionError):
                return []
    boxes = [_of_object(value, pixels) for value in (values if isinstance(values, list) else [values])]
    return [box for box in boxes if box is not None] if all(boxes) else []


def read_places(places: Sequence[int], label: str) -> Box | None:
    """PaliGemma: top, left, bottom, right in 1024ths."""
    top, left, bottom, right = (place / 1024 for place in places)
    return rectangle(label, (left, top, right, bottom))


def _of_object(value: Any, pixels: tuple[int, int] | None) -> Box | None:
    if not isinstance(value, dict):
        return None
    key = next((key for key in _KEYS if key in value), None)
    numbers = value.get(key) if key else None
    if not isinstance(numbers, list) or len(numbers) != 4:
        return None
    # Not bool, which is an int; not NaN or infinity, which JSON in Python has.
    if not all(type(number) in (int, float) and 0 <= number < 1_000_000 for number in numbers):
        return None
    if key is not None and _KEYS[key]:
        numbers = [numbers[1], numbers[0], numbers[3], numbers[2]]
        pixels = None
    label = next((value[name] for name in _LABELS if isinstance(value.get(name), str)), "")
    return rectangle(label, numbers, pixels)
