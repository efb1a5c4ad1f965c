"""What strangers write, shown in the review console: inert."""

from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import BrowserContext, expect

from core.store.models import Person, Turn
from core.values import TurnState, new_id, utc_now
from tests.browser.payloads import PAYLOADS
from tests.browser.review import Review, sample

pytestmark = pytest.mark.browser


def test_what_strangers_write_does_nothing(review: Review, context: BrowserContext) -> None:
    store = review.installation.store
    thread = f"xss-{new_id()}"
    for n, payload in enumerate(PAYLOADS):
        accepted = review.asker.accept(payload, person=f"xss-{n}", thread=thread, pictures=[sample(payload)])
        # One more, so that each is a title, too.
        other = review.asker.accept(payload, person=f"xss-{n}")
        with store.write() as repositories:
            session = repositories.session
            session.query(Person).filter_by(id=accepted.person_id).update({"display_name": payload})
            told: dict[Any, Any] = {
                "answer": payload,
                "thinking": payload,
                "model": payload[:200],
                "state": TurnState.FAILED,
            }
            told |= {"error_code": payload[:60], "error_message": payload}
            turns = session.query(Turn).filter(Turn.id.in_([accepted.turn_id, other.turn_id]))
            turns.update(told, synchronize_session=False)
            repositories.feedback.set(accepted.turn_id, accepted.person_id, -1, payload, now=utc_now())
    page = review.signed_in(context)
    for path in (
        f"/conversations/{accepted.conversation_id}",
        "/?state=failed",
        "/?state=failed&feedback=bad",
        "/?q=alert",
        f"/?q={quote(PAYLOADS[0])}&person={quote(PAYLOADS[1])}",
        "/audit",
    ):
        page.goto(review.url + path)
        expect(page.get_by_role("main")).to_contain_text("alert")
        expect(page.locator("main script, main iframe, main meta, main base, main style")).to_have_count(0)
        expect(page.locator("main [onerror], main [onload], main a[href^=javascript]")).to_have_count(0)
        expect(page.locator("main [hx-trigger=load], main [data-live]")).to_have_count(0)
    page.goto(f"{review.url}/conversations/{accepted.conversation_id}")
    assert page.locator(".bubble").all_text_contents() == list(PAYLOADS)
    assert len(set(PAYLOADS)) == 100
    # `watch` fails this test if a dialog opened, another server was asked, or the policy had to step in.
