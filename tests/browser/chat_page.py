"""The chat page as a person sees it: what there is to read and to press."""

import re
from collections.abc import Sequence

from playwright.sync_api import FilePayload, Locator, Page, expect

# Two busy cores and a real model.
ANSWER_MS = 60_000


class TurnOnPage:
    """One question and its answer."""

    def __init__(self, element: Locator) -> None:
        self.element = element
        self.question = element.locator(".bubble")
        self.answer = element.locator(".answer")
        self.status = element.locator(".status")
        self.failed = element.locator(".failed")
        self.notes = element.locator(".notes")
        self.refused = element.locator(".refused li")
        self.thinking = element.locator(".thinking")
        self.thoughts = element.locator(".thoughts")
        self.seen = element.locator(".seen")
        self.pictures = element.locator(".pictures img")
        self.good = element.get_by_role("button", name="Good answer")
        self.bad = element.get_by_role("button", name="Bad answer")
        self.copy = element.get_by_role("button", name="Copy the answer")
        self.again = element.get_by_role("button", name="Try again")

    def wait_until_over(self) -> None:
        """Until it is answered, failed or stopped."""
        expect(self.element).to_have_attribute(
            "data-state", re.compile("answered|delivered|failed|cancelled"), timeout=ANSWER_MS
        )


class ChatPage:
    """The page in one browser tab."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.question = page.get_by_label("Your question")
        self.send = page.get_by_role("button", name="Send", exact=True)
        self.stop = page.get_by_role("button", name="Stop", exact=True)
        self.attach = page.get_by_role("button", name="Add pictures")
        self.previews = page.get_by_role("list", name="Pictures to send").get_by_role("listitem")
        self.problem = page.locator("#problem")
        self.notice = page.locator("#connection")
        self.turns = page.locator(".turn")
        self.history = page.get_by_role("navigation", name="Earlier conversations")
        self.title = page.get_by_role("heading", level=1)
        self.empty = page.get_by_role("heading", name="Ask about a picture")

    def turn(self, number: int) -> TurnOnPage:
        """The turn with this number, from 0; -1 is the last."""
        return TurnOnPage(self.turns.last if number < 0 else self.turns.nth(number))

    def choose(self, files: Sequence[FilePayload]) -> None:
        """Choose pictures as with the button's file dialog."""
        with self.page.expect_file_chooser() as chooser:
            self.attach.click()
        chooser.value.set_files(list(files))

    def ask(self, question: str, *, wait: bool = True) -> TurnOnPage:
        """Type and send with Enter; `wait` until the answer is over."""
        expect(self.question.filter(visible=True)).to_be_editable()
        count = self.turns.count()
        self.question.fill(question)
        self.question.press("Enter")
        expect(self.turns).to_have_count(count + 1, timeout=ANSWER_MS)
        turn = self.turn(count)
        if wait:
            turn.wait_until_over()
        return turn
