"""The main road, with the real model: a picture, a question, a follow-up, history, thumbs; and Stop."""

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ANSWER_MS
from tests.browser.conftest import OpenPage, ServedPage

pytestmark = pytest.mark.browser


def test_a_picture_is_asked_about_and_the_conversation_is_kept(open_page: OpenPage, demo_service: ServedPage) -> None:
    chat = open_page(demo_service.url)
    chat.page.get_by_role("button", name="Try a sample picture").click()
    expect(chat.previews.locator("canvas")).to_be_visible()

    first = chat.ask("What is in the top left?")
    expect(first.pictures).to_have_count(1)
    expect(first.answer).to_contain_text("star")
    # Only with the first answer in mind can this one be right.
    second = chat.ask("What colour is it?")
    assert "red" in second.answer.inner_text().lower()

    second.good.click()
    expect(second.good).to_have_attribute("aria-pressed", "true")
    first.bad.click()
    expect(first.bad).to_have_attribute("aria-pressed", "true")

    address = chat.page.url
    chat.page.reload()
    expect(chat.turns).to_have_count(2)
    expect(first.answer).to_contain_text("star")
    expect(first.pictures).to_have_count(1)
    expect(first.bad).to_have_attribute("aria-pressed", "true")
    expect(second.good).to_have_attribute("aria-pressed", "true")

    chat.page.goto(demo_service.url)
    expect(chat.empty).to_be_visible()
    link = chat.history.get_by_role("link")
    expect(link).to_have_count(1)
    expect(link).to_have_text("What is in the top left?")
    link.click()
    expect(chat.page).to_have_url(address)
    expect(chat.turns).to_have_count(2)


def test_stop_ends_a_long_answer(open_page: OpenPage, demo_service: ServedPage) -> None:
    chat = open_page(demo_service.url)
    counting = chat.ask("Count to 100.", wait=False)
    expect(counting.answer).to_contain_text("5", timeout=ANSWER_MS)
    chat.stop.click()
    counting.wait_until_over()
    expect(counting.element).to_have_attribute("data-state", "cancelled")
    expect(counting.notes).to_contain_text("Stopped")
    said = counting.answer.inner_text()
    assert said
    assert "100" not in said

    chat.page.reload()
    expect(chat.turns).to_have_count(1)
    expect(counting.answer).to_have_text(said)
