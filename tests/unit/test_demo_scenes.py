"""The generator behind the demo model: what it draws and what it claims about the drawing."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tools.demo_model.questions import Asker, Turn
from tools.demo_model.scenes import COLOURS, SHAPES, Scene, Thing, render, roughen, sample_scene
from tools.demo_model.talk import counting
from tools.demo_model.wording import CELL_WORDS, NO_SHAPES, NUMBERS, PLACES, describe, plural, word

WHITE = ((255, 255, 255), (255, 255, 255))


def thing(shape: str, colour: str, cell: int) -> Thing:
    return Thing(shape, colour, cell, (cell % 3 + 0.5) / 3, (cell // 3 + 0.5) / 3, 0.13, 0.0, COLOURS[colour])


def scene(*things: Thing) -> Scene:
    return Scene(things, WHITE)


def turns(count: int) -> Iterator[tuple[Scene, Turn]]:
    for seed in range(count):
        rng = random.Random(f"test {seed}")
        drawn = sample_scene(rng)
        for chain in Asker(drawn, rng).chains():
            for turn in chain:
                yield drawn, turn


def plain(question: str) -> str:
    """A question with the typist's liberties taken back."""
    text = question.lower().rstrip("?.").replace("color", "colour").replace("center", "centre")
    return text.replace("what's", "what is").replace("where's", "where is")


def test_the_same_seed_gives_the_same_picture_and_questions() -> None:
    def once() -> tuple[bytes, list[list[Turn]]]:
        rng = random.Random("same")
        drawn = sample_scene(rng)
        return render(drawn, 120, 90).tobytes(), Asker(drawn, rng).chains()

    assert once() == once()


@pytest.mark.parametrize("count", range(6))
def test_a_scene_has_as_many_shapes_as_asked_for_in_cells_of_their_own(count: int) -> None:
    for seed in range(50):
        drawn = sample_scene(random.Random(seed), count=count)
        cells = [t.cell for t in drawn.things]
        assert len(cells) == count
        assert cells == sorted(set(cells))


def test_every_shape_stays_inside_the_picture_and_in_its_cell() -> None:
    for seed in range(300):
        for t in sample_scene(random.Random(seed)).things:
            assert int(t.x * 3) + 3 * int(t.y * 3) == t.cell
            if len(PLACES) > 1 and t.radius < 0.16:
                assert 0 <= t.x - t.radius <= t.x + t.radius <= 1
                assert 0 <= t.y - t.radius <= t.y + t.radius <= 1


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("colour", COLOURS)
def test_a_shape_is_drawn_in_its_colour_where_the_scene_says(shape: str, colour: str) -> None:
    image = render(scene(thing(shape, colour, 2)), 300, 300, supersample=2)
    painted = [(x, y) for x in range(300) for y in range(300) if image.getpixel((x, y)) == COLOURS[colour]]
    # The smallest, the ring and the cross, still fill a fair part of the 78-pixel square.
    assert len(painted) > 1200
    assert all(200 <= x <= 300 and 0 <= y <= 100 for x, y in painted)


def test_no_two_shapes_look_alike() -> None:
    masks = {}
    for shape in SHAPES:
        image = render(scene(thing(shape, "black", 4)), 90, 90)
        masks[shape] = [value < 128 for value in image.convert("L").tobytes()]
    for a in SHAPES:
        for b in SHAPES:
            if a < b:
                differing = sum(x != y for x, y in zip(masks[a], masks[b], strict=True))
                assert differing > 60, (a, b)


def test_roughening_keeps_size_and_mode() -> None:
    image = render(scene(thing("star", "red", 0)), 100, 80)
    for seed in range(20):
        rough = roughen(image, random.Random(seed))
        assert (rough.size, rough.mode) == ((100, 80), "RGB")


def test_the_description_names_everything_in_reading_order() -> None:
    two = scene(thing("star", "red", 0), thing("circle", "orange", 4))
    assert describe(two) == "A red star in the top left and an orange circle in the centre."
    three = scene(thing("star", "red", 0), thing("circle", "blue", 4), thing("ring", "pink", 7))
    assert describe(three).endswith(", a blue circle in the centre and a pink ring at the bottom.")
    assert describe(scene()) == NO_SHAPES


def test_colour_questions_have_one_right_answer() -> None:
    asked = 0
    for drawn, turn in turns(300):
        named = [s for s in SHAPES if f" {s}" in plain(turn.question)]
        if turn.kind != "colour" or not named:
            continue
        colours = {t.colour for t in drawn.things if t.shape == named[0]}
        assert turn.answer.lower().rstrip(".") in colours
        if not any(words in plain(turn.question) for cell in CELL_WORDS for words in cell):
            sides = (" on the ", " at the ", " in the ")
            if not any(side in plain(turn.question) for side in sides):
                assert len(colours) == 1
                asked += 1
    assert asked > 100


def test_presence_and_counts_are_true() -> None:
    seen = 0
    for drawn, turn in turns(300):
        text = plain(turn.question)
        if turn.kind == "count":
            for shape in SHAPES:
                if plural(shape) in text.split():
                    number = sum(t.shape == shape for t in drawn.things)
                    assert turn.answer == NUMBERS[number] + "."
                    seen += 1
        if turn.kind == "presence":
            looks = {(t.colour, t.shape) for t in drawn.things}
            for colour in COLOURS:
                for shape in SHAPES:
                    if f" {colour} {shape}" in text:
                        assert (turn.answer == "Yes.") == ((colour, shape) in looks)
                        seen += 1
    assert seen > 300


def test_presence_is_balanced() -> None:
    answers = [turn.answer for _, turn in turns(500) if turn.kind == "presence"]
    assert 0.42 < answers.count("Yes.") / len(answers) < 0.58


def test_the_other_one_is_only_asked_where_there_are_two() -> None:
    asked = 0
    for drawn, turn in turns(400):
        if "the other one" in plain(turn.question):
            assert len(drawn.things) == 2
            asked += 1
    assert asked > 50


def test_follow_ups_come_after_what_they_refer_to() -> None:
    for seed in range(300):
        rng = random.Random(seed)
        for chain in Asker(sample_scene(rng), rng).chains():
            assert chain[0].kind != "followup"
            assert all(turn.kind == "followup" for turn in chain[1:])


def test_wording_changes_the_spelling_and_not_the_words() -> None:
    rng = random.Random(1)
    versions = {word(rng, "What colour is the star in the centre?", plain=True) for _ in range(200)}
    assert len(versions) > 10
    assert {plain(v) for v in versions} == {"what colour is the star in the centre"}


def test_counting_counts() -> None:
    assert counting(random.Random(0), 4).answer == "1, 2, 3, 4."
