"""App Home: what I can do, what you have used, where you asked lately, what is kept of you, and how to have it erased.

It is drawn anew each time somebody opens it or presses one of its buttons; what a press came to stands on top.
"""

import asyncio
import html
import re
from collections.abc import Sequence
from datetime import datetime

import structlog

from bots.chat.commands import Command
from bots.chat.reply import Caller, Reply
from bots.chat.texts import Texts
from bots.chat.whereabouts import find_caller
from bots.slack.blocks import Block, buttons_of
from bots.slack.bolt import Body
from bots.slack.desk import Desk
from bots.slack.refusals import FAILURES, error_code
from bots.slack.target import Thread
from core.errors import NotAllowed
from core.store.models import Conversation

log = structlog.get_logger(__name__)

# The place that a caller is at who is in no conversation.
PLACE = "app-home"
RECENT = 5
# Slack's limits: 100 blocks a view, 3,000 characters a section, 150 a header.
_SECTION_CHARS = 2_900
_HEADER_CHARS = 150
_TITLE_CHARS = 120
_BOLD = re.compile(r"\*\*(.+?)\*\*")
_LIST = re.compile(r"^- ", re.MULTILINE)


class Home:
    """Draws the Home tab of one person at a time."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def opened(self, team: str, user: str) -> None:
        """Somebody looks at it. What does not get through is drawn when it is opened again."""
        await self._draw(await self._caller(team, user), None)

    async def pressed(self, team: str, body: Body) -> None:
        """Somebody pressed a button in it."""
        caller = await self._caller(team, str((body.get("user") or {}).get("id") or ""))
        for action in body.get("actions") or ():
            value = action.get("value")
            if isinstance(value, str) and value:
                await self._draw(caller, await self._desk.commands.press(caller, value))

    async def _caller(self, team: str, user: str) -> Caller:
        return await self._desk.caller(Thread(team, PLACE, ""), user, in_thread=False)

    async def _draw(self, caller: Caller, came_of_it: Reply | None) -> None:
        commands, store = self._desk.commands, self._desk.services.store
        where = await asyncio.to_thread(find_caller, store, caller)
        usage, privacy, what = [await commands.run(caller, Command(name)) for name in ("usage", "privacy", "help")]
        recent = await asyncio.to_thread(self._recent, where.person.id)
        try:
            client = await self._desk.clients.of(caller.workspace)
            links = await asyncio.gather(*(self._link(caller.workspace, found.external_id) for found in recent))
            blocks = home_blocks(where.texts, what, usage, privacy, list(zip(recent, links, strict=True)), came_of_it)
            await client.views_publish(user_id=caller.person, view={"type": "home", "blocks": blocks})
        except (*FAILURES, NotAllowed) as error:
            log.warning("slack_home_not_drawn", error=error_code(error))

    def _recent(self, person_id: str) -> list[Conversation]:
        with self._desk.services.store.read() as repositories:
            return repositories.conversations.list_for(person_id, limit=RECENT)

    async def _link(self, team: str, name: str) -> str:
        """The address of a conversation's thread; empty where Slack gives none."""
        channel, _, root = name.partition(":")
        try:
            client = await self._desk.clients.of(team)
            said = await client.chat_getPermalink(channel=channel, message_ts=root)
        except (*FAILURES, NotAllowed):
            return ""
        return str(said.get("permalink") or "")


def home_blocks(
    texts: Texts,
    what: Reply,
    usage: Reply,
    privacy: Reply,
    recent: Sequence[tuple[Conversation, str]],
    came_of_it: Reply | None,
) -> list[Block]:
    """The view's blocks; `recent` with the address of each, or an empty one."""
    blocks: list[Block] = []
    if came_of_it is not None and came_of_it.text:
        blocks += [*_said(came_of_it), {"type": "divider"}]
    blocks += [_header(texts("What I can do")), *_said(what)]
    blocks += [_header(texts("Your usage")), *_said(usage)]
    blocks += [_header(texts("Your latest conversations"))]
    listed = "\n".join(_line(texts, found, link) for found, link in recent)
    blocks += [_section(listed or texts("None yet. Send me a picture with a question."))]
    blocks += [_header(texts("Privacy")), *_said(privacy)]
    return blocks


def mrkdwn(markdown: str) -> str:
    """Our own Markdown (bold, lists) in Slack's markup, all that a view shows. Nothing in it links or mentions."""
    return _LIST.sub("• ", _BOLD.sub(r"*\1*", html.escape(markdown, quote=False)))


def _said(reply: Reply) -> list[Block]:
    return [_section(mrkdwn(reply.text)), *buttons_of(reply.buttons)]


def _line(texts: Texts, conversation: Conversation, link: str) -> str:
    title = " ".join(conversation.title.split())
    shown = html.escape(title[:_TITLE_CHARS] + ("…" if len(title) > _TITLE_CHARS else ""), quote=False)
    shown = shown.replace("|", "¦") or texts("A conversation")
    when = _when(conversation.updated_at)
    return f"• <{link}|{shown}> · {when}" if link.startswith("https://") else f"• {shown} · {when}"


def _when(at: datetime) -> str:
    # Slack writes it in the reader's own time.
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{at:%Y-%m-%d %H:%M} UTC>"


def _section(text: str) -> Block:
    shown = text if len(text) <= _SECTION_CHARS else text[:_SECTION_CHARS].rpartition("\n")[0] + "\n…"
    return {"type": "section", "text": {"type": "mrkdwn", "text": shown}}


def _header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": text[:_HEADER_CHARS]}}
