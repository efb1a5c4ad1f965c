"""Buttons, slash commands, the shortcut of a message and its form: what people do besides writing."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import structlog

from bots.chat.commands import Command, parse_command
from bots.chat.reply import Reply
from bots.chat.texts import Texts
from bots.slack.bolt import Body
from bots.slack.desk import Desk
from bots.slack.files import own_files, reference
from bots.slack.inbox import Inbox
from bots.slack.message import Message, files_of
from bots.slack.refusals import FAILURES, error_code
from bots.slack.target import Target, Thread, message_key
from core.conversation.inbound import InboundQuestion
from core.errors import NotAllowed, NotServed
from core.values import Platform
from serving.text import clean

log = structlog.get_logger(__name__)

FORM = "glimt_ask"
_QUESTION = "question"
_QUESTION_CHARS = 3_000
# Slack's limit for what a form carries is 3,000 characters; files' names are left out first.
_CARRIED_FILES = 10


class Pressing:
    """What is quick is done behind the acknowledgement; a question from a form is committed before it."""

    def __init__(self, desk: Desk, inbox: Inbox) -> None:
        self._desk = desk
        self._inbox = inbox

    async def action(self, team: str, body: Body) -> None:
        """A button of ours."""
        for action in body.get("actions") or ():
            value = action.get("value")
            if isinstance(value, str) and value:
                self._desk.background.start(self._press(team, body, value))

    async def command(self, team: str, body: Body) -> None:
        """`/glimt …`"""
        channel = str(body.get("channel_id") or "")
        if self._desk.listening.opens(team, channel):
            self._desk.background.start(self._slash(team, channel, str(body.get("user_id") or ""), body))

    async def shortcut(self, team: str, body: Body) -> None:
        """ "Ask about this picture": a form for the question. It opens behind the acknowledgement, within 3 seconds."""
        channel = str((body.get("channel") or {}).get("id") or "")
        if self._desk.listening.opens(team, channel):
            self._desk.background.start(self._open_form(team, channel, body))

    async def submission(self, team: str, body: Body) -> None:
        """The form came back: a question about the message.

        Raises:
            StoreError: it was not committed; the form stays open and says so.
        """
        view = body.get("view") or {}
        if view.get("callback_id") != FORM:
            return
        about = _carried(view.get("private_metadata"))
        if about is None or not self._desk.listening.opens(team, about["channel"]):
            return
        typed = ((view.get("state") or {}).get("values") or {}).get(_QUESTION, {}).get(_QUESTION, {}).get("value") or ""
        user = str(body["user"]["id"])
        home = str(body["user"].get("team_id") or team)
        target = Target(team, about["channel"], about["root"], about["ts"], user, home if home != team else "")
        if not self._desk.listening.serves(team, target.channel, user):
            self._desk.background.start(self._not_served(target.thread, user))
            return
        profile = self._desk.people.known(team, user)
        message = Message(team, target.channel, "", target.asked, target.root, user, "")
        files = tuple(reference({"id": file_id}) for file_id in about["files"])
        await self._inbox.ask(
            InboundQuestion(
                platform=Platform.SLACK,
                workspace=team,
                person=user,
                # The same form sent twice is one question; two forms about one message are two.
                event_key=f"{message_key(team, target.channel, target.asked)}:{view.get('id')}",
                question=clean(typed).strip(),
                conversation=target.thread.name,
                place=target.channel,
                reply_to=target.stored(),
                locale=profile.locale,
                person_name=profile.name,
                pending=files or (own_files(message),),
            ),
            target.thread,
        )

    async def _press(self, team: str, body: Body, value: str) -> None:
        container = body.get("container") or {}
        channel = str((body.get("channel") or {}).get("id") or container.get("channel_id") or "")
        message = body.get("message") or {}
        root = str(message.get("thread_ts") or container.get("thread_ts") or container.get("message_ts") or "")
        user = str((body.get("user") or {}).get("id") or "")
        thread = Thread(team, channel, root)
        if not self._desk.listening.serves(team, channel, user):
            await self._not_served(thread, user, in_thread=bool(root), body=body)
            return
        caller = await self._desk.caller(thread, user, in_thread=bool(root))
        reply = await self._desk.commands.press(caller, value)
        if reply is not None:
            await self._desk.say(thread, user, reply, in_thread=bool(root), response_url=_response_url(body))

    async def _slash(self, team: str, channel: str, user: str, body: Body) -> None:
        words = str(body.get("text") or "")
        command = parse_command(words) or Command("help")
        # Slash commands do not work inside threads, so `stop` and `retry` mean what this person last asked here.
        thread = Thread(team, channel, "")
        if not self._desk.listening.serves(team, channel, user):
            await self._not_served(thread, user, in_thread=False, body=body)
            return
        caller = await self._desk.caller(thread, user, in_thread=False)
        last = await asyncio.to_thread(self._asked_last, team, channel, user)
        reply = await self._desk.commands.run(replace(caller, conversation=last), command)
        await self._desk.say(thread, user, reply, in_thread=False, response_url=_response_url(body))

    async def _not_served(self, thread: Thread, user: str, *, in_thread: bool = True, body: Body | None = None) -> None:
        """Whoever presses or commands is told why nothing happens; nobody else sees it."""
        reply = Reply((await self._desk.texts(thread.team, user)).error(NotServed()), done=False)
        await self._desk.say(thread, user, reply, in_thread=in_thread, response_url=_response_url(body or {}))

    def _asked_last(self, team: str, channel: str, user: str) -> str | None:
        with self._desk.services.store.read() as repositories:
            workspace = repositories.people.known_workspace(Platform.SLACK, team)
            return repositories.conversations.latest_asked(workspace.id, channel, user) if workspace else None

    async def _open_form(self, team: str, channel: str, body: Body) -> None:
        user = str((body.get("user") or {}).get("id") or "")
        message = body.get("message") or {}
        texts = await self._desk.texts(team, user)
        ts = str(message.get("ts") or "")
        about = {
            "channel": channel,
            "ts": ts,
            "root": str(message.get("thread_ts") or ts),
            "files": [str(file["id"]) for file in files_of(message) if file.get("id")][:_CARRIED_FILES],
        }
        try:
            client = await self._desk.clients.of(team)
            info = (await client.conversations_info(channel=channel)).get("channel") or {}
            member = bool(info.get("is_member") or info.get("is_im") or info.get("is_mpim"))
            await client.views_open(trigger_id=body.get("trigger_id"), view=_form(texts, about, member=member))
        except (*FAILURES, NotAllowed) as error:
            code = error_code(error)
            log.info("slack_form_not_opened", error=code)
            if code in ("channel_not_found", "not_in_channel"):
                await self._not_here(team, user, body)

    async def _not_here(self, team: str, user: str, body: Body) -> None:
        texts = await self._desk.texts(team, user)
        try:
            client = await self._desk.clients.of(team)
            await client.views_open(trigger_id=body.get("trigger_id"), view=_notice(texts))
        except (*FAILURES, NotAllowed) as error:
            log.info("slack_form_not_opened", error=error_code(error))


def _carried(metadata: object) -> dict[str, Any] | None:
    """What `_open_form` put into the form; None: it is none of ours."""
    try:
        about = json.loads(str(metadata or ""))
    except ValueError:
        return None
    if not isinstance(about, dict) or not all(isinstance(about.get(name), str) for name in ("channel", "ts", "root")):
        return None
    files = about.get("files")
    return about if isinstance(files, list) and all(isinstance(file, str) for file in files) else None


def _response_url(body: Body) -> str:
    return str(body.get("response_url") or "")


def _form(texts: Texts, about: dict[str, Any], *, member: bool) -> dict[str, Any]:
    if not member:
        return _notice(texts)
    return {
        "type": "modal",
        "callback_id": FORM,
        "private_metadata": json.dumps(about),
        "title": _plain(texts("Ask about a picture")),
        "submit": _plain(texts("Ask")),
        "close": _plain(texts("Cancel")),
        "blocks": [
            {
                "type": "input",
                "block_id": _QUESTION,
                "optional": True,
                "label": _plain(texts("Your question")),
                "element": {
                    "type": "plain_text_input",
                    "action_id": _QUESTION,
                    "multiline": True,
                    "max_length": _QUESTION_CHARS,
                    "placeholder": _plain(texts("Empty: describe the picture")),
                },
                "hint": _plain(texts("The answer comes in the thread of the message.")),
            }
        ],
    }


def _notice(texts: Texts) -> dict[str, Any]:
    said = texts("I am not in this conversation, so I cannot see its pictures. Invite me with /invite, then try again.")
    return {
        "type": "modal",
        "title": _plain(texts("Ask about a picture")),
        "close": _plain(texts("Close")),
        "blocks": [{"type": "section", "text": _plain(said)}],
    }


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}
