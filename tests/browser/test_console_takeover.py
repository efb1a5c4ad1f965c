"""Taking over in a real Chromium: an operator's words arrive in Telegram once, and on a chat page that lies open."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, expect

from core.admins import Role
from core.store.models import Conversation
from tests.asking import Asker
from tests.browser.chat_page import ChatPage
from tests.browser.conftest import OpenPage, ServedPage
from tests.browser.looks import AA, contrasts, fits, inside
from tests.browser.review import Review, ready
from tests.browser.watch import Watch
from tests.fakes.telegram import Chat, FakeTelegram
from tests.integration.web.site import picture
from tests.processes import PATIENCE_S, installation

pytestmark = pytest.mark.browser

TAKEN = "A person answers you here now, and I stay silent meanwhile."
BACK = "I answer here again."
PHONE = {"viewport": {"width": 360, "height": 640}, "is_mobile": True, "has_touch": True}
BLUE = FilePayload(name="blue.png", mimeType="image/png", buffer=picture("blue", size=(320, 240)))


@dataclass
class Served:
    """A bot in Telegram and the console beside it."""

    telegram: FakeTelegram
    review: Review

    def said(self, chat: Chat) -> list[tuple[str, str]]:
        """What the bot said: text and media."""
        return [(one.text, one.media) for one in self.telegram.answers(chat)]

    def conversation(self) -> str:
        """The one conversation that there is."""
        with self.review.installation.store.read() as repositories:
            return repositories.session.query(Conversation).one().id


@pytest.fixture(scope="module")
def served(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """All processes around a strict Telegram."""
    with FakeTelegram() as telegram, installation(tmp_path_factory.mktemp("taking-over")) as made:
        made.env |= {"TELEGRAM_BOT_TOKEN": telegram.bot_token, "TELEGRAM_API_URL": telegram.url}
        made.start_worker()
        made.start_bots()
        yield Served(telegram, Review(made.start_console(), made, Asker(made)))


def test_an_operators_words_arrive_in_telegram_once_and_then_the_bot_answers_again(
    served: Served, new_context: Callable[..., BrowserContext], watch: Watch
) -> None:
    telegram, review = served.telegram, served.review
    watch.allow_origin(review.url)
    ann = telegram.user("ann")
    chat = telegram.private(ann)
    telegram.say(ann, chat, "Do you have red dresses?")
    telegram.wait_for(lambda: len(served.said(chat)) == 1, PATIENCE_S)
    telegram.say(ann, chat, "/human")
    telegram.wait_for(lambda: len(served.said(chat)) == 2, PATIENCE_S)
    page = review.signed_in(new_context(viewport={"width": 1100, "height": 760}), Role.OPERATOR)
    # Whoever waits for a human stands on top, and is reached by keyboard alone.
    expect(page.get_by_role("heading", name="Waiting for a human")).to_be_visible()
    ready(page)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#takeover")).to_contain_text("Waits for a human")
    ready(page)
    page.keyboard.press("t")
    expect(page.get_by_role("button", name="Take over")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#takeover")).to_contain_text("You answer here")
    # What comes meanwhile is seen without reloading, and that an answer is awaited.
    telegram.say(ann, chat, "In size 38, please")
    expect(page.locator(".turn").last.locator(".bubble")).to_have_text("In size 38, please")
    expect(page.locator("#takeover .badge")).to_have_text("1 unanswered")
    words = page.get_by_label("Your words to the person")
    page.keyboard.press("t")
    expect(words).to_be_focused()
    words.fill("We have *two* of them:\nhttps://shop.example/38")
    page.get_by_label("Pictures").set_input_files([BLUE])
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.url.endswith("/say") else None)
    words.press("Control+Enter")
    expect(page.locator(".turn").last.locator(".human.words")).to_contain_text("https://shop.example/38")
    expect(page.locator(".turn").last.locator(".human.pictures img")).to_have_count(1)
    expect(page.locator(".turn").last.locator(".state")).to_have_text("delivered", timeout=30_000)
    telegram.wait_for(lambda: len(served.said(chat)) == 4, PATIENCE_S)
    assert len(sent) == 1
    # Going back to the form and sending the same again says nothing twice.
    page.reload()
    page.get_by_role("button", name="Hand back to the bot").click()
    expect(page.locator("#takeover")).to_contain_text("The bot answers here.")
    telegram.wait_for(lambda: len(served.said(chat)) == 5, PATIENCE_S)
    telegram.say(ann, chat, "Thank you, bot")
    telegram.wait_for(lambda: len(served.said(chat)) == 6, PATIENCE_S)
    assert served.said(chat)[2:5] == [
        (TAKEN, ""),
        ("We have *two* of them:\nhttps://shop.example/38", "photo"),
        (BACK, ""),
    ]
    assert "Thank you, bot" in served.said(chat)[5][0]


def test_without_a_script_a_double_click_says_it_once(served: Served, browser: Browser) -> None:
    telegram, review = served.telegram, served.review
    ben = telegram.user("ben")
    chat = telegram.private(ben)
    telegram.say(ben, chat, "Who is there?")
    telegram.wait_for(lambda: len(served.said(chat)) == 1, PATIENCE_S)
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 640})
    try:
        page = review.signed_in(context, Role.OPERATOR, "/?platform=telegram&person=ben")
        page.locator("[data-item]").first.click()
        page.get_by_role("button", name="Take over").click()
        page.get_by_label("Your words to the person").fill("It is me.")
        page.get_by_role("button", name="Send").dblclick(no_wait_after=True)
        expect(page.locator(".human.words")).to_have_text("It is me.")
        page.get_by_role("button", name="Hand back to the bot").click()
        telegram.wait_for(lambda: len(served.said(chat)) == 4, PATIENCE_S)
    finally:
        context.close()
    assert [text for text, _ in served.said(chat)][1:] == [TAKEN, "It is me.", BACK]


def _web_conversation(chat: ChatPage) -> str:
    return chat.page.url.rpartition("/")[2]


def taken_over(review: Review, context: BrowserContext, conversation_id: str) -> Page:
    """The console's page of a conversation that its admin has just taken over."""
    page = review.signed_in(context, Role.OPERATOR, f"/conversations/{conversation_id}")
    page.get_by_role("button", name="Take over").click()
    expect(page.locator("#takeover")).to_contain_text("You answer here")
    return page


def test_an_open_chat_page_shows_what_a_person_says_without_being_asked(
    review: Review, service: ServedPage, context: BrowserContext, open_page: OpenPage
) -> None:
    chat = open_page(service.url)
    chat.ask("Do you have this in blue?")
    page = taken_over(review, context, _web_conversation(chat))
    # Nothing is being answered on that page: it looks by itself.
    expect(chat.turn(0).element).to_contain_text(TAKEN, timeout=20_000)
    words = page.get_by_label("Your words to the person")
    words.fill("Yes: <b>look</b> at https://shop.example/blue.")
    page.get_by_label("Pictures").set_input_files([BLUE])
    page.get_by_role("button", name="Send").click()
    said = chat.turn(1)
    expect(said.answer).to_have_text("Yes: <b>look</b> at https://shop.example/blue.", timeout=20_000)
    link = said.answer.get_by_role("link")
    expect(link).to_have_attribute("href", "https://shop.example/blue")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    expect(said.element.locator(".answered-with img")).to_be_visible()
    expect(said.good).to_be_hidden()
    expect(said.element).to_contain_text("Answered by a person")
    # What is asked meanwhile is left to the person, and says so; it stands behind what was said before it.
    chat.page.route("**/version?**", lambda route: route.fulfill(status=204))
    words.fill("It is new.")
    words.press("Control+Enter")
    expect(page.locator(".human.words").last).to_have_text("It is new.")
    asked = chat.ask("How much is it?", wait=False)
    chat.page.unroute("**/version?**")
    expect(chat.turn(2).answer).to_have_text("It is new.", timeout=20_000)
    asked = chat.turn(3)
    expect(asked.notes).to_have_text("A person will answer this.")
    expect(page.locator(".turn").last.locator(".bubble")).to_have_text("How much is it?")
    words.fill("20 €")
    words.press("Control+Enter")
    expect(asked.answer).to_have_text("20 €", timeout=20_000)
    page.get_by_role("button", name="Hand back to the bot").click()
    expect(asked.element).to_contain_text(BACK, timeout=20_000)
    # All of it is there again, and the bot goes on.
    chat.page.reload()
    expect(chat.turn(0).element).to_contain_text(TAKEN)
    expect(chat.turn(3).answer).to_have_text("20 €")
    expect(chat.turn(3).element).to_contain_text(BACK)
    answered = chat.ask("And the bot?")
    expect(answered.answer).to_contain_text("And the bot?")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_panel_fits_on_a_phone_and_can_be_read(
    review: Review, new_context: Callable[..., BrowserContext], watch: Watch, scheme: str
) -> None:
    watch.allow_origin(review.url)
    asked = review.answered(f"Phone, {scheme}?", thread=f"phone {scheme}")
    context = new_context(color_scheme=scheme, **PHONE)
    page = taken_over(review, context, asked.conversation_id)
    page.get_by_label("Your words to the person").fill("Words")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".human.words")).to_be_visible()
    ready(page)
    assert fits(page)
    assert inside(page, page.get_by_role("button", name="Send"))
    assert [(text, contrast) for text, contrast in contrasts(page) if contrast < AA] == []


def test_two_operators_see_who_answers(
    review: Review, new_context: Callable[..., BrowserContext], watch: Watch
) -> None:
    watch.allow_origin(review.url)
    asked = review.answered("Whose turn is it?", thread="two operators")
    hers = taken_over(review, new_context(), asked.conversation_id)
    his = review.signed_in(new_context(), Role.OPERATOR, f"/conversations/{asked.conversation_id}")
    expect(his.locator("#takeover")).to_contain_text("answers here")
    his.get_by_role("button", name="Take over from").click()
    expect(his.locator("#takeover")).to_contain_text("You answer here")
    # Her page says so by itself, and what she sends nevertheless is refused with a reason.
    expect(hers.locator("#takeover-state")).to_contain_text("this has changed", timeout=20_000)
    hers.get_by_label("Your words to the person").fill("Hello?")
    watch.allow("409")
    hers.get_by_role("button", name="Send").click()
    expect(hers.locator("main")).to_contain_text("take over first")
