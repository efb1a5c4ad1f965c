"""The generator behind the demo model: what it draws and what it claims about the drawing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from glimt.evaluation.data import read_items
from tools.demo_model.asker import Asker
from tools.demo_model.change import sample_change
from tools.demo_model.exam import SCENES, normalise, overlap, prompts_for
from tools.demo_model.helper import CHARACTERS, COLOUR_NAMES, NAMES, SLOTS, token_targets
from tools.demo_model.lexicon import COLOURS, NUMBERS, PLACES, SHAPES, Language, plural, zh
from tools.demo_model.picture import GRIDS, draw, for_training, patches
from tools.demo_model.questions import write_questions
from tools.demo_model.scenes import KINDS, Scene, Thing, board, sample
from tools.demo_model.scenes.prices import cents_of
from tools.demo_model.scenes.shapes import OUTLINES
from tools.demo_model.subject import Turn
from tools.demo_model.talk import counting
from tools.demo_model.typing_habits import typed
from tools.demo_model.wordings import CELL_WORDS, WORDINGS

LANGUAGES: tuple[Language, ...] = ("en", "zh")


def thing(name: str, colour: str, cell: int) -> Thing:
    x, y = (cell % 3 + 0.5) / 3, (cell // 3 + 0.5) / 3
    return Thing(name, (x - 0.13, y - 0.13, x + 0.13, y + 0.13), cell, colour, rgb=COLOURS[colour])


def asker(scene: Scene, rng: random.Random, language: Language = "en", *, unseen: bool = False) -> Asker:
    return Asker(scene, tuple(t.box for t in scene.things), language, rng, unseen=unseen)


def turns(kind: str, count: int) -> Iterator[tuple[Scene, Turn]]:
    for seed in range(count):
        rng = random.Random(f"test {seed}")
        scene = sample(kind, rng)
        for chain in asker(scene, rng).chains():
            for turn in chain:
                yield scene, turn


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_picture_and_questions(kind: str) -> None:
    def once() -> tuple[bytes, object]:
        rng = random.Random("same")
        scene = sample(kind, rng)
        return draw(scene, (160, 120)).image.tobytes(), asker(scene, rng).chains()

    assert once() == once()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_scene_is_drawn_and_asked_about(kind: str, language: Language) -> None:
    for seed in range(12):
        rng = random.Random(seed)
        scene = sample(kind, rng, unseen=seed % 2 == 1, easy=seed < 3)
        drawn = for_training(scene, GRIDS[seed % len(GRIDS)], rng)
        assert len(patches(drawn.image)) == 4 * GRIDS[seed % len(GRIDS)][0] * GRIDS[seed % len(GRIDS)][1]
        assert len(drawn.boxes) == len(scene.things)
        chains = asker(scene, rng, language).chains()
        assert chains
        for chain in chains:
            assert chain[0].kind != "followup"
            assert all(turn.kind == "followup" for turn in chain[1:])
            assert all(turn.question and turn.answer and "{" not in turn.question for turn in chain)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("colour", ["red", "yellow", "black"])
def test_a_shape_is_drawn_in_its_colour_where_the_scene_says(name: str, colour: str) -> None:
    scene = Scene("shapes", (thing(name, colour, 2),), style=1)
    pixels = np.asarray(draw(scene, (300, 300), turn=0.0).image)
    rows, columns = np.nonzero((pixels == COLOURS[colour]).all(-1))
    # The smallest, the ring and the cross, still fill a fair part of the 78-pixel square.
    assert len(rows) > 1200
    assert columns.min() >= 200
    assert rows.max() <= 100


def test_no_two_shapes_have_one_outline() -> None:
    assert len({tuple(points) for points in OUTLINES.values()}) == len(OUTLINES)
    assert set(OUTLINES) | {"circle", "ring"} == set(SHAPES)


def test_shapes_have_cells_of_their_own() -> None:
    for seed in range(200):
        cells = [t.cell for t in sample("shapes", random.Random(seed)).things]
        assert 1 <= len(cells) <= 5
        assert cells == sorted(set(cells))


def test_presence_and_counts_are_true() -> None:
    seen = 0
    for scene, turn in turns("shapes", 200):
        text = turn.question.lower()
        if turn.kind == "count":
            for name in SHAPES:
                if plural(name) in text.rstrip("?.").split():
                    assert turn.answer == NUMBERS[sum(t.name == name for t in scene.things)] + "."
                    seen += 1
        if turn.kind == "presence" and "colour" not in text:
            looks = {(t.colour, t.name) for t in scene.things}
            for colour in COLOURS:
                for name in SHAPES:
                    if f" {colour} {name}" in text:
                        assert (turn.answer == "Yes.") == ((colour, name) in looks)
                        seen += 1
    assert seen > 200


def test_the_total_is_the_sum_of_the_prices() -> None:
    for seed in range(100):
        scene = sample("receipt", random.Random(seed))
        assert cents_of(scene.facts["total"]) == sum(cents_of(t.price) for t in scene.things)


def test_the_cheapest_and_the_largest_are_so() -> None:
    asked = 0
    for scene, turn in turns("tags", 150):
        if turn.kind == "compare" and "cheapest" in turn.question.lower():
            assert turn.answer.lower() == min(scene.things, key=lambda t: cents_of(t.price)).name + "."
            asked += 1
    for scene, turn in turns("chart", 100):
        if turn.question in ("Which bar is the largest?", "What is the largest bar?"):
            assert turn.answer == max(scene.things, key=lambda t: t.value).name + "."
            asked += 1
    assert asked > 40


def test_the_steps_of_a_sum_lead_to_its_answer() -> None:
    for seed in range(200):
        facts = sample("board", random.Random(seed)).facts
        assert facts["steps"].endswith(f"= {facts['answer']}")
    assert board.steps(8, "+", 5) == "8 + 2 = 10. 10 + 3 = 13"
    assert board.steps(15, "-", 6) == "15 - 5 = 10. 10 - 1 = 9"


def test_the_other_one_is_only_asked_where_there_are_two() -> None:
    asked = 0
    for scene, turn in turns("products", 200):
        if "the other" in turn.question.lower():
            assert len(scene.things) == 2
            asked += 1
    assert asked > 30


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_thing_changes_and_the_answer_says_which(language: Language) -> None:
    for seed in range(60):
        first, second, answer = sample_change(random.Random(seed), language)
        before, after = set(first.things), set(second.things)
        assert len(before ^ after) in (1, 2)
        name = next(iter(before ^ after)).name
        assert (name if language == "en" else zh(name)) in answer


def test_what_is_kept_for_the_exam_is_never_trained_on() -> None:
    for language in LANGUAGES:
        for key, (seen, unseen) in WORDINGS[language].items():
            assert unseen, key
            assert not set(seen) & set(unseen), key
        for seen, unseen in CELL_WORDS[language]:
            assert not set(seen) & set(unseen)
    assert set(WORDINGS["en"]) == set(WORDINGS["zh"])
    questions = {turn.question for _, turn in turns("receipt", 100)}
    assert not questions & set(WORDINGS["en"]["total"][1])


@pytest.mark.parametrize("number", range(len(SCENES)))
def test_an_exam_is_always_the_same(number: int) -> None:
    def once() -> list[tuple[str, str, str, list[bytes]]]:
        return [(p.kind, p.question, p.expected, [i.tobytes() for i in p.pictures]) for p in prompts_for(number, 3)]

    assert once()
    assert once() == once()


def test_an_exam_becomes_a_file_for_glimt_eval(tmp_path: Path) -> None:
    write_questions(tmp_path, scenes=12, seed=1)
    items = read_items(tmp_path / "questions.jsonl")
    assert {item.kind for item in items} >= {"count", "total", "changed"}
    assert {len(item.pictures) for item in items} == {1, 2}


def test_letters_are_remembered_where_they_are_printed() -> None:
    scene = Scene("words", (), style=3, facts={"words": "OPEN"})
    drawn = draw(scene, (224, 224), turn=0.0)
    letters = np.zeros((64, SLOTS), np.int8)
    marks = np.zeros((64, 2), np.int8)
    token_targets(drawn, (8, 8), letters, marks)
    found = "".join(CHARACTERS[i] for i in letters.flatten() if i < len(CHARACTERS))
    assert found == "OPEN"
    assert (marks == (len(NAMES), len(COLOUR_NAMES))).all()


@pytest.mark.parametrize(
    ("said", "expected", "same"),
    [
        ("a red star", "A red star.", True),
        ("<think>1 + 1 = 2</think>\n2.", "2.", True),
        ("$3.50", "$3.50.", True),
        ("$3.5", "$3.50.", False),
        ("3.50", "$3.50.", False),
        ("红色。", "红色", True),
    ],
)
def test_what_counts_as_the_same_answer(said: str, expected: str, same: bool) -> None:
    assert (normalise(said) == normalise(expected)) is same


@pytest.mark.parametrize(
    ("said", "share"),
    [("[[0,0,100,100]]", 1.0), ("[[50,0,150,100]]", 1 / 3), ("[[200,200,300,300]]", 0.0), ("No.", 0.0)],
)
def test_boxes_overlap(said: str, share: float) -> None:
    assert overlap(said, "<|begin_of_box|>[[0,0,100,100]]<|end_of_box|>") == pytest.approx(share)


def test_typing_changes_the_spelling_and_not_the_words() -> None:
    rng = random.Random(1)
    versions = {typed(rng, "What colour is the star in the centre?", "en", plain=True) for _ in range(200)}
    assert len(versions) > 10
    plain = {v.lower().rstrip("?").replace("color", "colour").replace("center", "centre") for v in versions}
    assert {v.replace("what's", "what is") for v in plain} == {"what colour is the star in the centre"}


def test_counting_counts() -> None:
    assert counting(random.Random(0), 4).answer == "1, 2, 3, 4."
    assert len(PLACES) == 9
