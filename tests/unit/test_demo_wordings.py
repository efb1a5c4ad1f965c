"""How the demo model's training words its questions: in thousands of ways, none of which the exam asks in."""

from __future__ import annotations

import random

import pytest

from tools.demo_model.composing import compose, plain, repeats, words_of
from tools.demo_model.dialogue import sample_dialogue
from tools.demo_model.exam import prompts_for
from tools.demo_model.lexicon import Language
from tools.demo_model.places import MORE_CELL_WORDS
from tools.demo_model.wordings import CELL_WORDS, HELD, WORDINGS, composed

LANGUAGES: tuple[Language, ...] = ("en", "zh")
# Asked in training and in the exam in the same words, since they are of no scene.
NO_SCENE = ("talk", "counting", "refusal")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_composed_wording_is_one_of_the_exam(language: Language) -> None:
    rng = random.Random("composed")
    for key, (_, unseen) in WORDINGS[language].items():
        made = {composed(language, key, rng) for _ in range(300)}
        assert None not in made, key
        assert len(made) > 15, key
        said = {plain(template or "") for template in made}
        assert not said & {plain(wording) for wording in unseen}, key
        assert not said & HELD[language], key


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_composed_wording_asks_with_the_slots_of_its_kind(language: Language) -> None:
    rng = random.Random("slots")
    for key, (seen, unseen) in WORDINGS[language].items():
        known = {part.partition("}")[0] for wording in (*seen, *unseen) for part in wording.split("{")[1:]}
        for _ in range(100):
            template = compose(language, key, rng) or ""
            used = {part.partition("}")[0] for part in template.split("{")[1:]}
            assert used <= known | {"noun"}, template
            if known & {"ref", "a", "bare", "nouns", "place"} and key not in ("check", "name_of"):
                assert used, template


def test_what_only_training_asks_is_drawn_from_one_list_a_language() -> None:
    assert words_of("en")["ways"].keys() == words_of("zh")["ways"].keys()
    follow = {"and", "no", "and_other", "no_other"}
    assert words_of("en")["ways"].keys() | follow == WORDINGS["en"].keys()


@pytest.mark.parametrize(
    ("template", "language", "found"),
    [
        ("what is that", "en", True),
        ("So, WHAT'S that?", "en", True),
        ("Look here. What is that?", "en", True),
        ("What is that thing?", "en", False),
        ("{ref}: which color is it", "en", True),
        ("请问店名是什么？", "zh", True),
        ("它的名字是什么？", "zh", False),
    ],
)
def test_a_wording_of_the_exam_is_found_in_any_spelling(template: str, language: Language, found: bool) -> None:
    assert repeats(template, HELD[language]) is found


def test_words_for_places_name_one_place_and_none_of_the_exam() -> None:
    for language in LANGUAGES:
        every = [(word, cell) for cell, words in enumerate(MORE_CELL_WORDS[language]) for word in words]
        assert len({word for word, _ in every}) == len(every)
        for cell, (seen, unseen) in enumerate(CELL_WORDS[language]):
            elsewhere = {word for word, at in every if at != cell}
            assert not set(seen) & elsewhere
            assert not set(unseen) & {word for word, _ in every}


def test_no_question_of_the_exam_is_asked_in_training() -> None:
    rng = random.Random("apart")
    trained = set()
    for _ in range(1200):
        trained |= {plain(exchange.question) for exchange in sample_dialogue(rng, drawn=False).exchanges}
    asked = {
        plain(question)
        for number in range(60)
        for prompt in prompts_for(number, 1)
        if prompt.kind not in NO_SCENE
        for question in (prompt.question, *(turn.question for turn in prompt.rest))
    }
    assert len(trained) > 8000
    assert len(asked) > 150
    assert not asked & trained
