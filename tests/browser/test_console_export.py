"""Exporting in a real Chromium: from the list to the file, a token, all about one person."""

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from core.values import new_id
from tests.browser.looks import AA, contrasts, fits
from tests.browser.review import Review, sample
from tests.browser.watch import Watch
from tests.integration.web.site import picture

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 360, "height": 640}, "is_mobile": True, "has_touch": True}


def downloaded(page: Page, press: Callable[[], None], folder: Path) -> Path:
    """What the browser has stored, whole."""
    with page.expect_download() as expected:
        press()
    path = folder / expected.value.suggested_filename
    expected.value.save_as(path)
    return path


def test_what_the_list_shows_comes_as_a_file_that_can_be_read_back(
    review: Review, context: BrowserContext, tmp_path: Path
) -> None:
    word = f"ibex{new_id()[-6:]}"
    review.answered(f"{word}: mail ann@example.org or 13812345678", sample("../../<b>.png"), thread=word)
    review.answered(f"{word} 颜色是什么", thread=f"{word}-zh")
    page = review.signed_in(context, path=f"/?q={word}")
    page.get_by_role("link", name="Export these").click()
    expect(page.get_by_text(f"q: {word}")).to_be_visible()
    page.get_by_label("as files").check()
    file = downloaded(page, page.get_by_role("button", name="Download (zip)").click, tmp_path)
    archive = zipfile.ZipFile(file)
    assert archive.testzip() is None
    lines: list[dict[str, Any]] = [json.loads(line) for line in archive.read("conversations.jsonl").splitlines()]
    said = [line["messages"][-2]["content"][-1]["text"] for line in lines]
    assert said == [f"{word}: mail [EMAIL] or [PHONE]", f"{word} 颜色是什么"]
    assert archive.read(lines[0]["images"][0]) == picture(size=(320, 240))
    assert json.loads(archive.read("manifest.json"))["lines"] == 2
    page.get_by_label("without", exact=True).check()
    page.get_by_label("e-mail addresses").uncheck()
    file = downloaded(page, page.get_by_role("button", name="Only the lines").click, tmp_path)
    first = json.loads(file.read_text().splitlines()[0])
    assert first["messages"][-2]["content"][-1]["text"] == f"{word}: mail ann@example.org or [PHONE]"


def test_a_token_is_shown_once(review: Review, context: BrowserContext) -> None:
    page = review.signed_in(context, path="/export")
    page.get_by_role("link", name="Tokens").click()
    page.get_by_label("What it is for").fill("nightly <script>alert(1)</script>")
    page.get_by_role("button", name="Make a token").click()
    expect(page.locator(".secret")).to_have_text(re.compile("^glimt_console_"))
    page.goto(f"{review.url}/tokens")
    expect(page.locator(".secret")).to_have_count(0)
    expect(page.get_by_text("nightly <script>")).to_be_visible()
    page.get_by_role("button", name="End the token").click()
    expect(page.get_by_text("nightly <script>")).to_have_count(0)


def test_all_about_one_person_opens_from_the_disk(
    review: Review, context: BrowserContext, watch: Watch, tmp_path: Path
) -> None:
    evil = f"<img src=x onerror=alert(1)> {new_id()[-6:]}"
    accepted = review.answered(evil, sample("me.png"))
    page = review.signed_in(context, path=f"/export/people?person={accepted.person_id}")
    file = downloaded(page, page.get_by_role("button", name="Download all about").click, tmp_path)
    zipfile.ZipFile(file).extractall(tmp_path / "mine")
    address = (tmp_path / "mine" / "index.html").as_uri()
    watch.allow_origin("file://")
    page.goto(address)
    expect(page.get_by_text(evil).first).to_be_visible()
    # The picture beside it is shown.
    expect(page.locator("img").last).to_have_js_property("naturalWidth", 320)


@pytest.mark.parametrize("looks", [{}, {"color_scheme": "dark"}, PHONE, {**PHONE, "color_scheme": "dark"}])
def test_the_pages_fit_and_can_be_read(
    review: Review, new_context: Callable[..., BrowserContext], watch: Watch, looks: dict[str, Any]
) -> None:
    watch.allow_origin(review.url)
    page = review.signed_in(new_context(**looks), path="/export?feedback=good&q=a+word")
    for path in ("/export?feedback=good&q=a+word", "/tokens", "/export/people?person=a"):
        page.goto(review.url + path)
        assert fits(page), path
        low = [(text, contrast) for text, contrast in contrasts(page) if contrast < AA]
        assert low == [], path
