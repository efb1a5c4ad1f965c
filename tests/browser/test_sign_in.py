"""An installation with keys and one slot: signing in and out, and waiting behind others."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from bots.web.keys import create_key
from tests.browser.chat_page import ANSWER_MS, ChatPage
from tests.browser.conftest import OpenPage, ServedPage
from tests.browser.files import picture
from tests.browser.watch import Watch
from tests.processes import installation

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def keys() -> dict[str, str]:
    """The keys of the installation, by who they are for."""
    return {}


@pytest.fixture(scope="module")
def service(browser: object, keys: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPage]:
    """A service that wants a key and answers one question at a time."""
    with installation(tmp_path_factory.mktemp("keys"), GLIMT_WORKER_SLOTS="1") as made:
        keys.update({name: create_key(made.store, name) for name in ("ada", "bo", "cleo")})
        made.start_worker()
        yield ServedPage(made.start_bots(), made)


def sign_in(chat: ChatPage, key: str) -> ChatPage:
    """Fill in the form."""
    chat.page.get_by_label("Key", exact=True).fill(key)
    chat.page.get_by_role("button", name="Sign in").click()
    return chat


def lose_session(chat: ChatPage, question: str) -> None:
    """Write `question`, choose a picture and send both when the cookie is gone."""
    expect(chat.question).to_be_visible()
    chat.choose([picture()])
    chat.page.context.clear_cookies()
    chat.question.fill(question)
    chat.question.press("Enter")
    expect(chat.question).to_be_hidden()


def test_a_wrong_key_is_told_and_a_right_one_lets_in(chat: ChatPage, keys: dict[str, str], watch: Watch) -> None:
    watch.allow("status of 401")
    key = chat.page.get_by_label("Key", exact=True)
    expect(key).to_be_focused()
    expect(chat.question).to_be_hidden()
    key.press("Enter")
    expect(chat.page.get_by_text("Please enter your key.")).to_be_visible()
    sign_in(chat, "glimt_wrong")
    expect(chat.page.get_by_role("alert").get_by_text("key is wrong")).to_be_visible()
    expect(key).to_be_focused()
    sign_in(chat, keys["ada"])
    expect(chat.question).to_be_focused()
    chat.ask("Is it me?")
    chat.page.reload()
    expect(chat.turn(0).answer).to_have_text("Is it me?")


def test_signing_out_leaves_nothing_on_the_page(chat: ChatPage, keys: dict[str, str]) -> None:
    sign_in(chat, keys["bo"])
    chat.ask("My secret.")
    chat.question.fill("Another secret")
    chat.page.get_by_role("button", name="Sign out").click()
    expect(chat.page.get_by_label("Key", exact=True)).to_be_visible()
    assert "secret" not in chat.page.content()
    sign_in(chat, keys["cleo"])
    expect(chat.empty).to_be_visible()
    expect(chat.question).to_have_value("")
    expect(chat.history.get_by_role("link")).to_have_count(0)


def test_a_lost_session_asks_for_the_key_and_keeps_the_question(
    chat: ChatPage, keys: dict[str, str], watch: Watch
) -> None:
    watch.allow("status of 401")
    lose_session(sign_in(chat, keys["ada"]), "Still here?")
    expect(chat.page.get_by_text("what you wrote and chose is still there")).to_be_visible()
    expect(chat.page.get_by_label("Key", exact=True)).to_be_focused()
    sign_in(chat, keys["ada"])
    expect(chat.question).to_have_value("Still here?")
    expect(chat.question).to_be_focused()
    expect(chat.previews.locator("canvas")).to_have_count(1)
    expect(chat.problem).to_have_text("You were signed out. Please try again.")
    chat.question.press("Enter")
    expect(chat.turn(0).answer).to_have_text("Still here? [1 picture]", timeout=ANSWER_MS)


def test_a_session_that_is_lost_meanwhile_goes_on_in_the_same_conversation(
    chat: ChatPage, keys: dict[str, str], watch: Watch
) -> None:
    watch.allow("status of 401")
    sign_in(chat, keys["ada"])
    chat.choose([picture()])
    turn = chat.ask("Before.")
    turn.element.get_by_role("button", name="Open shapes.png").click()
    chat.page.context.clear_cookies()
    # What a tab does when somebody comes back to it.
    chat.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    sign_in(chat, keys["ada"])
    expect(turn.answer).to_have_text("Before. [1 picture]")
    assert chat.ask("After.").answer.inner_text() == "After."
    expect(chat.turns).to_have_count(2)


@pytest.mark.parametrize("reloaded", [False, True])
def test_another_person_gets_nothing_of_the_one_whose_session_was_lost(
    chat: ChatPage, keys: dict[str, str], watch: Watch, reloaded: bool
) -> None:
    watch.allow("status of (401|404)")
    sign_in(chat, keys["bo"])
    chat.ask("My secret.")
    lose_session(chat, "Another secret")
    if reloaded:
        chat.page.reload()
    sign_in(chat, keys["cleo"])
    expect(chat.empty.or_(chat.page.get_by_text("This conversation does not exist"))).to_be_visible()
    expect(chat.question).to_have_value("")
    expect(chat.previews).to_have_count(0)
    expect(chat.history.get_by_role("link")).to_have_count(0)
    assert "secret" not in chat.page.content()
    for place in chat.page.evaluate("Object.values(sessionStorage)"):
        assert "secret" not in place


def test_the_same_person_finds_the_draft_after_a_reload_without_a_session(
    chat: ChatPage, keys: dict[str, str], watch: Watch
) -> None:
    watch.allow("status of 401")
    lose_session(sign_in(chat, keys["ada"]), "Still mine?")
    chat.page.reload()
    sign_in(chat, keys["ada"])
    expect(chat.question).to_have_value("Still mine?")


def test_the_place_in_the_queue_is_told(open_page: OpenPage, service: ServedPage, keys: dict[str, str]) -> None:
    pages = {name: sign_in(open_page(service.url), key) for name, key in keys.items()}
    running = pages["ada"].ask("Busy. [[hang]]", wait=False)
    expect(running.answer).to_contain_text("Busy.", timeout=ANSWER_MS)
    second = pages["bo"].ask("Second?", wait=False)
    expect(second.status).to_have_text("Yours is next…", timeout=ANSWER_MS)
    third = pages["cleo"].ask("Third?", wait=False)
    expect(third.status).to_have_text("1 question is ahead of yours…", timeout=ANSWER_MS)
    pages["ada"].stop.click()
    expect(second.answer).to_have_text("Second?", timeout=ANSWER_MS)
    expect(third.answer).to_have_text("Third?", timeout=ANSWER_MS)
