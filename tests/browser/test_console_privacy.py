"""Retention, holds and erasing in a real Chromium: shown first, confirmed, then done; on a phone and in the dark."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import update

from core.store.models import Turn
from core.values import new_id, utc_now
from tests.browser.looks import AA, contrasts, fits
from tests.browser.review import Review, sample

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 360, "height": 640}, "is_mobile": True, "has_touch": True}


def age(review: Review, turn_id: str, days: int) -> None:
    """As if it had been asked so long ago."""
    with review.installation.store.write() as repositories:
        at = utc_now() - timedelta(days=days)
        repositories.session.execute(update(Turn).where(Turn.id == turn_id).values(created_at=at))


def set_rule(page: Page, review: Review, what: str, days: str) -> None:
    """As far as the page that shows what would go."""
    page.goto(f"{review.url}/retention")
    page.locator("select[name=what]").select_option(label=what)
    page.get_by_role("spinbutton", name="Days").fill(days)
    page.get_by_role("button", name="Show what would go").click()
    expect(page.get_by_role("heading", name="What would go")).to_be_visible()


def test_a_rule_is_shown_before_it_is_confirmed(review: Review, context: BrowserContext) -> None:
    old = review.answered(f"An old question {new_id()[-6:]}", sample())
    age(review, old.turn_id, 9000)
    page = review.signed_in(context)
    set_rule(page, review, "questions, answers and their pictures", "8000")
    figures = page.locator(".tiles")
    expect(figures).to_contain_text(re.compile(r"Questions\s*1"))
    expect(figures).to_contain_text(re.compile(r"Whole conversations\s*1"))
    expect(figures).to_contain_text(re.compile(r"Pictures\s*1"))
    page.get_by_role("button", name="Set this rule").click()
    # The browser itself wants the box ticked.
    expect(page.get_by_role("heading", name="What would go")).to_be_visible()
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Set this rule").click()
    expect(page).to_have_url(f"{review.url}/retention")
    row = page.get_by_role("row").filter(has_text="questions, answers")
    expect(row).to_contain_text("8000 days")
    page.get_by_role("link", name="Audit", exact=True).click()
    expect(page.get_by_role("row").filter(has_text="retention changed").first).to_contain_text('"rows": 1')
    # And taken away again, for the other tests.
    page.goto(f"{review.url}/retention")
    row.get_by_role("link").click()
    page.locator("select[name=keep]").select_option("default")
    page.get_by_role("button", name="Show what would go").click()
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Take the rule away").click()
    expect(page.get_by_text("There is no rule")).to_be_visible()


def test_a_conversation_is_held_let_go_and_erased_without_a_script(review: Review, browser: Browser) -> None:
    plain = browser.new_context(java_script_enabled=False)
    accepted = review.answered(f"To be erased {new_id()[-6:]}", sample())
    page = review.signed_in(plain, path=f"/conversations/{accepted.conversation_id}")
    page.get_by_role("link", name="Erase or hold").click()
    page.get_by_label("Why").fill("A dispute")
    page.get_by_role("button", name="Hold it").click()
    expect(page.get_by_text("A dispute")).to_be_visible()
    expect(page.get_by_role("button", name="Erase for good")).to_have_count(0)
    page.get_by_role("button", name="End the hold").click()
    page.get_by_label("to confirm").fill("no")
    page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was erased")
    page.get_by_label("to confirm").fill("erase")
    page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_role("heading", name="Erased")).to_be_visible()
    expect(page.locator(".tiles")).to_contain_text(re.compile(r"Questions\s*1"))
    page.goto(f"{review.url}/conversations/{accepted.conversation_id}")
    expect(page.get_by_role("alert")).to_contain_text("no such conversation")
    plain.close()


def test_a_person_is_found_from_a_transcript_and_erased(review: Review, context: BrowserContext) -> None:
    name = f"ann-{new_id()[-6:]}"
    accepted = review.asker.accept("Who am I?", person=name)
    page = review.signed_in(context, path=f"/conversations/{accepted.conversation_id}")
    page.get_by_role("link", name="About this person").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    page.get_by_label("to confirm").fill(name)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Erased")).to_be_visible()
    page.get_by_role("link", name="The person").click()
    expect(page.get_by_text("Erased before")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_can_be_read_on_a_phone(review: Review, browser: Browser, scheme: str) -> None:
    accepted = review.answered("A long question about nothing in particular", sample(), thread=new_id())
    phone = browser.new_context(color_scheme=scheme, **PHONE)  # type: ignore[arg-type]
    page = review.signed_in(phone)
    for path in (
        f"/people/{accepted.person_id}",
        f"/conversations/{accepted.conversation_id}/privacy",
        "/retention",
        "/retention/preview?what=turns&keep=days&days=1",
        "/audit",
    ):
        page.goto(review.url + path)
        expect(page.locator("h1")).to_be_visible()
        assert fits(page), path
        assert [(text, contrast) for text, contrast in contrasts(page) if contrast < AA] == [], path
        unnamed = page.locator("main :is(input, select):not([type=hidden])").evaluate_all(
            "all => all.filter(e => !e.labels?.length && !e.ariaLabel).map(e => e.name)"
        )
        assert unnamed == [], path
    phone.close()
