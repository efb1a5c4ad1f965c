"""The overview in a real Chromium: charts in light and dark, on a phone, without a script, and what goes on now."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from core.values import new_id, utc_now
from tests.browser.looks import AA, contrasts, fits, weight
from tests.browser.review import Review
from tests.browser.watch import Watch
from tests.browser.weeks import fill_weeks

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
PAGE_KIB = 60


@pytest.fixture(scope="module")
def weeks(review: Review) -> str:
    """Weeks of questions in a workspace of its own; the workspace's id."""
    return fill_weeks(review.installation.store, review.asker.settings.zone, utc_now(), f"T{new_id()[-6:]}")


def test_the_overview_by_day_and_its_links(review: Review, context: BrowserContext, weeks: str) -> None:
    page = review.signed_in(context, path="/")
    page.get_by_role("navigation", name="Console").get_by_role("link", name="Overview").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.goto(f"{review.url}/numbers?workspace={weeks}")
    expect(page.locator("figure.chart svg")).to_have_count(8)
    # Half of the day's questions failed, and it leads there.
    page.get_by_role("link", name=re.compile(r"\d{2} failed")).click()
    expect(page).to_have_url(re.compile(r"state=failed"))
    expect(page.locator("[data-item]").first).to_be_visible()
    page.go_back()
    chart = page.locator("figure.chart").nth(2)
    expect(chart.get_by_role("img")).to_have_accessible_name(re.compile("From question to answer"))
    chart.get_by_text("Figures").click()
    expect(chart.get_by_role("rowheader")).to_have_count(30)
    expect(chart.get_by_role("row").nth(1)).to_contain_text(re.compile(r"\d s"))
    page.get_by_role("link", name="90 days").click()
    expect(page).to_have_url(re.compile(r"days=90"))
    assert fits(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("phone", [False, True])
def test_every_text_can_be_read(
    review: Review, new_context: Callable[..., BrowserContext], watch: Watch, weeks: str, scheme: str, phone: bool
) -> None:
    watch.allow_origin(review.url)
    size = PHONE if phone else {"viewport": {"width": 1280, "height": 900}}
    page = review.signed_in(new_context(color_scheme=scheme, **size), path=f"/numbers?workspace={weeks}")
    expect(page.locator("figure.chart svg")).to_have_count(8)
    faint = [(text, contrast) for text, contrast in contrasts(page) if contrast < AA]
    assert faint == []
    assert fits(page)
    # Words in a drawing shrink with it: they must be readable on a phone as well.
    drawn = page.locator("figure.chart svg").first.bounding_box()
    assert drawn is not None
    assert 11 * drawn["width"] / 360 >= 9
    page.goto(f"{review.url}/numbers/people?workspace={weeks}")
    assert [found for found in contrasts(page) if found[1] < AA] == []
    assert fits(page)


def test_what_goes_on_now_is_refreshed_by_itself(review: Review, context: BrowserContext, weeks: str) -> None:
    page = review.signed_in(context, path=f"/numbers?workspace={weeks}")
    now = page.locator("#now")
    expect(now.get_by_role("row", name=re.compile("scripted:echo"))).to_be_visible()
    with page.expect_response(lambda response: response.url.endswith("/numbers/now")) as refreshed:
        pass
    assert refreshed.value.status == 200
    expect(now.get_by_text("Being answered")).to_be_visible()


def test_it_works_without_a_script(review: Review, browser: Browser, weeks: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = review.signed_in(context, path=f"/numbers?workspace={weeks}&days=90")
    # Open, because a filter is set.
    page.get_by_role("combobox", name="Channel").select_option(label="C-shop")
    page.get_by_role("button", name="Apply").click()
    expect(page).to_have_url(re.compile(r"place=[0-9a-f]{32}"))
    expect(page.locator("figure.chart svg")).to_have_count(8)
    context.close()


def test_ninety_days_are_light(review: Review, context: BrowserContext, weeks: str) -> None:
    page = review.signed_in(context)
    page.goto("about:blank")
    assert 0 < weight(page, f"{review.url}/numbers?workspace={weeks}&days=90") <= PAGE_KIB * 1024
