"""Writing a question: keys, drafts, limits, and that nothing typed is ever lost."""

import pytest
from playwright.sync_api import Route, expect

from tests.browser.chat_page import ANSWER_MS, ChatPage
from tests.browser.conftest import OpenPage, ServedPage
from tests.browser.files import picture
from tests.browser.watch import Watch

pytestmark = pytest.mark.browser


def test_enter_sends_and_shift_enter_begins_a_line(chat: ChatPage) -> None:
    chat.question.press_sequentially("one")
    height = chat.question.bounding_box()
    chat.question.press("Shift+Enter")
    chat.question.press_sequentially("two")
    expect(chat.question).to_have_value("one\ntwo")
    taller = chat.question.bounding_box()
    assert height is not None
    assert taller is not None
    assert taller["height"] > height["height"]
    expect(chat.turns).to_have_count(0)
    chat.question.press("Enter")
    expect(chat.turn(0).question).to_have_text("one\ntwo", use_inner_text=True)
    expect(chat.question).to_have_value("")


def test_enter_that_ends_a_composition_does_not_send(chat: ChatPage) -> None:
    chat.question.focus()
    keyboard = chat.page.context.new_cdp_session(chat.page)
    keyboard.send("Input.imeSetComposition", {"text": "写真", "selectionStart": 2, "selectionEnd": 2})
    enter = {"type": "keyDown", "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229}
    keyboard.send("Input.dispatchKeyEvent", enter)
    keyboard.send("Input.insertText", {"text": "写真"})
    expect(chat.question).to_have_value("写真")
    expect(chat.turns).to_have_count(0)
    chat.question.press("Enter")
    expect(chat.turns).to_have_count(1)


def test_nothing_but_spaces_is_not_sent(chat: ChatPage) -> None:
    chat.question.fill("  \n ")
    expect(chat.send).to_be_disabled()
    chat.question.press("Enter")
    chat.ask("Now something.")
    expect(chat.turns).to_have_count(1)


def test_a_question_that_is_too_long_is_counted_and_not_sent(chat: ChatPage) -> None:
    chat.question.fill("a" * 1950)
    expect(chat.page.get_by_text("1,950 of 2,000 characters")).to_be_visible()
    expect(chat.send).to_be_enabled()
    chat.question.fill("a" * 2001)
    expect(chat.page.get_by_text("2,001 of 2,000 characters")).to_be_visible()
    expect(chat.send).to_be_disabled()


def test_a_draft_outlives_a_reload_and_stays_with_its_conversation(chat: ChatPage) -> None:
    chat.ask("A conversation.")
    address = chat.page.url
    chat.question.fill("half a follow-up")
    chat.page.reload()
    expect(chat.question).to_have_value("half a follow-up")
    chat.page.get_by_role("link", name="New conversation").first.click()
    expect(chat.empty).to_be_visible()
    expect(chat.question).to_have_value("")
    chat.question.fill("something new")
    chat.page.goto(address)
    expect(chat.question).to_have_value("half a follow-up")
    chat.page.go_back()
    expect(chat.question).to_have_value("something new")


def test_a_refused_question_stays_and_is_asked_once_when_sent_again(
    open_page: OpenPage, service: ServedPage, watch: Watch
) -> None:
    watch.allow("ERR_FAILED|ERR_CONNECTION|ERR_EMPTY_RESPONSE")
    chat = open_page(service.url)
    expect(chat.question).to_be_editable()

    # The worst case: the server accepts the question, and its answer is lost on the way.
    def lose(route, request) -> None:  # type: ignore[no-untyped-def]
        route.fetch()
        route.abort()

    chat.page.route("**/api/turns", lose, times=1)
    chat.question.fill("Only once?")
    chat.question.press("Enter")
    expect(chat.problem).to_contain_text("The server cannot be reached.")
    expect(chat.question).to_have_value("Only once?")
    chat.question.press("Enter")
    turn = chat.turn(0)
    turn.wait_until_over()
    expect(turn.answer).to_have_text("Only once?")
    expect(chat.history.get_by_role("link")).to_have_count(1)
    chat.page.reload()
    expect(chat.turns).to_have_count(1)


def test_a_lost_cookie_where_no_key_is_needed_costs_the_conversation_and_not_the_draft(
    chat: ChatPage, watch: Watch
) -> None:
    watch.allow("status of (401|404)")
    chat.ask("Before.")
    chat.choose([picture()])
    chat.page.context.clear_cookies()
    chat.question.fill("After?")
    chat.question.press("Enter")
    expect(chat.page.get_by_text("This conversation does not exist")).to_be_visible()
    expect(chat.history.get_by_role("link")).to_have_count(0)
    expect(chat.question).to_have_value("After?")
    chat.question.press("Enter")
    expect(chat.turn(0).answer).to_have_text("After? [1 picture]", timeout=ANSWER_MS)
    expect(chat.turns).to_have_count(1)


def test_a_browser_that_keeps_no_cookies_is_told(open_page: OpenPage, service: ServedPage, watch: Watch) -> None:
    watch.allow("status of 401")
    chat = open_page(service.url)
    expect(chat.empty).to_be_visible()

    def forget(route: Route) -> None:
        response = route.fetch()
        headers = {name: value for name, value in response.headers.items() if name != "set-cookie"}
        route.fulfill(response=response, headers=headers)
        chat.page.context.clear_cookies()

    chat.page.route("**/api/session", forget)
    chat.page.context.clear_cookies()
    chat.question.fill("Hello?")
    chat.question.press("Enter")
    expect(chat.page.get_by_text("Please allow cookies for this page.")).to_be_visible()
    chat.page.unroute("**/api/session")
    chat.page.get_by_role("button", name="Try again").click()
    expect(chat.question).to_have_value("Hello?")
    assert chat.page.evaluate("document.querySelectorAll('#examples li').length") == 3
