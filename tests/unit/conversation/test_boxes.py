"""Boxes of every family become text for people and rectangles, however the text comes in."""

import json
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.conversation.box_text import BoxText, read_boxes
from core.conversation.boxes import MARKS, Box, is_mark

QWEN = "<|object_ref_start|>{}<|object_ref_end|><|box_start|>({},{}),({},{})<|box_end|>"
CAT, DOG = Box("cat", 0.1, 0.2, 0.3, 0.4), Box("dog", 0.5, 0.6, 0.7, 0.8)
PLACES = ("(x 10–30 %, y 20–40 %)", "(x 50–70 %, y 60–80 %)")
BOTH = [CAT, DOG]
# As the models write it: text, pixels of the picture as the model sees it, what people read, boxes.
WRITTEN: dict[str, tuple[str, tuple[int, int] | None, str, list[Box]]] = {
    "GLM, in a sentence": (
        "The cat is at <|begin_of_box|>[[100,200,300,400]]<|end_of_box|>.",
        None,
        f"The cat is at {PLACES[0]}.",
        [Box("The cat", 0.1, 0.2, 0.3, 0.4)],
    ),
    "GLM, in a list, with other brackets": (
        "1. **cat**: <|begin_of_box|>(100, 200), (300, 400)<|end_of_box|>\n"
        "- dog: <|begin_of_box|><500 600 700 800><|end_of_box|>",
        None,
        f"1. **cat**: {PLACES[0]}\n- dog: {PLACES[1]}",
        BOTH,
    ),
    "GLM, two in one": (
        "cats: <|begin_of_box|>[[100,200,300,400], [500,600,700,800]]<|end_of_box|>",
        None,
        f"cats: {PLACES[0]}, {PLACES[1]}",
        [Box("cats", 0.1, 0.2, 0.3, 0.4), Box("cats", 0.5, 0.6, 0.7, 0.8)],
    ),
    "GLM, a final answer": ("So it is <|begin_of_box|>42<|end_of_box|>.", None, "So it is 42.", []),
    "GLM, an answer that is a point": ("<|begin_of_box|>[12, 34]<|end_of_box|>", None, "[12, 34]", []),
    "GLM, an answer that is four numbers": ("<|begin_of_box|>1, 2, 3, 4<|end_of_box|>", None, "1, 2, 3, 4", []),
    "GLM, beyond the picture": ("<|begin_of_box|>[0,0,5000,10]<|end_of_box|>", None, "[0,0,5000,10]", []),
    "GLM, cut off": ("cat: <|begin_of_box|>[[100,200,300,400", None, f"cat: {PLACES[0]}", [CAT]),
    "Qwen2-VL": (
        QWEN.format("cat", 100, 200, 300, 400) + " and " + QWEN.format("dog", 500, 600, 700, 800),
        None,
        f"cat {PLACES[0]} and dog {PLACES[1]}",
        BOTH,
    ),
    "Qwen2-VL, two of a name": (
        QWEN.format("cat", 100, 200, 300, 400) + "<|box_start|>(500,600),(700,800)<|box_end|>",
        None,
        f"cat {PLACES[0]} {PLACES[1]}",
        [CAT, Box("cat", 0.5, 0.6, 0.7, 0.8)],
    ),
    "Qwen2-VL, a name without a box": ("<|object_ref_start|>cat<|object_ref_end|> sat", None, "cat sat", []),
    "Qwen2.5-VL": (
        'Here:\n```json\n[\n\t{"bbox_2d": [64, 96, 192, 192], "label": "cat"},\n'
        '\t{"bbox_2d": [320, 288, 448, 384], "label": "dog"}\n]\n```\nThat is all.',
        (640, 480),
        f"Here:\ncat {PLACES[0]}\ndog {PLACES[1]}\nThat is all.",
        BOTH,
    ),
    "Qwen3-VL": (
        '[{"bbox_2d": [100, 200, 300, 400], "label": "cat"}, {"label": "dog", "bbox_2d": [500, 600, 700, 800]}]',
        None,
        f"cat {PLACES[0]}, dog {PLACES[1]}",
        BOTH,
    ),
    "Qwen3-VL, cut off": (
        '```json\n[{"bbox_2d": [100, 200, 300, 400], "label": "cat"}, {"bbox_2d": [500, 60',
        None,
        f"cat {PLACES[0]}",
        [CAT],
    ),
    "LFM2-VL": ('{"label": "cat", "bbox": [0.1, 0.2, 0.3, 0.4]}', None, f"cat {PLACES[0]}", [CAT]),
    "Gemma": ('[{"box_2d": [200, 100, 400, 300], "label": "cat"}]', None, f"cat {PLACES[0]}", [CAT]),
    "InternVL": ("<ref>cat</ref><box>[[100, 200, 300, 400]]</box>", None, f"cat {PLACES[0]}", [CAT]),
    "PaliGemma": (
        "<loc0256><loc0128><loc0512><loc0256> cat ; <loc0000><loc0512><loc0256><loc0768> dog",
        None,
        "cat (x 12–25 %, y 25–50 %); dog (x 50–75 %, y 0–25 %)",
        [Box("cat", 0.125, 0.25, 0.25, 0.5), Box("dog", 0.5, 0.0, 0.75, 0.25)],
    ),
    "PaliGemma, with outlines": (
        "<loc0256><loc0128><loc0512><loc0256><seg001><seg002> cat",
        None,
        "cat (x 12–25 %, y 25–50 %)",
        [Box("cat", 0.125, 0.25, 0.25, 0.5)],
    ),
    "PaliGemma, too few": ("<loc0256><loc0128> cat", None, " cat", []),
    "other JSON": ('```json\n{"a": [1, 2, 3, 4]}\n```', None, '```json\n{"a": [1, 2, 3, 4]}\n```', []),
    "JSON with more than boxes": ('[{"label": "cat"}]', None, '[{"label": "cat"}]', []),
    "tags of somebody's own": ("<box>a</box> <ref>b</ref> x < y", None, "<box>a</box> <ref>b</ref> x < y", []),
    "marks alone": ("a<|box_end|>b<|end_of_box|>c<seg001>d", None, "abcd", []),
    "a mark within a mark": ("<|begin_of_box|>a<|box_start|>b<|end_of_box|>", None, "ab", []),
}


@pytest.mark.parametrize(("text", "pixels", "shown", "boxes"), WRITTEN.values(), ids=WRITTEN)
def test_each_familys_way(text: str, pixels: tuple[int, int] | None, shown: str, boxes: list[Box]) -> None:
    assert read_boxes(text, pixels) == (shown, boxes)


def in_pieces(text: str, cuts: list[int]) -> tuple[str, list[Box]]:
    reader = BoxText()
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    shown = "".join(reader.add(text[start:end]) for start, end in pairwise(places))
    return shown + reader.end(), reader.boxes


BITS = [*MARKS, "<loc0001>", "<loc1023>", "<seg001>", "```json", "```", *'[]{}\n ;:\\"<', "cat"]
BITS += ['{"bbox_2d": [1, 2, 3, 4], "label": "a"}', '"bbox_2d"', "[100,200,300,400]", "[[1,2,3,4]]", "(5,6),(7,8)"]
BITS += ['{"bbox_2d": [NaN, 1e999, true, null]}', "9" * 400]
hostile = st.lists(st.one_of(st.sampled_from(BITS), st.text(max_size=3)), max_size=12).map("".join)


@given(hostile, st.lists(st.integers(0, 200), max_size=30))
@example("[" * 100_000, [])
@example('{"bbox_2d": ' + "[" * 50_000 + "]" * 50_000 + "}", [7])
def test_nothing_raises_and_pieces_do_not_matter(text: str, cuts: list[int]) -> None:
    shown, boxes = read_boxes(text)
    assert in_pieces(text, cuts) == (shown, boxes)
    assert not any(mark in shown for mark in MARKS if "|" in mark)
    for box in boxes:
        assert 0 <= box.left < box.right <= 1
        assert 0 <= box.top < box.bottom <= 1
        json.dumps([box.label, box.left, box.top, box.right, box.bottom], allow_nan=False)


@given(st.text(alphabet=st.characters(exclude_characters="<`[{")))
def test_text_without_markup_passes_at_once(text: str) -> None:
    reader = BoxText()
    assert reader.add(text) == text
    assert (reader.end(), reader.boxes) == ("", [])


def test_long_lists_do_not_take_longer_for_each_token() -> None:
    many = "[" + ", ".join('{"bbox_2d": [1, 2, 3, 4], "label": "a"}' for _ in range(400)) + "]"
    shown, boxes = in_pieces(many, list(range(len(many))))
    assert len(boxes) == 400
    assert shown.count("a (x") == 400


def test_which_tokens_must_reach_the_text() -> None:
    assert all(is_mark(token) for token in (*MARKS, "<loc0000>", "<seg127>"))
    assert not any(is_mark(token) for token in ("<image>", "<|im_end|>", "<loc12>", "</think>", "x<loc0000>"))
