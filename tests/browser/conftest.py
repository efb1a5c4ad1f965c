"""A real Chromium, a service behind it, and a watch over everything that a page must not do."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests.asking import Asker
from tests.browser.chat_page import ChatPage
from tests.browser.chromium import ARGS, HOW_TO_GET_ONE, find_chromium
from tests.browser.review import Review
from tests.browser.watch import Watch
from tests.processes import Installation, installation

OpenPage = Callable[..., ChatPage]
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a browser its tests are skipped, unless GLIMT_REQUIRE_BROWSER=1."""
    if find_chromium() is None and os.environ.get("GLIMT_REQUIRE_BROWSER") != "1":
        for item in items:
            if HERE in item.path.parents and "browser" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.skip(reason=HOW_TO_GET_ONE))


@dataclass(frozen=True)
class ServedPage:
    """A running service; `url` is the address of its page without a slash at the end."""

    url: str
    installation: Installation


# Not of the whole session: Playwright keeps an event loop running in this thread, which other tests could not bear.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests here."""
    path = find_chromium()
    if path is None:
        pytest.fail(HOW_TO_GET_ONE)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(ARGS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def service(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPage]:
    """The whole service around the scripted engine, which says what the question tells it to say."""
    folder = tmp_path_factory.mktemp("scripted")
    limits = {
        "GLIMT_PICTURES_PER_TURN": "3",
        "GLIMT_PICTURE_MAX_BYTES": "300000",
        "GLIMT_PICTURE_MAX_PIXELS": "1000000",
        "GLIMT_QUESTION_MAX_CHARS": "2000",
    }
    # Long enough between two attempts to read why there is a second.
    with installation(folder, GLIMT_RETRY_BASE_S="1.5", **limits) as made:
        made.start_worker()
        yield ServedPage(made.start_bots(), made)


@pytest.fixture(scope="package")
def demo_service(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPage]:
    """The whole service with the model that ships with it."""
    with installation(tmp_path_factory.mktemp("demo"), model="demo") as made:
        made.start_worker()
        yield ServedPage(made.start_bots(), made)


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Fails the test if any of its pages did what it must not do."""
    watch = Watch()
    yield watch
    assert watch.problems() == []


@pytest.fixture
def new_context(browser: Browser, watch: Watch, tmp_path: Path) -> Iterator[Callable[..., BrowserContext]]:
    """Makes watched browser profiles (each with cookies of its own); closes them after the test."""
    contexts: list[BrowserContext] = []

    def make(**options: object) -> BrowserContext:
        context = browser.new_context(**options)  # type: ignore[arg-type]
        context.set_default_timeout(30_000)
        watch.over(context)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def open_page(new_context: Callable[..., BrowserContext], watch: Watch) -> OpenPage:
    """Opens the chat page at an address, in a profile of its own or in `context`; options as for a profile."""

    def make(url: str, *, context: BrowserContext | None = None, **options: object) -> ChatPage:
        options = {"viewport": {"width": 1100, "height": 760}, **options}
        page = (context or new_context(**options)).new_page()
        watch.allow_origin(url)
        page.goto(url)
        expect(page.locator("#app, #sign-in").filter(visible=True)).to_have_count(1)
        return ChatPage(page)

    return make


@pytest.fixture
def chat(open_page: OpenPage, service: ServedPage) -> ChatPage:
    """The chat page of the scripted service, in a fresh profile."""
    return open_page(service.url)


@pytest.fixture(scope="package")
def review(service: ServedPage) -> Review:
    """The review console of the scripted service."""
    made = service.installation
    return Review(made.start_console(), made, Asker(made))


@pytest.fixture
def context(new_context: Callable[..., BrowserContext], watch: Watch, review: Review) -> BrowserContext:
    """A watched profile for the console."""
    watch.allow_origin(review.url)
    return new_context(viewport={"width": 1100, "height": 760})
