"""Screenshots of the review console for the README, of an installation that is made for it:

python -m tools.console_screenshots
"""

import sys
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, ViewportSize, expect, sync_playwright

from admin.manage import local_owner_link
from core.conversation.inbound import Accepted, InboundQuestion, Named
from core.conversation.intake import Intake
from core.inference.source import DEMO
from core.media.blobs import BlobStore
from core.media.safe_picture import SafePicture
from core.store.outcome import Outcome
from core.values import Platform, TurnState, new_id, utc_now
from tests.browser.chromium import ARGS, HOW_TO_GET_ONE, find_chromium
from tests.processes import Installation, installation

FOLDER = Path(__file__).parents[1] / "docs" / "screenshots"
DESKTOP: ViewportSize = {"width": 1120, "height": 780}
PHONE: ViewportSize = {"width": 390, "height": 844}
WORKER = "screenshots"
TOKENS = {"prompt_tokens": 812, "picture_tokens": 640, "cached_tokens": 120, "completion_tokens": 48}


class People:
    """Whoever asks, and the worker that answers them."""

    def __init__(self, at: Installation) -> None:
        self._store = at.store
        self._intake = Intake(at.store, BlobStore(at.settings.blob_store_url), at.settings)
        for platform, workspace, name, people in (
            (Platform.SLACK, "T0ACME", "Acme", {"U1": "Mei Lin", "U2": "Jonas Berg"}),
            (Platform.TELEGRAM, "support", "Acme support", {"7": "Priya", "8": "Tom"}),
        ):
            with at.store.write() as repositories:
                row = repositories.people.workspace(platform, workspace, name=name)
                for person, shown in people.items():
                    repositories.people.person(row.id, person, display_name=shown)

    def ask(
        self, platform: Platform, place: str, person: str, question: str, *pictures: Named, thread: str = ""
    ) -> Accepted:
        """Commit a question."""
        workspace = "T0ACME" if platform is Platform.SLACK else "support"
        inbound = InboundQuestion(
            platform=platform,
            workspace=workspace,
            person=person,
            event_key=new_id(),
            question=question,
            conversation=thread or None,
            pictures=pictures,
            place=place,
            reply_to={"channel": place},
        )
        return self._intake.accept(inbound)

    def answer(self, accepted: Accepted, rating: int = 0, reason: str = "", **outcome: Any) -> None:
        """End its turn, and say what the person thinks of it."""
        now = utc_now()
        with self._store.write() as repositories:
            turn = repositories.turns.claim(accepted.turn_id, WORKER, now, now)
        assert turn is not None
        failed = "error_code" in outcome
        said = {"model": "glm-4.6v-flash", **TOKENS, "finish_reason": "" if failed else "stop", **outcome}
        ended = Outcome(TurnState.FAILED if failed else TurnState.ANSWERED, **said)
        with self._store.write() as repositories:
            repositories.turns.finish(turn.id, WORKER, turn.attempt, ended, utc_now())
            repositories.feedback.set(turn.id, accepted.person_id, rating, reason, now=utc_now())


def talk(people: People, picture: Named) -> str:
    """Some conversations; the id of the one to show."""
    tom = people.ask(Platform.TELEGRAM, "4242", "8", "Which cable goes into the port on the left?", picture)
    people.answer(tom, answer="The one with the flat end.")
    priya = people.ask(Platform.TELEGRAM, "4241", "7", "Why does it say ERR_CONNECTION_REFUSED?", picture)
    people.answer(priya, error_code="deadline_exceeded", error_message="The answer took too long. Please ask again.")
    jonas = people.ask(Platform.SLACK, "C0SHOP", "U2", "Is the price on this label right?", picture)
    people.answer(jonas, rating=-1, reason="it read the barcode", answer="Yes: 12.90.")
    star = {"label": "red star", "left": 0.02, "top": 0.02, "right": 0.33, "bottom": 0.32}
    circle = {"label": "blue circle", "left": 0.69, "top": 0.04, "right": 0.95, "bottom": 0.3}
    mei = people.ask(Platform.SLACK, "C0DESIGN", "U1", "What is at the top of this picture?", picture, thread="t")
    people.answer(
        mei,
        rating=1,
        reason="exactly",
        answer="At the top there are **two shapes**: a red star on the left and a blue circle on the right.",
        thinking="Two shapes are above the heart.",
        boxes=(star, circle),
    )
    again = people.ask(Platform.SLACK, "C0DESIGN", "U2", "And the one in the middle?", thread="t")
    people.answer(again, answer="A pink heart.")
    return mei.conversation_id


def main() -> None:
    """Write console.png, console-inbox-dark.png and console-phone.png, each below 200 KB."""
    path = find_chromium()
    if path is None:
        sys.exit(HOW_TO_GET_ONE)
    with Image.open(DEMO / "sample.png") as opened:
        written = BytesIO()
        opened.convert("RGB").save(written, "PNG")
        picture = Named("shapes.png", SafePicture.of(written.getvalue(), "image/png", *opened.size))
    with TemporaryDirectory() as folder, installation(Path(folder)) as at, sync_playwright() as playwright:
        conversation = f"/conversations/{talk(People(at), picture)}"
        url = at.start_console()
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGS))
        for name, address, viewport, dark in (
            ("console.png", conversation, DESKTOP, False),
            ("console-inbox-dark.png", "/", DESKTOP, True),
            ("console-phone.png", conversation, PHONE, False),
        ):
            _shoot(browser, local_owner_link(at.settings), url + address, FOLDER / name, viewport, dark)
        browser.close()


def _shoot(browser: Browser, link: str, address: str, file: Path, viewport: ViewportSize, dark: bool) -> None:
    scheme: Any = "dark" if dark else "light"
    context = browser.new_context(viewport=viewport, color_scheme=scheme, device_scale_factor=2)
    page = context.new_page()
    page.goto(link)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("[data-item]").first).to_be_visible()
    page.goto(address)
    expect(page.locator("time[data-local]").first).to_be_attached()
    for image in page.locator("main img").all():
        image.evaluate("image => image.decode()")
    shot = Image.open(BytesIO(page.screenshot())).convert("RGB")
    # Few colours: it stays sharp and becomes small.
    shot.quantize(192, dither=Image.Dither.NONE).save(file, optimize=True)
    print(file, file.stat().st_size)
    context.close()


if __name__ == "__main__":
    main()
