"""What people and models write stays text. The `watch` fixture adds: no violation of the policy, no foreign request."""

import gzip
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage
from tests.browser.conftest import OpenPage, ServedPage
from tests.browser.files import picture

pytestmark = pytest.mark.browser

STATIC = Path(__file__).parents[2] / "bots" / "web" / "static"
MAX_PAGE_BYTES = 60_000
PAYLOADS = (
    "<img src=x onerror=\"document.title='owned'\">",
    "<script>document.title='owned'</script>",
    "[click](javascript:document.title='owned')",
    "[click](data:text/html,<script>document.title='owned'</script>)",
    "![picture](https://evil.example/pixel.png)",
    '<a href="https://evil.example" onclick="document.title=\'owned\'">x</a>',
    "<svg><use href='https://evil.example/x.svg#y'/></svg><style>body{display:none}</style>",
    "[a](https://evil.example/\" onmouseover=\"document.title='owned')",
    "`<b>code</b>`\n```html\n<iframe srcdoc='<script>document.title=1</script>'></iframe>\n```",
    "| <u>a</u> | b |\n|---|---|\n| <img src=x onerror=alert(1)> | **c** |",
    "https://evil.example/#<script>alert(1)</script>",
    "\u202egnp.exe {{constructor.constructor('alert(1)')()}} ${alert(1)}",
)
DANGEROUS = "script, iframe, object, embed, style, link, [onerror], [onclick], [onmouseover], [srcdoc], [style]"


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_payload_as_question_and_answer_is_inert(chat: ChatPage, payload: str) -> None:
    turn = chat.ask(payload)
    expect(turn.question).to_have_text(payload, use_inner_text=True)
    expect(turn.answer).to_be_visible()
    assert turn.element.locator(DANGEROUS).count() == 0
    assert turn.element.locator("img").count() == 0
    for link in turn.element.locator("a").all():
        assert (link.get_attribute("href") or "").startswith("https://")
        assert link.get_attribute("rel") == "noopener noreferrer nofollow"
    chat.page.reload()
    expect(chat.turn(0).question).to_have_text(payload, use_inner_text=True)
    assert chat.page.title() != "owned"
    assert chat.page.evaluate("getComputedStyle(document.body).display") == "block"


def test_a_payload_as_file_name_is_inert(chat: ChatPage) -> None:
    name = "<img src=x onerror=alert(1)>.png"
    chat.choose([picture(name)])
    expect(chat.page.get_by_role("button", name=f"Remove {name}")).to_be_visible()
    turn = chat.ask("Named?")
    expect(turn.pictures).to_have_count(1)
    assert "onerror=alert" in (turn.pictures.get_attribute("alt") or "")
    assert chat.page.locator("[onerror]").count() == 0


def test_the_policy_forbids_inline_code(open_page: OpenPage, service: ServedPage) -> None:
    page = open_page(service.url).page
    response = page.request.get(service.url)
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    page_source = (STATIC / "index.html").read_text()
    assert " style=" not in page_source
    assert " on" not in "".join(part.split(">")[0] for part in page_source.split("<")[1:])


def test_no_module_parses_html() -> None:
    forbidden = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "setHTML", "eval(")
    for module in STATIC.glob("*.js"):
        text = module.read_text()
        assert not [word for word in forbidden if word in text], module.name


def test_the_page_is_light() -> None:
    """Compressed, as a proxy sends it, and without the sample picture."""
    files = [path for path in STATIC.iterdir() if path.suffix in (".html", ".css", ".js", ".svg")]
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) < MAX_PAGE_BYTES
