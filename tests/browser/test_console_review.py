"""Reviewing in a real Chromium: by keyboard alone, on a phone, in the dark, and whatever reviewers write is inert."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from core.reviewing import MOST_NOTES
from core.values import new_id, utc_now
from tests.browser.looks import AA, contrasts, fits, weight
from tests.browser.payloads import PAYLOADS
from tests.browser.review import Review, ready
from tests.browser.test_console import PAGE_KIB, PHONE
from tests.browser.watch import Watch

pytestmark = pytest.mark.browser


def make_label(review: Review, name: str) -> None:
    with review.installation.store.write() as repositories:
        repositories.labels.add(name, utc_now())


def press(page: Page, keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_a_whole_review_by_keyboard_alone(review: Review, context: BrowserContext) -> None:
    word, label = f"gecko{new_id()[-6:]}", f"Wrong colour {new_id()[-6:]}"
    make_label(review, label)
    for n in range(2):
        accepted = review.answered(f"{word} number {n}", thread=word)
    with review.installation.store.write() as repositories:
        repositories.feedback.set(accepted.turn_id, accepted.person_id, -1, now=utc_now())
    page = review.signed_in(context, path=f"/?q={word}")
    keys = page.keyboard
    ready(page)
    press(page, "j")
    keys.press("Enter")
    turn = page.locator(".turn:focus-within")
    expect(turn).to_be_visible()
    ready(page)
    press(page, "?")
    help_ = page.get_by_role("dialog", name="Keys")
    for said in ("flag the turn", "put a label", "write a note", "correct", "judge it", "assign", "queues"):
        expect(help_).to_contain_text(said)
    keys.press("Escape")
    # Flag: the forms open by themselves, and the turn stays chosen.
    press(page, "f")
    expect(turn.locator(".flagged")).to_contain_text("Flagged by")
    expect(turn.get_by_role("region", name=re.compile("Review turn"))).to_be_visible()
    # Label.
    press(page, "l")
    expect(turn.get_by_label("Label", exact=True)).to_be_focused()
    keys.type(label.lower())
    keys.press("Enter")
    expect(page.locator(".turn:focus .chips")).to_contain_text(label)
    # Note: Escape leaves it, what was written stays.
    press(page, "n")
    expect(turn.get_by_label("Note", exact=True)).to_be_focused()
    keys.type("jk? f")
    keys.press("Escape")
    expect(page.locator(".turn:focus")).to_be_visible()
    press(page, "n")
    keys.press("End")
    keys.type(" looked")
    keys.press("Control+Enter")
    expect(page.locator(".turn:focus .note")).to_contain_text("jk? f looked")
    # Correction, beside the original.
    press(page, "c")
    field = turn.get_by_label("What it should have been")
    expect(field).to_be_focused()
    keys.press("Control+A")
    keys.type("A **blue** gecko.")
    keys.press("Control+Enter")
    expect(page.locator(".turn:focus").get_by_role("region", name="Corrected answer")).to_contain_text("A blue gecko.")
    expect(turn.get_by_role("region", name="Original answer")).to_contain_text(word)
    # Judgement.
    press(page, "b")
    expect(turn.get_by_role("button", name="Bad", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(turn).to_contain_text("Bad, judges")
    press(page, "g")
    expect(turn.get_by_role("button", name="Good", exact=True)).to_have_attribute("aria-pressed", "true")
    # The other turn, and back.
    press(page, "k")
    press(page, "x")
    expect(page.locator(".turn:focus .bubble")).to_have_text(f"{word} number 0")
    expect(page.locator(".turn:focus")).to_contain_text("Unsure, judges")
    # The conversation.
    press(page, "a")
    expect(page.get_by_role("button", name="Give it back")).to_be_visible()
    ready(page)
    press(page, "e")
    expect(page.locator(".review-head")).to_contain_text("reviewed")
    expect(page.get_by_role("button", name="Review again")).to_be_visible()
    ready(page)
    press(page, "q")
    expect(page.get_by_role("heading", name="Review queues")).to_be_visible()


def test_a_queue_by_keyboard_alone(review: Review, context: BrowserContext, watch: Watch) -> None:
    word = f"newt{new_id()[-6:]}"
    for n in range(3):
        accepted = review.answered(f"{word} number {n}", thread=f"{word} {n}")
        with review.installation.store.write() as repositories:
            repositories.feedback.set(accepted.turn_id, accepted.person_id, -1, now=utc_now())
    page = review.signed_in(context, path="/queues")
    page.get_by_role("textbox", name="Name", exact=True).fill(word)
    page.get_by_role("button", name="Make").click()
    expect(page.get_by_role("heading", name=word)).to_be_visible()
    expect(page.locator(".at-work strong")).to_have_text(re.compile(r"\d+ open"))
    page.goto(f"{review.url}/queues")
    keys = page.keyboard
    rows = page.locator("[data-item]")
    for _ in range(rows.count()):
        press(page, "j")
        if word in rows.locator(":scope:focus").text_content():  # type: ignore[operator]
            break
    keys.press("Enter")
    expect(page.get_by_role("button", name="Work through")).to_be_focused()
    keys.press("Enter")
    at_work = page.locator(".turn:focus .at-work")
    expect(at_work).to_contain_text(word)
    ready(page)
    # Not before it is judged: the reason is told, and nothing is lost.
    watch.allow("status of 400")
    press(page, "d")
    expect(page.get_by_role("alert")).to_have_text("Judge the answer first: good, bad or unsure.")
    page.go_back()
    seen = set()
    while True:
        expect(at_work).to_contain_text(word)
        ready(page)
        seen.add(page.locator(".turn:focus").get_attribute("data-turn"))
        here = page.url
        press(page, "g")
        expect(page.locator('.turn:focus [aria-pressed="true"]')).to_have_text("Good")
        press(page, "d")
        expect(page).not_to_have_url(here)
        if "over=1" in page.url:
            break
    assert len(seen) >= 3
    expect(page.get_by_role("status")).to_contain_text("Nothing is free")
    expect(page.locator(".at-work strong")).to_have_text("0 open")


def test_what_the_service_refuses_is_said_beside_the_forms(
    review: Review, context: BrowserContext, watch: Watch
) -> None:
    accepted = review.answered(f"skink {new_id()[-6:]}")
    make_label(review, f"Odd {new_id()[-6:]}")
    page = review.signed_in(context, path=f"/conversations/{accepted.conversation_id}?turn=1&review=1")
    ready(page)
    watch.allow("status of 400")
    # htmx tells the console, too.
    watch.allow("Response Status Error Code 400")
    page.get_by_label("Label", exact=True).fill("no such thing")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("There is no such label")
    expect(page.get_by_label("Label", exact=True)).to_have_value("no such thing")


def test_what_reviewers_write_does_nothing(review: Review, context: BrowserContext) -> None:
    store = review.installation.store
    # An admin has so many notes on one turn.
    parts = [PAYLOADS[at : at + MOST_NOTES] for at in range(0, len(PAYLOADS), MOST_NOTES)]
    turns = [review.answered("alert: which one?", thread="payloads") for _ in parts]
    accepted = turns[0]
    page = review.signed_in(context)
    with store.write() as repositories:
        owner = next(admin for admin in repositories.admins.list() if admin.role == "owner")
        reviewing = repositories.reviewing(repositories.admins.scope(owner), owner.id)
        for n, payload in enumerate(PAYLOADS):
            plain = "".join(c for c in payload if c.isprintable())[:60]
            label = repositories.labels.add(f"{n} {plain}", utc_now())
            reviewing.put_label(accepted.turn_id, label.name, utc_now())
            reviewing.note(turns[n // MOST_NOTES].turn_id, payload, utc_now())
            reviewing.correct(accepted.turn_id, f"{payload}\n\n{n}", utc_now())
            reviewing.flag(accepted.turn_id, payload, utc_now())
    for path in (
        f"/conversations/{accepted.conversation_id}",
        f"/conversations/{accepted.conversation_id}?turn=1&review=1",
        "/?flagged=1",
        "/labels",
        "/queues",
    ):
        page.goto(review.url + path)
        if path not in ("/labels", "/queues"):
            expect(page.get_by_role("main")).to_contain_text("alert")
        page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
        expect(page.locator("main script, main iframe, main meta, main base, main style")).to_have_count(0)
        expect(page.locator("main [onerror], main [onload], main a[href^=javascript]")).to_have_count(0)
        expect(page.locator("main [hx-trigger=load], main [data-live]")).to_have_count(0)
    page.goto(f"{review.url}/conversations/{accepted.conversation_id}")
    assert page.locator(".note .words").all_text_contents() == list(PAYLOADS)
    with store.write() as repositories:
        for label in repositories.labels.list():
            repositories.labels.retire(label.id, utc_now())
    # `watch` fails this test if a dialog opened, another server was asked, or the policy had to step in.


@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark"}, PHONE], ids=["light", "dark", "phone"])
def test_the_pages_of_reviewing_can_be_read(
    review: Review, new_context: Callable[..., BrowserContext], watch: Watch, options: dict[str, object]
) -> None:
    watch.allow_origin(review.url)
    long = "averyveryverylongwordwithoutanyspace" * 4
    accepted = review.answered(f"Which colour? {long}")
    label = f"Long {long[:40]} {new_id()[-6:]}"
    make_label(review, label)
    page = review.signed_in(new_context(reduced_motion="reduce", **options))
    with review.installation.store.write() as repositories:
        owner = next(admin for admin in repositories.admins.list() if admin.role == "owner")
        reviewing = repositories.reviewing(repositories.admins.scope(owner), owner.id)
        reviewing.flag(accepted.turn_id, long, utc_now())
        reviewing.put_label(accepted.turn_id, label, utc_now())
        reviewing.note(accepted.turn_id, f"{long}\nLook again.", utc_now())
        reviewing.correct(accepted.turn_id, f"A **blue** one. {long}", utc_now())
        reviewing.judge(accepted.turn_id, "bad", utc_now())
    page.goto(f"{review.url}/queues")
    page.get_by_role("textbox", name="Name", exact=True).fill(f"{long[:40]} {new_id()[-6:]}")
    page.get_by_label("Rule").select_option("flagged")
    page.get_by_role("button", name="Make").click()
    expect(page.get_by_role("button", name="Work through")).to_be_visible()
    queue = page.url
    page.get_by_role("button", name="Work through").click()
    expect(page.locator(".at-work")).to_be_visible()
    for address in (
        page.url,
        queue,
        f"{review.url}/queues",
        f"{review.url}/labels",
        f"{review.url}/?flagged=1",
        f"{review.url}/conversations/{accepted.conversation_id}?turn=1&review=1",
    ):
        page.goto(address)
        page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
        assert fits(page), address
        texts = contrasts(page)
        assert len(texts) > 10
        assert [(text, contrast) for text, contrast in texts if contrast < AA] == [], address
        for control in page.locator("input:not([type=hidden]), select, textarea, button").filter(visible=True).all():
            expect(control).to_have_accessible_name(re.compile(r"\S"))


def test_a_transcript_with_open_forms_is_light(review: Review, context: BrowserContext) -> None:
    accepted = review.answered(f"toad {new_id()[-6:]}")
    page = review.signed_in(context)
    page.goto("about:blank")
    assert 0 < weight(page, f"{review.url}/conversations/{accepted.conversation_id}?turn=1&review=1") <= PAGE_KIB * 1024
