"""Phone and desktop, light and dark, by keyboard alone."""

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage
from tests.browser.conftest import OpenPage, ServedPage
from tests.browser.files import picture
from tests.browser.looks import AA, contrasts, fits, inside

pytestmark = pytest.mark.browser

PHONE = {
    "viewport": {"width": 360, "height": 640},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}


def test_a_phone_asks_reads_and_finds_its_history(open_page: OpenPage, service: ServedPage) -> None:
    chat = open_page(service.url, **PHONE)
    expect(chat.empty).to_be_visible()
    assert fits(chat.page)
    chat.choose([picture("wide.png", size=(1200, 300))])
    chat.question.fill("averyveryverylongwordwithoutanyspace" * 5)
    assert inside(chat.page, chat.send)
    chat.send.tap()
    turn = chat.turn(0)
    turn.wait_until_over()
    assert fits(chat.page)
    assert inside(chat.page, chat.question)
    menu = chat.page.get_by_role("button", name="Conversations", exact=True)
    menu.tap()
    close = chat.page.get_by_role("button", name="Close the list of conversations")
    expect(close).to_be_focused()
    expect(menu).to_have_attribute("aria-expanded", "true")
    chat.page.keyboard.press("Escape")
    expect(menu).to_be_focused()
    menu.tap()
    chat.history.get_by_role("link").first.tap()
    expect(menu).to_have_attribute("aria-expanded", "false")


def test_the_composer_stays_above_a_keyboard(open_page: OpenPage, service: ServedPage) -> None:
    chat = open_page(service.url, **PHONE)
    chat.question.fill("Something long. [[tokens 300]]")
    chat.send.tap()
    chat.turn(0).wait_until_over()
    # What a keyboard does to a page that asks for `resizes-content`.
    chat.page.set_viewport_size({"width": 360, "height": 330})
    chat.question.fill("A follow-up")
    assert inside(chat.page, chat.question)
    assert inside(chat.page, chat.send)
    expect(chat.turn(0).answer).to_be_in_viewport()


def test_enter_begins_a_line_where_a_finger_types(open_page: OpenPage, service: ServedPage) -> None:
    chat = open_page(service.url, **PHONE)
    expect(chat.question).to_have_attribute("enterkeyhint", "enter")
    expect(chat.question).to_have_accessible_description("")
    chat.question.press_sequentially("one")
    chat.question.press("Enter")
    chat.question.press_sequentially("two")
    expect(chat.question).to_have_value("one\ntwo")
    chat.send.tap()
    expect(chat.turn(0).question).to_have_text("one\ntwo", use_inner_text=True)


@pytest.mark.parametrize("width", [320, 360])
def test_a_phone_shows_two_pictures_in_a_row(open_page: OpenPage, service: ServedPage, width: int) -> None:
    chat = open_page(service.url, **{**PHONE, "viewport": {"width": width, "height": 640}})
    chat.choose([picture("one.png"), picture("two.png", "blue"), picture("three.png", "green")])
    chat.send.tap()
    turn = chat.turn(0)
    turn.wait_until_over()
    boxes = [image.bounding_box() for image in turn.pictures.all()]
    rows = [box["y"] for box in boxes if box is not None]
    assert rows[0] == rows[1] < rows[2]
    assert all(inside(chat.page, image) for image in turn.pictures.all())
    assert fits(chat.page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_enough_contrast(open_page: OpenPage, service: ServedPage, scheme: str) -> None:
    chat = open_page(service.url, color_scheme=scheme, reduced_motion="reduce")
    expect(chat.page.get_by_role("button", name="Try a sample picture")).to_be_visible()
    texts = contrasts(chat.page)
    answer = chat.ask("**b** `code` https://example.com [a](https://example.com/b)\n\n> quote\n\n| a |\n|---|\n| b |")
    answer.good.click()
    chat.ask("Break. [[fail]]")
    stopped = chat.ask("Go on. [[think]] [[hang]]", wait=False)
    stopped.thinking.get_by_text("Thinking").click()
    texts += contrasts(chat.page)
    chat.page.keyboard.press("Escape")
    stopped.wait_until_over()
    chat.question.fill("x" * 2001)
    chat.page.get_by_role("link", name="New conversation").first.hover()
    texts += contrasts(chat.page)
    assert len(texts) > 40
    assert [(text, contrast) for text, contrast in texts if contrast < AA] == []


def test_everything_is_reached_by_keyboard(open_page: OpenPage, service: ServedPage) -> None:
    chat = open_page(service.url)
    turn = chat.ask("By keyboard.")
    expect(chat.question).to_be_focused()
    for expected in (turn.bad, turn.good, turn.copy):
        chat.page.keyboard.press("Shift+Tab")
        while not expected.evaluate("e => e === document.activeElement"):
            assert chat.page.evaluate("document.activeElement !== document.body"), "the focus left the page"
            chat.page.keyboard.press("Shift+Tab")
    chat.page.keyboard.press("Tab")
    expect(turn.good).to_be_focused()
    chat.page.keyboard.press("Space")
    expect(turn.good).to_have_attribute("aria-pressed", "true")
    chat.page.reload()
    expect(chat.turn(0).good).to_have_attribute("aria-pressed", "true")
    expect(chat.question).to_be_focused()


def test_reading_above_is_not_disturbed_by_a_growing_answer(open_page: OpenPage, service: ServedPage) -> None:
    chat = open_page(service.url, viewport={"width": 700, "height": 420})
    chat.ask("Long. [[tokens 400]]")
    turn = chat.ask("[[tokens 90]] [[pace 30]]", wait=False)
    expect(turn.answer).to_contain_text("word3", timeout=60_000)
    scroller = chat.page.get_by_role("main")
    scroller.hover()
    chat.page.mouse.wheel(0, -5000)
    latest = chat.page.get_by_role("button", name="Latest")
    expect(latest).to_be_visible()
    expect(turn.answer).not_to_be_in_viewport()
    expect(turn.answer).to_contain_text("word90", timeout=60_000)
    assert scroller.evaluate("e => e.scrollTop") == 0
    latest.click()
    expect(turn.answer).to_be_in_viewport()
    expect(latest).to_be_hidden()


def test_the_answer_is_copied(open_page: OpenPage, service: ServedPage) -> None:
    chat: ChatPage = open_page(service.url, permissions=["clipboard-read", "clipboard-write"])
    chat.ask("Copy **this**.").copy.click()
    expect(chat.page.get_by_text("Copied.")).to_be_attached()
    assert chat.page.evaluate("navigator.clipboard.readText()") == "Copy **this**."
