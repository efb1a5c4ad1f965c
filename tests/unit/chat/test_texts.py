"""What people are told: every text has its translation, and the catalogues are as `make texts` leaves them."""

import re

import pytest
from babel.messages.catalog import Catalog

from bots.chat.error_texts import ERROR_TEMPLATES
from bots.chat.texts import ENGLISH, LANGUAGES, LOCALES, known_language, texts_for
from core.errors import GlimtError, PictureBroken, QuestionTooLong
from core.media.limits import too_large
from tools.texts import as_mo, as_po, error_texts, found_texts, translations, updated

FIELD = re.compile(r"\{(\w+)\}")
OTHERS = [language for language in LANGUAGES if language != ENGLISH]


@pytest.fixture(scope="module")
def template() -> Catalog:
    return found_texts()


@pytest.mark.parametrize("language", OTHERS)
def test_the_catalogues_are_in_step_with_the_code(language: str, template: Catalog) -> None:
    catalog = updated(language, template)
    assert (LOCALES / f"{language}.po").read_bytes() == as_po(catalog), "run: make texts"
    assert (LOCALES / f"{language}.mo").read_bytes() == as_mo(catalog), "run: make texts"


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated_with_the_same_fields(language: str, template: Catalog) -> None:
    messages = [message for message in updated(language, template) if message.id]
    assert len(messages) > 100
    for message in messages:
        ids = message.id if isinstance(message.id, list | tuple) else (message.id,)
        for form in translations(message):
            assert form.strip(), f"not translated: {ids}"
            # A plural may say its number in words; nothing may stand in braces that is never filled in.
            assert set(FIELD.findall(form)) == set(FIELD.findall(ids[-1])), ids


def test_every_error_with_something_filled_in_is_known() -> None:
    filled_in = {text for _, text in error_texts() if FIELD.search(text)}
    assert filled_in == set(ERROR_TEMPLATES)


def test_errors_are_said_in_the_persons_language_also_from_what_was_stored() -> None:
    chinese, english = texts_for("zh-CN"), texts_for("en")
    assert chinese.error(PictureBroken()) == "这个文件已损坏或不完整。请重新发送。"
    assert english.error(PictureBroken()) == PictureBroken.user_message
    stored = too_large(10 * 1024 * 1024).user_message
    assert chinese.error(stored) == "这个文件大于 10 MB。请发送较小的版本。"
    asked = QuestionTooLong(user_message="The question is too long. Please keep it below 16,000 characters.")
    assert chinese.error(asked) == "问题太长。请控制在 16,000 个字符以内。"
    assert chinese.error("Something {odd} that a {server} said.") == "Something {odd} that a {server} said."
    assert chinese.error(GlimtError("internal detail")) != "internal detail"


def test_numbers_choose_their_form() -> None:
    english, chinese = texts_for("en-GB"), texts_for("zh")
    one, many = "{n} question is before yours.", "{n} questions are before yours."
    assert english.plural(one, many, 1) == "1 question is before yours."
    assert english.plural(one, many, 3) == "3 questions are before yours."
    assert chinese.plural(one, many, 3) == "前面还有 3 个问题。"


def test_values_are_not_taken_for_fields() -> None:
    said = texts_for("en")("{name} could not be used: {why}", name="{why}.png", why="{name}")
    assert said == "{why}.png could not be used: {name}"


@pytest.mark.parametrize(
    ("word", "language"),
    [
        ("zh", "zh"),
        ("zh_Hant_TW", "zh"),
        ("中文", "zh"),
        ("Chinese", "zh"),
        ("EN", "en"),
        ("English", "en"),
        ("tlh", ""),
    ],
)
def test_languages_are_known_by_code_and_name(word: str, language: str) -> None:
    assert known_language(word) == language


def test_an_unknown_locale_is_english() -> None:
    assert texts_for("").language == texts_for("fi-FI").language == ENGLISH
    assert texts_for("fi")("Try again") == "Try again"
