"""The review console in a browser, and people who ask at the same installation."""

from dataclasses import dataclass

from playwright.sync_api import BrowserContext, Page, expect

from admin.manage import create_admin, make_link
from core.admins import Role
from core.conversation.inbound import Accepted, Named
from core.media.safe_picture import SafePicture
from core.values import new_id
from tests.asking import Asker
from tests.integration.web.site import picture
from tests.processes import Installation


@dataclass
class Review:
    """A console, and people who ask at the same installation."""

    url: str
    installation: Installation
    asker: Asker

    def signed_in(self, context: BrowserContext, role: Role = Role.OWNER, path: str = "/") -> Page:
        """A page of an admin of its own."""
        name = f"{role}-{new_id()[-8:]}"
        settings = self.asker.settings
        create_admin(settings, name, role, everywhere=True)
        page = context.new_page()
        page.goto(make_link(settings, name, self.url))
        page.get_by_role("button", name="Sign in").click()
        expect(page).to_have_url(f"{self.url}/")
        page.goto(self.url + path)
        return page

    def answered(self, question: str, *pictures: Named, thread: str = "") -> Accepted:
        """A question that the worker has answered; the scripted engine repeats it."""
        accepted = self.asker.accept(question, thread=thread, pictures=pictures)
        self.asker.dispatcher.announce([accepted.person_id], [accepted.conversation_id])
        self.asker.wait([accepted.turn_id])
        return accepted


def ready(page: Page) -> None:
    """Until the page's script listens to keys: it sets the times after that."""
    expect(page.locator("time[data-local]").first).to_be_attached()


def sample(name: str = "chart.png") -> Named:
    """A picture as the reader process leaves it."""
    return Named(name, SafePicture.of(picture(size=(320, 240)), "image/png", 320, 240))
