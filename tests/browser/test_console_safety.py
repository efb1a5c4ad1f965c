"""What strangers write, shown in the review console: inert."""

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from core.store.models import Person, Turn
from core.values import TurnState, new_id, utc_now
from tests.browser.review import Review, sample

pytestmark = pytest.mark.browser

PAYLOADS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    '"><script>alert(1)</script>',
    "' onmouseover='alert(1)' autofocus onfocus='alert(1)",
    "javascript:alert(1)",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<a href=javascript:alert(1)>x</a>",
    "[x](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    "<style>*{background:url(https://evil.example)}</style>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<base href=https://evil.example>",
    "<form action=https://evil.example><input name=q>",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "--><script>alert(1)</script>",
    "{{constructor.constructor('alert(1)')()}}",
    "{% raw %}<script>alert(1)</script>",
    "<details open ontoggle=alert(1)>",
    "<div hx-get=/audit hx-trigger=load hx-on::load=alert(1)>",
    "<b data-live=https://evil.example/e>x</b>",
    "\u202e<script>alert(1)</script>",
    "<scr\x01ipt>alert(1)</scr\x01ipt>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
)


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
    for path in (f"/conversations/{accepted.conversation_id}", "/?state=failed", "/?q=alert", "/audit"):
        page.goto(review.url + path)
        expect(page.get_by_role("main")).to_contain_text("alert")
        expect(page.locator("main script, main iframe, main meta, main base, main style")).to_have_count(0)
        expect(page.locator("main [onerror], main [onload], main a[href^=javascript]")).to_have_count(0)
        expect(page.locator("main [hx-trigger=load], main [data-live]")).to_have_count(0)
    page.goto(f"{review.url}/conversations/{accepted.conversation_id}")
    shown = page.locator(".bubble").all_text_contents()
    assert shown == [payload.replace("\0", "") for payload in PAYLOADS]
    # `watch` fails this test if a dialog opened, another server was asked, or the policy had to step in.
