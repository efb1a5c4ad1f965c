"""Answers as they come: streaming, stopping, failing, trying again, reloading, losing the connection."""

import re

import pytest
from playwright.sync_api import expect

from core.process import stop
from tests.browser.chat_page import ANSWER_MS, ChatPage
from tests.browser.conftest import OpenPage, ServedPage
from tests.browser.files import picture
from tests.browser.watch import Watch

pytestmark = pytest.mark.browser


def test_an_answer_is_shown_while_it_is_written(chat: ChatPage) -> None:
    turn = chat.ask("[[tokens 60]] [[pace 20]]", wait=False)
    expect(turn.answer).to_contain_text("word4 ", timeout=ANSWER_MS)
    assert "word60" not in turn.answer.inner_text()
    expect(turn.answer).to_have_attribute("aria-live", "polite")
    expect(turn.answer).to_have_attribute("aria-busy", "true")
    turn.wait_until_over()
    expect(turn.answer).to_have_text(" ".join(f"word{n}" for n in range(1, 61)))
    expect(turn.answer).to_have_attribute("aria-busy", "false")
    expect(chat.stop).to_be_hidden()


def test_stop_keeps_what_was_said_and_try_again_asks_anew(chat: ChatPage) -> None:
    turn = chat.ask("[[tokens 200]] [[pace 40]]", wait=False)
    expect(turn.answer).to_contain_text("word5 ", timeout=ANSWER_MS)
    chat.stop.click()
    turn.wait_until_over()
    expect(turn.notes).to_contain_text("Stopped")
    expect(turn.answer).to_contain_text("word5 ")
    assert "word200" not in turn.answer.inner_text()
    expect(chat.question).to_be_focused()
    turn.again.click()
    expect(turn.answer).to_contain_text("word200", timeout=ANSWER_MS)
    turn.wait_until_over()
    expect(turn.answer).to_have_text(" ".join(f"word{n}" for n in range(1, 201)))
    expect(turn.again).to_be_hidden()


def test_escape_stops(chat: ChatPage) -> None:
    turn = chat.ask("Say something. [[hang]]", wait=False)
    expect(turn.answer).to_contain_text("Say", timeout=ANSWER_MS)
    chat.page.keyboard.press("Escape")
    turn.wait_until_over()
    expect(turn.element).to_have_attribute("data-state", "cancelled")
    expect(chat.question).to_be_focused()


def test_a_question_asked_meanwhile_waits_for_its_turn(chat: ChatPage) -> None:
    first = chat.ask("[[tokens 40]] [[pace 20]]", wait=False)
    second = chat.ask("And then?", wait=False)
    expect(second.status).to_have_text("Waiting for the answer above…")
    # Read out, too.
    expect(second.element.get_by_role("status")).to_have_text("Waiting for the answer above…")
    expect(first.answer).to_contain_text("word40", timeout=ANSWER_MS)
    expect(second.answer).to_have_text("And then?", timeout=ANSWER_MS)


def test_a_failure_is_told_and_can_be_tried_again_until_the_next_question(chat: ChatPage) -> None:
    turn = chat.ask("Break. [[fail]]")
    expect(turn.failed).to_contain_text("The model could not answer this question.")
    expect(turn.good).to_be_hidden()
    with chat.page.expect_response("**/retry") as response:
        turn.again.click()
    assert response.value.ok
    turn.wait_until_over()
    expect(turn.failed).to_be_visible()
    chat.ask("Something else.")
    expect(turn.again).to_be_hidden()


def test_a_retry_by_the_worker_is_announced_and_begins_the_text_anew(chat: ChatPage) -> None:
    turn = chat.ask("Once is not enough. [[fail-once]]", wait=False)
    expect(turn.status).to_contain_text("too large right now", timeout=ANSWER_MS)
    turn.wait_until_over()
    expect(turn.answer).to_have_text("Once is not enough. [[fail-once]]")
    expect(turn.failed).to_be_hidden()


def test_thinking_is_folded_away(chat: ChatPage) -> None:
    turn = chat.ask("What now? [[think]]")
    expect(turn.thinking).to_be_visible()
    expect(turn.thoughts).to_be_hidden()
    turn.thinking.get_by_text("Thinking").click()
    expect(turn.thoughts).to_have_text("Let me think.")
    assert "Let me think." not in turn.answer.inner_text()


def test_what_the_eyes_saw_is_a_folded_note_with_their_name(chat: ChatPage) -> None:
    chat.choose([picture()])
    turn = chat.ask("What is it? [[see]]")
    expect(turn.seen).to_have_text(re.compile(r"What the eyes saw \(scripted eyes\)"))
    expect(turn.seen.locator("p")).to_be_hidden()
    turn.seen.get_by_text("What the eyes saw").click()
    expect(turn.seen.locator("p")).to_have_text("96 × 64 pixels")
    assert turn.seen.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 96
    chat.page.reload()
    expect(chat.turn(0).seen).to_be_visible()


def test_a_reload_goes_on_with_the_running_answer(chat: ChatPage) -> None:
    turn = chat.ask("[[tokens 80]] [[pace 20]]", wait=False)
    expect(turn.answer).to_contain_text("word3 ", timeout=ANSWER_MS)
    chat.page.reload()
    turn = chat.turn(0)
    expect(turn.element).to_have_class(re.compile("writing"))
    expect(turn.answer).to_contain_text("word1 word2 word3 ")
    turn.wait_until_over()
    expect(turn.answer).to_have_text(" ".join(f"word{n}" for n in range(1, 81)))


def test_a_lost_connection_is_told_and_mended(chat: ChatPage, watch: Watch) -> None:
    watch.allow("ERR_INTERNET_DISCONNECTED|ERR_NETWORK_CHANGED|ERR_FAILED")
    turn = chat.ask("[[tokens 60]] [[pace 15]]", wait=False)
    expect(turn.answer).to_contain_text("word3 ", timeout=ANSWER_MS)
    chat.page.context.set_offline(True)
    expect(chat.notice).to_contain_text("Reconnecting")
    chat.question.fill("Are you there?")
    chat.question.press("Enter")
    expect(chat.problem).to_contain_text("The server cannot be reached.")
    expect(chat.question).to_have_value("Are you there?")
    chat.page.context.set_offline(False)
    expect(chat.notice).to_be_hidden(timeout=ANSWER_MS)
    turn.wait_until_over()
    expect(turn.answer).to_have_text(" ".join(f"word{n}" for n in range(1, 61)))
    chat.question.press("Enter")
    expect(chat.turn(1).answer).to_have_text("Are you there?", timeout=ANSWER_MS)
    expect(chat.turns).to_have_count(2)
    expect(chat.question).to_have_value("")


def test_two_tabs_show_the_same_conversation(open_page: OpenPage, chat: ChatPage, service: ServedPage) -> None:
    chat.ask("First tab.")
    other = open_page(chat.page.url, context=chat.page.context)
    expect(other.turn(0).answer).to_have_text("First tab.")
    other.ask("Second tab. [[tokens 30]] [[pace 15]]", wait=False)
    # Without a reload, and while it is written.
    expect(chat.turns).to_have_count(2)
    expect(chat.turn(1).element).to_have_class(re.compile("writing"), timeout=ANSWER_MS)
    other.turn(1).wait_until_over()
    chat.turn(1).wait_until_over()
    expect(chat.turn(1).answer).to_contain_text("word30")


def test_another_browser_cannot_see_the_conversation(
    open_page: OpenPage, chat: ChatPage, service: ServedPage, watch: Watch
) -> None:
    watch.allow("status of 404")
    chat.ask("Only mine.")
    stranger = open_page(chat.page.url)
    expect(stranger.page.get_by_text("This conversation does not exist")).to_be_visible()
    expect(stranger.turns).to_have_count(0)
    expect(stranger.history.get_by_role("link")).to_have_count(0)


def test_a_restarted_server_is_found_again_and_the_answer_goes_on(
    chat: ChatPage, service: ServedPage, watch: Watch
) -> None:
    watch.allow("ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE|ERR_NETWORK|status of 50")
    turn = chat.ask("[[tokens 200]] [[pace 20]]", wait=False)
    expect(turn.answer).to_contain_text("word3 ", timeout=ANSWER_MS)
    bots = next(p for p in reversed(service.installation.processes) if "bots" in str(p.args))
    stop(bots)
    expect(chat.notice).to_contain_text("Reconnecting")
    assert service.installation.start_bots() == service.url
    expect(chat.notice).to_be_hidden(timeout=ANSWER_MS)
    expect(turn.answer).to_contain_text("word200", timeout=ANSWER_MS)
    turn.wait_until_over()
    expect(turn.answer).to_have_text(" ".join(f"word{n}" for n in range(1, 201)))


def test_a_stream_that_a_proxy_refuses_is_opened_again(chat: ChatPage, watch: Watch) -> None:
    watch.allow("status of 502")
    chat.page.route("**/events", lambda route: route.fulfill(status=502, body="Bad gateway"), times=2)
    turn = chat.ask("[[tokens 20]] [[pace 20]]", wait=False)
    expect(turn.status).to_contain_text("Trying again")
    expect(turn.answer).to_have_text(" ".join(f"word{n}" for n in range(1, 21)), timeout=ANSWER_MS)
