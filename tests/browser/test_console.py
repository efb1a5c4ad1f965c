"""The review console in a real Chromium: by keyboard alone, on a phone, in the dark, without a script."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from core.store.outcome import Outcome
from core.values import TurnState, new_id, utc_now
from tests.browser.looks import AA, contrasts, fits, inside, weight
from tests.browser.review import Review, ready, sample
from tests.browser.watch import Watch

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 360, "height": 640}, "is_mobile": True, "has_touch": True}
# What the pages may weigh without pictures, as it is sent.
PAGE_KIB = 60


@pytest.fixture
def plain(browser: Browser) -> Iterator[BrowserContext]:
    """A profile without scripts."""
    made = browser.new_context(java_script_enabled=False)
    yield made
    made.close()


def test_an_english_and_a_chinese_word_find_a_conversation_by_keyboard_alone(
    review: Review, context: BrowserContext
) -> None:
    word = f"zebra{new_id()[-6:]}"
    review.answered(f"A {word} crosses the road", thread=word)
    review.answered(f"左上角的颜色是什么 {word}", thread=word)
    page = review.signed_in(context)
    keys = page.keyboard
    for said, question in ((f"{word} 颜色", "左上角的颜色是什么"), (f"{word} crosses", "crosses the road")):
        ready(page)
        keys.press("/")
        expect(page.get_by_role("searchbox")).to_be_focused()
        keys.type(said)
        keys.press("Enter")
        expect(page.locator(".hits [data-item]")).to_have_count(1)
        expect(page).to_have_url(re.compile(r"\?q="))
        keys.press("Escape")
        keys.press("j")
        expect(page.locator("[data-item]")).to_be_focused()
        keys.press("Enter")
        turn = page.locator(".turn:focus")
        expect(turn.locator(".bubble")).to_contain_text(question)
        ready(page)
        keys.press("u")
        expect(page.locator(".rows")).to_be_visible()
    page.goto(f"{review.url}/?q={word}")
    expect(page.locator("[data-item]")).to_have_count(2)
    expect(page.locator("mark").first).to_have_text(word)
    ready(page)
    keys.press("j")
    keys.press("j")
    expect(page.locator("[data-item]").nth(1)).to_be_focused()
    keys.press("k")
    expect(page.locator("[data-item]").nth(0)).to_be_focused()
    keys.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    keys.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_filters_live_in_the_url_and_back_leads_back(review: Review, context: BrowserContext) -> None:
    word = f"lynx{new_id()[-6:]}"
    review.answered(f"{word} with a picture", sample())
    review.answered(f"{word} without")
    page = review.signed_in(context, path=f"/?q={word}")
    rows = page.locator("[data-item]")
    expect(rows).to_have_count(2)
    page.get_by_text("Filters").click()
    page.get_by_label("With a picture").check()
    expect(rows).to_have_count(1)
    expect(page).to_have_url(re.compile(rf"q={word}.*pictures=1"))
    page.reload()
    expect(rows).to_have_count(1)
    expect(page.get_by_label("With a picture")).to_be_checked()
    page.go_back()
    expect(rows).to_have_count(2)


def test_an_answer_is_seen_while_it_is_written(review: Review, context: BrowserContext) -> None:
    page = review.signed_in(context)
    accepted = review.asker.accept("[[think]] [[tokens 90]] [[pace 40]]")
    page.goto(f"{review.url}/conversations/{accepted.conversation_id}")
    review.asker.dispatcher.announce([accepted.person_id], [accepted.conversation_id])
    turn = page.locator(".turn")
    expect(turn.locator("[data-live-text]")).to_contain_text("word3", timeout=60_000)
    expect(turn.locator("[data-live-text]")).not_to_contain_text("word90")
    expect(turn.locator(".markdown")).to_contain_text("word90", timeout=60_000)
    expect(turn.get_by_text("Thinking")).to_be_visible()
    expect(turn.locator("dl")).to_contain_text("scripted:echo")
    expect(page.locator("[data-live]")).to_have_count(0)


def test_a_question_that_comes_meanwhile_is_added(review: Review, context: BrowserContext) -> None:
    thread = new_id()
    first = review.answered("The first one", thread=thread)
    page = review.signed_in(context, path=f"/conversations/{first.conversation_id}")
    expect(page.locator(".turn")).to_have_count(1)
    review.asker.ask("The second one", thread=thread)
    expect(page.locator(".turn")).to_have_count(2, timeout=30_000)
    expect(page.locator(".turn").nth(1).locator(".markdown")).to_have_text("The second one", timeout=30_000)


def test_boxes_stand_in_the_picture_and_it_opens_in_full(review: Review, context: BrowserContext) -> None:
    accepted = review.asker.accept("Where is the dot?", pictures=[sample("dot.png")])
    box: dict[str, Any] = {"label": "dot", "left": 0.25, "top": 0.5, "right": 0.5, "bottom": 0.75}
    with review.installation.store.write() as repositories:
        now = utc_now()
        turn = repositories.turns.claim(accepted.turn_id, "the-test", now, now)
        assert turn is not None
        there = Outcome(TurnState.ANSWERED, answer="There.", boxes=(box,), finish_reason="stop", model="x")
        repositories.turns.finish(turn.id, "the-test", turn.attempt, there, now)
    page = review.signed_in(context, path=f"/conversations/{accepted.conversation_id}")
    image = page.get_by_role("img", name="dot.png")
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") == 320
    shown, mark = image.bounding_box(), page.locator(".marks rect").first.bounding_box()
    assert shown is not None
    assert mark is not None
    assert mark["x"] == pytest.approx(shown["x"] + shown["width"] / 4, abs=3)
    assert mark["y"] == pytest.approx(shown["y"] + shown["height"] / 2, abs=3)
    assert mark["width"] == pytest.approx(shown["width"] / 4, abs=4)
    expect(page.locator(".legend")).to_have_text("dot")
    image.click()
    expect(page.get_by_role("heading", name="dot.png")).to_be_visible()
    expect(page.locator(".marks")).to_be_visible()
    page.wait_for_load_state()
    page.keyboard.press("u")
    expect(page.locator(".turn")).to_be_visible()


def test_everything_is_there_without_a_script(review: Review, plain: BrowserContext) -> None:
    word = f"otter{new_id()[-6:]}"
    review.answered(f"**{word}** in a river", sample())
    page = review.signed_in(plain)
    page.get_by_role("searchbox").fill(word)
    page.get_by_role("button", name="Search").click()
    expect(page.locator("[data-item]")).to_have_count(1)
    page.locator("[data-item]").click()
    expect(page.locator(".bubble")).to_have_text(f"**{word}** in a river")
    expect(page.locator(".markdown strong")).to_have_text(word)
    expect(page.get_by_role("img", name="chart.png")).to_be_visible()
    page.get_by_role("link", name="← Inbox").click()
    page.get_by_role("link", name="With pictures").click()
    expect(page.locator("[data-item]").first).to_be_visible()
    page.get_by_role("link", name="Manage").click()
    page.get_by_role("link", name="Admins").click()
    page.get_by_label("Name").fill(f"Made {word}")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text(f"Made {word}")).to_be_visible()
    page.get_by_role("button", name=f"Make a link for Made {word}").click()
    expect(page.locator(".secret")).to_contain_text(f"{review.url}/link/")
    page.get_by_role("link", name="Audit").click()
    expect(page.get_by_role("cell", name="admin added").first).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_a_phone_shows_every_page_without_scrolling_sideways(
    review: Review, new_context: Callable[..., BrowserContext], watch: Watch
) -> None:
    watch.allow_origin(review.url)
    long = "averyveryverylongwordwithoutanyspace" * 8
    accepted = review.answered(f"{long}\n\n```\n{long}\n```\n\n| {long} | b |\n|---|---|\n| {long} | c |", sample(long))
    page = review.signed_in(new_context(**PHONE))
    for path in ("/", "/?state=failed", f"/?q={long[:40]}", "/admins", "/audit", "/sessions"):
        page.goto(review.url + path)
        assert fits(page), path
        # An owner, who has the most of them, sees all ways without moving them about.
        for link in page.locator("nav:is([aria-label=Console], [aria-label=Manage]) a").all():
            assert inside(page, link), (path, link.text_content())
    page.goto(f"{review.url}/conversations/{accepted.conversation_id}")
    expect(page.locator(".bubble")).to_be_visible()
    assert fits(page)
    page.get_by_role("img").first.tap()
    expect(page.get_by_role("heading")).to_be_visible()
    assert fits(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_enough_contrast_and_every_field_a_name(
    review: Review, new_context: Callable[..., BrowserContext], watch: Watch, scheme: str
) -> None:
    watch.allow_origin(review.url)
    word = f"heron{new_id()[-6:]}"
    talk = review.answered(f"{word} `code` [a](https://example.com)\n\n> quote\n\n| a |\n|---|\n| b |", sample())
    failed = review.answered(f"{word} [[fail]]")
    with review.installation.store.write() as repositories:
        repositories.feedback.set(talk.turn_id, talk.person_id, 1, "yes", now=utc_now())
        repositories.feedback.set(failed.turn_id, failed.person_id, -1, "no", now=utc_now())
    page = review.signed_in(new_context(color_scheme=scheme, reduced_motion="reduce"))
    seen = 0
    for path in (
        "/",
        "/?state=failed",
        f"/?q={word}",
        f"/conversations/{talk.conversation_id}",
        f"/conversations/{failed.conversation_id}",
        "/admins",
        "/audit",
        "/sessions",
        "/nothing",
    ):
        if path == "/nothing":
            watch.allow("status of 404")
        page.goto(review.url + path)
        page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
        texts = contrasts(page)
        seen += len(texts)
        assert [(text, contrast) for text, contrast in texts if contrast < AA] == [], path
        for control in page.locator("input:not([type=hidden]), select, button").filter(visible=True).all():
            expect(control).to_have_accessible_name(re.compile(r"\S"))
    assert seen > 150
    page.get_by_role("link", name="Inbox").first.click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    assert [(text, contrast) for text, contrast in contrasts(page) if contrast < AA] == []


def test_signing_out_everywhere_ends_the_other_browser_too(
    review: Review, new_context: Callable[..., BrowserContext], context: BrowserContext
) -> None:
    here = review.signed_in(context)
    other = new_context()
    other.add_cookies([{**cookie} for cookie in context.cookies()])  # type: ignore[typeddict-item]
    there = other.new_page()
    there.goto(f"{review.url}/sessions")
    expect(there.get_by_role("heading", name="Where you are signed in")).to_be_visible()
    here.goto(f"{review.url}/sessions")
    here.get_by_role("button", name="Sign out everywhere").click()
    expect(here.get_by_label("Password")).to_be_visible()
    there.reload()
    expect(there.get_by_label("Password")).to_be_visible()


def test_a_page_is_light(review: Review, context: BrowserContext) -> None:
    page = review.signed_in(context)
    page.goto("about:blank")
    assert 0 < weight(page, f"{review.url}/") <= PAGE_KIB * 1024
