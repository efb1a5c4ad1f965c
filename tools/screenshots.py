"""Screenshots for the README, from a running service with the demo model:

python -m tools.screenshots http://127.0.0.1:8080
"""

import re
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, StorageState, ViewportSize, expect, sync_playwright

from tests.browser.chromium import ARGS, HOW_TO_GET_ONE, find_chromium

FOLDER = Path(__file__).parents[1] / "docs" / "screenshots"
EARLIER = ("How many shapes are there?", "Describe the picture.")
# With what must be in the answer: a wrong one is no advertisement.
QUESTIONS = {"What is in the top left?": "star", "What colour is it?": "Red"}
DESKTOP: ViewportSize = {"width": 1120, "height": 780}
PHONE: ViewportSize = {"width": 390, "height": 844}
ANSWER_MS = 60_000


def main(url: str) -> None:
    """Write chat.png (light), chat-dark.png and chat-phone.png, each below 200 KB."""
    path = find_chromium()
    if path is None:
        sys.exit(HOW_TO_GET_ONE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGS))
        state, address = _converse(browser, url)
        FOLDER.mkdir(parents=True, exist_ok=True)
        _shoot(browser, address, state, "chat.png", DESKTOP, "light")
        _shoot(browser, address, state, "chat-dark.png", DESKTOP, "dark")
        _shoot(browser, address, state, "chat-phone.png", PHONE, "light")
        browser.close()


def _converse(browser: Browser, url: str) -> tuple[StorageState, str]:
    """Hold three conversations; the cookies, and the address of the last conversation."""
    context = browser.new_context(viewport=DESKTOP)
    page = context.new_page()
    for question in EARLIER:
        _begin(page, url, question)
    first, *others = QUESTIONS
    _begin(page, url, first)
    for question in others:
        ask(page, question)
    for turn, word in zip(page.locator(".turn").all(), QUESTIONS.values(), strict=True):
        expect(turn.locator(".answer")).to_contain_text(word)
    page.locator(".turn").first.get_by_role("button", name="Good answer").click()
    state, address = context.storage_state(), page.url
    context.close()
    return state, address


def _begin(page: Page, url: str, question: str) -> None:
    page.goto(url)
    page.get_by_role("button", name="Try a sample picture").click()
    ask(page, question)


def ask(page: Page, question: str) -> None:
    """Ask in the open conversation, and wait for the whole answer."""
    count = page.locator(".turn").count()
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")
    over = re.compile("answered|delivered")
    expect(page.locator(".turn").nth(count)).to_have_attribute("data-state", over, timeout=ANSWER_MS)


def _shoot(browser: Browser, address: str, state: StorageState, name: str, viewport: ViewportSize, scheme: str) -> None:
    phone = viewport is PHONE
    context = browser.new_context(
        viewport=viewport,
        color_scheme="dark" if scheme == "dark" else "light",
        device_scale_factor=2,
        is_mobile=phone,
        has_touch=phone,
        storage_state=state,
    )
    page = context.new_page()
    page.goto(address)
    expect(page.locator(".turn")).to_have_count(len(QUESTIONS))
    page.locator(".turn img").first.evaluate("image => image.decode()")
    save(page.screenshot(), name)
    context.close()


def save(shot: bytes, name: str) -> None:
    """Write a screenshot as `name`, small."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    Image.open(BytesIO(shot)).convert("RGB").save(FOLDER / name, optimize=True)
    print(FOLDER / name, (FOLDER / name).stat().st_size)


if __name__ == "__main__":
    main(sys.argv[1])
