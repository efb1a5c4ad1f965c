"""A model's answer as HTML: paragraphs, lists, tables, code. Nothing in it is fetched, and nothing can be clicked: the
address of a link stands beside its words."""

from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup, escape

# A longer answer is shown as it is: marking it up would take long.
LONGEST = 100_000


class _Renderer(RendererHTML):
    """Links and pictures as words."""

    def link_open(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: Any) -> str:
        """The words stand for themselves."""
        env.setdefault("addresses", []).append(str(tokens[index].attrGet("href") or ""))
        return ""

    def link_close(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: Any) -> str:
        """The address behind them."""
        return f' <span class="address">({escape(env["addresses"].pop())})</span>'

    def image(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: Any) -> str:
        """A picture that an answer names is somewhere else, so it is only named."""
        address = str(tokens[index].attrGet("src") or "")
        return f'{escape(tokens[index].content)} <span class="address">({escape(address)})</span>'

    def heading_open(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: Any) -> str:
        """One size for all: the page has headings of its own."""
        return '<p class="heading">'

    def heading_close(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: Any) -> str:
        """Its end."""
        return "</p>\n"

    def table_open(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: Any) -> str:
        """A wide table scrolls by itself, also by keyboard."""
        return '<div class="table" tabindex="0" role="region" aria-label="Table"><table>\n'

    def table_close(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: Any) -> str:
        """Its end."""
        return "</table></div>\n"

    def fence(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: Any) -> str:
        """Code scrolls by itself, too."""
        return f'<pre tabindex="0"><code>{escape(tokens[index].content)}</code></pre>\n'

    def code_block(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: Any) -> str:
        """Indented code is code."""
        return self.fence(tokens, index, options, env)

    def td_open(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: Any) -> str:
        """Without the alignment, which would be a style of its own."""
        return "<td>"

    def th_open(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: Any) -> str:
        """As the cells."""
        return "<th>"


_PARSER = MarkdownIt("js-default", {"html": False, "linkify": False, "breaks": True}, renderer_cls=_Renderer)


def render_markdown(text: str) -> Markup:
    """Safe HTML of `text`."""
    if len(text) > LONGEST:
        return Markup('<p class="as-it-is">{}</p>').format(text)
    return Markup(_PARSER.render(text))  # the parser escapes all text, and knows no HTML
