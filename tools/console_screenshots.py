"""Screenshots of the review console for the README, of an installation that is made for it:

python -m tools.console_screenshots

The machine needs a font that has Chinese.
"""

import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from admin.manage import LOCAL_OWNER, local_owner_link
from core.values import Platform
from tests.browser.chromium import ARGS, HOW_TO_GET_ONE, find_chromium
from tests.processes import installation
from tools.console_history import People, review, talk

FOLDER = Path(__file__).parents[1] / "docs" / "screenshots"
DESKTOP: ViewportSize = {"width": 1120, "height": 780}
PHONE: ViewportSize = {"width": 390, "height": 844}


def main() -> None:
    """Write console-*.png, in light and in dark, and one of a phone."""
    path = find_chromium()
    if path is None:
        sys.exit(HOW_TO_GET_ONE)
    with TemporaryDirectory() as folder, installation(Path(folder)) as at, sync_playwright() as playwright:
        people = People(at)
        shown, waits = talk(people)
        url = at.start_console()
        link = local_owner_link(at.settings)
        with at.store.read() as repositories:
            owner = repositories.admins.by_name(LOCAL_OWNER)
            assert owner is not None
            review(people, owner.id, shown)
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGS))
        page = _signed_in(browser, link)
        page.goto(f"{url}/conversations/{waits}")
        _take_over(page, people)
        state: Any = page.context.storage_state()
        page.context.close()
        transcript = f"{url}/conversations/{shown}"
        for scheme in ("", "-dark"):
            for name, address, ready in (
                ("inbox", url, _nothing),
                ("transcript", transcript, _nothing),
                ("take-over", f"{url}/conversations/{waits}", _typed),
                ("overview", f"{url}/numbers", _charts),
            ):
                _shoot(browser, state, address, f"console-{name}{scheme}.png", DESKTOP, ready)
        _shoot(browser, state, transcript, "console-phone.png", PHONE, _nothing)
        browser.close()


def _signed_in(browser: Browser, link: str) -> Page:
    page = browser.new_page()
    page.goto(link)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("[data-item]").first).to_be_visible()
    return page


def _take_over(page: Page, people: People) -> None:
    """Answer whoever waits, and leave the form open."""
    page.get_by_role("button", name="Take over").click()
    page.get_by_label("Your words to the person").fill("I am sorry! A new cup is on its way to you.")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".human.words")).to_be_visible()
    people.ask(Platform.TELEGRAM, "4244", "7", "Thank you! Do you need the broken one?", thread="p")
    people.deliver()


def _nothing(_: Page) -> None:
    """The page as it opens."""


def _charts(page: Page) -> None:
    """What counts most, and how it went day by day."""
    page.get_by_role("heading", name="These days").evaluate("title => scrollTo(0, title.offsetTop - 70)")


def _typed(page: Page) -> None:
    """An operator writes."""
    page.get_by_label("Your words to the person").fill("No, you can throw it away.")
    page.locator("main").evaluate("element => scrollTo(0, element.scrollHeight)")


def _shoot(
    browser: Browser, state: Any, address: str, file: str, viewport: ViewportSize, ready: Callable[[Page], None]
) -> None:
    scheme: Any = "dark" if "-dark" in file else "light"
    context = browser.new_context(
        viewport=viewport, color_scheme=scheme, device_scale_factor=1.5, storage_state=state, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(address)
    expect(page.locator("main h1").first).to_be_attached()
    expect(page.locator("main time:not([data-local])")).to_have_count(0)
    for image in page.locator("main img").all():
        image.evaluate("image => image.decode()")
    ready(page)
    shot = Image.open(BytesIO(page.screenshot())).convert("RGB")
    # Few colours: it stays sharp and becomes small.
    shot.quantize(192, dither=Image.Dither.NONE).save(FOLDER / file, optimize=True)
    print(file, (FOLDER / file).stat().st_size)
    context.close()


if __name__ == "__main__":
    main()
