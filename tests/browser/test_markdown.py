"""How answers are rendered: the module itself, in the browser, on what models write."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chat_page import ChatPage

pytestmark = pytest.mark.browser

_RENDER = """
async (text) => {
  const { renderMarkdown } = await import("/static/markdown.js");
  const container = document.createElement("div");
  renderMarkdown(container, text);
  return container.innerHTML;
}
"""
LINK = '<a href="{0}" target="_blank" rel="noopener noreferrer nofollow">{1}</a>'
CASES = {
    "One line.": "<p>One line.</p>",
    "Two\nlines.": "<p>Two<br>lines.</p>",
    "Two.\n\nParagraphs.": "<p>Two.</p><p>Paragraphs.</p>",
    "**bold** and *italic*": "<p><strong>bold</strong> and <em>italic</em></p>",
    "***both***": "<p><strong><em>both</em></strong></p>",
    "a **b": "<p>a **b</p>",
    "2 * 3 * 4 and snake_case_name": "<p>2 * 3 * 4 and snake_case_name</p>",
    r"\*not\* italic": "<p>*not* italic</p>",
    "`a*b*` and ``c`d``": "<p><code>a*b*</code> and <code>c`d</code></p>",
    "# Title\ntext": "<h3>Title</h3><p>text</p>",
    "- a\n- b": "<ul><li>a</li><li>b</li></ul>",
    "Things:\n1. a\n2. b": '<p>Things:</p><ol start="1"><li>a</li><li>b</li></ol>',
    "3. c\n\n4. d": '<ol start="3"><li>c</li><li>d</li></ol>',
    "- a\n  - b\n- c": "<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>",
    "> said\n> so": "<blockquote><p>said<br>so</p></blockquote>",
    "---": "<hr>",
    "```python\nx = 1 < 2\n```": '<pre tabindex="0"><code>x = 1 &lt; 2</code></pre>',
    "```\nnot closed yet": '<pre tabindex="0"><code>not closed yet</code></pre>',
    "<b>no</b> &amp;": "<p>&lt;b&gt;no&lt;/b&gt; &amp;amp;</p>",
    "| a | b |\n|---|:-:|\n| 1 | **2** |": '<div class="table" tabindex="0"><table>'
    "<thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td><strong>2</strong></td></tr></tbody></table></div>",
    "https://example.com/a.": f"<p>{LINK.format('https://example.com/a', 'https://example.com/a')}.</p>",
    "[site](https://example.com/x)": "<p><span>"
    + LINK.format("https://example.com/x", "site")
    + '<span class="address"> (https://example.com/x)</span></span></p>',
    "[site](http://example.com/x)": '<p><span><span>site</span><span class="address"> (http://example.com/x)</span></span></p>',
    "http://example.com": "<p><span>http://example.com</span></p>",
    "[x](javascript:alert)": '<p><span><span>x</span><span class="address"> (javascript:alert)</span></span></p>',
    "https://bank.com@evil.example/": "<p><span>https://bank.com@evil.example/</span></p>",
    "![cat](https://example.com/c.png)": "<p><span>"
    + LINK.format("https://example.com/c.png", "cat")
    + '<span class="address"> (https://example.com/c.png)</span></span></p>',
    "": "",
}


@pytest.fixture
def page(chat: ChatPage) -> Page:
    """A page that may import the module."""
    return chat.page


def test_every_form(page: Page) -> None:
    rendered = {text: page.evaluate(_RENDER, text) for text in CASES}
    assert rendered == CASES


def test_a_growing_answer_ends_as_if_it_had_come_at_once(page: Page) -> None:
    text = "\n\n".join(case for case in CASES if "not closed" not in case)
    same = page.evaluate(
        """
        async (text) => {
          const { renderMarkdown } = await import("/static/markdown.js");
          const [grown, whole] = [document.createElement("div"), document.createElement("div")];
          for (let end = 0; end <= text.length; end += 3) renderMarkdown(grown, text.slice(0, end));
          renderMarkdown(grown, text);
          renderMarkdown(whole, text);
          return grown.innerHTML === whole.innerHTML && whole.childElementCount > 20;
        }
        """,
        text,
    )
    assert same is True


def test_finished_blocks_keep_their_nodes_while_the_answer_grows(page: Page) -> None:
    kept = page.evaluate(
        """
        async () => {
          const { renderMarkdown } = await import("/static/markdown.js");
          const container = document.createElement("div");
          renderMarkdown(container, "First.\\n\\nSec");
          const first = container.firstChild;
          renderMarkdown(container, "First.\\n\\nSecond.\\n\\nThird.");
          return container.firstChild === first && container.childElementCount === 3;
        }
        """
    )
    assert kept is True


@pytest.mark.parametrize(
    "text",
    [
        "*" * 20_000,
        "**a " * 5_000,
        "[" * 20_000,
        "`" * 20_001,
        "> " * 5_000,
        "- " * 5_000,
        "  - a\n" * 3_000,
        "_a*b~~" * 3_000,
        "|" * 9_000 + "\n" + "|-" * 9_000,
        "| a |\n---" + " " * 18_000 + "x",
        "# " + " " * 18_000 + "x",
        "\n" * 18_000,
        ("[a](" + "x" * 1900) * 10,
        "https://" + ".a" * 9_000,
    ],
    ids=[
        "stars",
        "bolds",
        "brackets",
        "ticks",
        "quotes",
        "dashes",
        "items",
        "mixed",
        "table",
        "rule",
        "heading",
        "blank",
        "links",
        "address",
    ],
)
def test_what_a_confused_model_repeats_does_not_hang_the_page(chat: ChatPage, text: str) -> None:
    # Playwright's own time limit (30 s) is the bound; each takes a fraction of a second.
    assert chat.page.evaluate(_RENDER, text) is not None
    expect(chat.question).to_be_editable()
