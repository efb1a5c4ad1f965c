"""The console's settings in a real Chromium: decided by keyboard, on a phone, in the dark, without a script."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from core.policy.snapshot import snapshot_of
from core.values import Platform, new_id
from tests.browser.looks import AA, contrasts, fits, weight
from tests.browser.review import Review
from tests.browser.test_console import PAGE_KIB, PHONE
from tests.browser.watch import Watch
from tests.deciding import decide, target_of

pytestmark = pytest.mark.browser

LISTENS_LABEL = "In channels and groups it answers"


@pytest.fixture
def plain(browser: Browser) -> Iterator[BrowserContext]:
    """A profile without scripts."""
    made = browser.new_context(java_script_enabled=False)
    yield made
    made.close()


def some_workspace(review: Review) -> tuple[str, str]:
    """A workspace of the test's own: its name, and the address of its settings."""
    name = f"T{new_id()[-8:]}"
    target = target_of(review.installation.store, Platform.SLACK, name)
    target_of(review.installation.store, Platform.SLACK, name, "C0DESIGN")
    return name, f"/settings/workspaces/{target.id}"


def decided(review: Review, name: str) -> dict[str, object]:
    with review.installation.store.read() as repositories:
        newest = snapshot_of(repositories.settings.newest())
    chain = newest.at(Platform.SLACK, name).chain
    return chain[0].policy.stored() if chain else {}


def add_mode(page: Page) -> None:
    page.get_by_text("Add a mode").click()
    mode = page.locator("details.mode").last
    mode.get_by_role("textbox", name="Name").fill("shop")
    mode.get_by_label("Title").fill("Our shop’s shelves")
    mode.get_by_label("System prompt").fill("You sell 书 and <b>pens</b>.")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_mode_is_made_chosen_and_undone(
    review: Review, context: BrowserContext, plain: BrowserContext, scripts: bool
) -> None:
    name, address = some_workspace(review)
    page = review.signed_in(context if scripts else plain, path=address)
    add_mode(page)
    page.get_by_label(LISTENS_LABEL).select_option("pictures")
    page.get_by_label("Questions of a person in a day").fill("20")
    page.get_by_label("Why (for the history)").fill("For the shop")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved. It counts within a second.")
    assert decided(review, name) == {
        "listens": "pictures",
        "questions_per_day": 20,
        "personas": [{"name": "shop", "title": "Our shop’s shelves", "system_prompt": "You sell 书 and <b>pens</b>."}],
    }
    page.get_by_label("Mode until somebody chooses another").select_option("shop")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row", name="Mode until somebody chooses another shop")).to_be_visible()
    page.get_by_role("button", name="Undo").first.click()
    expect(page.get_by_text("as in version 1")).to_be_visible()
    assert "persona" not in decided(review, name)
    # A channel sees what its workspace has decided.
    page.get_by_role("link", name="C0DESIGN").click()
    row = page.get_by_role("row", name=LISTENS_LABEL)
    expect(row.get_by_role("cell")).to_have_text([LISTENS_LABEL, "also every message with a picture", "the workspace"])


def test_a_fault_is_shown_beside_its_field_and_two_admins_do_not_overwrite_each_other(
    review: Review, context: BrowserContext, watch: Watch
) -> None:
    watch.allow("status of (400|409)")
    name, address = some_workspace(review)
    page = review.signed_in(context, path=address)
    page.get_by_label("Temperature").first.fill("warm")
    page.get_by_role("button", name="Save").click()
    field = page.get_by_label("Temperature").first
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description("This must be a number.")
    expect(page.get_by_role("alert")).to_be_visible()
    field.fill("0.5")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    assert decided(review, name) == {"temperature": 0.5}
    decide(review.installation.store, Platform.SLACK, name, listens="mentions")
    field.fill("0.9")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Somebody else has changed these settings meanwhile")
    expect(field).to_have_value("0.9")
    assert decided(review, name) == {"listens": "mentions"}


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("phone", [False, True])
def test_it_fits_and_can_be_read(review: Review, browser: Browser, dark: bool, phone: bool) -> None:
    name, address = some_workspace(review)
    prompt = "You help people in a shop. " * 12
    modes = [{"name": "shop", "title": "Our shop", "system_prompt": prompt, "languages": ["zh"]}]
    decide(review.installation.store, Platform.SLACK, name, personas=modes, listens="pictures", people=["U" + "1" * 60])
    made = browser.new_context(color_scheme="dark" if dark else "light", **(PHONE if phone else {}))  # type: ignore[arg-type]
    page = review.signed_in(made, path=address)
    for summary in page.locator("main details > summary").all():
        if summary.is_visible():
            summary.click()
    assert fits(page)
    low = [(text, contrast) for text, contrast in contrasts(page) if contrast < AA]
    assert low == []
    for unnamed in page.locator("main input:not([type=hidden]), main select, main textarea").all():
        assert unnamed.evaluate("field => field.labels.length"), unnamed.get_attribute("name")
    made.close()


def test_the_page_is_light(review: Review, context: BrowserContext) -> None:
    _, address = some_workspace(review)
    page = review.signed_in(context)
    assert 0 < weight(page, review.url + address) <= PAGE_KIB * 1024
