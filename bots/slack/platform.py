"""Slack as a platform that answers are sent to."""

import asyncio
from collections.abc import Sequence

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.chat.follow import Cadence
from bots.chat.platform import Address, Part, SendRefused
from bots.chat.split import split
from bots.services import Services
from bots.slack.blocks import (
    ANSWER_EVENT,
    MESSAGE_CHARS,
    NOTICE_EVENT,
    answer_metadata,
    buttons_of,
    pictured,
    said,
)
from bots.slack.clients import Clients
from bots.slack.live import SlackLive, end_stream
from bots.slack.lookups import PAGE
from bots.slack.refusals import FAILURES, as_failure, error_code
from bots.slack.status import Statuses
from bots.slack.target import Target
from core.errors import NotAllowed
from core.values import Platform

log = structlog.get_logger(__name__)

# An uploaded picture can be shown a moment after its upload.
_PICTURE_PAUSES_S = (0.3, 0.7, 1.5, 3.0)


class SlackPlatform:
    """Sends to any number of workspaces."""

    platform = Platform.SLACK
    # About one message a second and channel is what Slack allows.
    cadence = Cadence(first_s=0.3, every_s=1.0)
    show_thinking = False

    def __init__(self, services: Services, clients: Clients) -> None:
        self._services = services
        self._clients = clients
        self.statuses = Statuses()

    def split(self, text: str) -> Sequence[str]:
        """Parts of one message's Markdown each."""
        return [piece.shown for piece in split(text, MESSAGE_CHARS)]

    def live(self, address: Address, post: str | None) -> SlackLive:
        """The view on an answer that is being written."""
        target = Target.read(address.target)
        return SlackLive(
            lambda: self._client(target),
            target,
            address.turn_id,
            self.statuses,
            lambda: self._services.cancel(address.turn_id),
            post,
        )

    async def send(self, address: Address, part: Part) -> str:
        """Post a message in the thread; its `ts`."""
        target = Target.read(address.target)
        client = await self._client(target)
        try:
            if part.picture:
                return await self._send_picture(client, target, address, part)
            answer = await client.chat_postMessage(
                channel=target.channel,
                thread_ts=target.root,
                unfurl_links=False,
                unfurl_media=False,
                metadata=answer_metadata(address.turn_id, part.position),
                **said(part.text, buttons_of(part.buttons)),
            )
        except FAILURES as error:
            raise as_failure(error) from error
        if part.last:
            await self.statuses.end(client, target)
        return str(answer["ts"])

    async def edit(self, address: Address, post: str, part: Part) -> None:
        """Write the message anew, whatever it shows and whether or not its stream was ended."""
        target = Target.read(address.target)
        client = await self._client(target)
        if part.picture:
            # Found because it is complete: a picture is uploaded before its message is posted.
            return
        await end_stream(client, target, post)
        try:
            await client.chat_update(
                channel=target.channel,
                ts=post,
                metadata=answer_metadata(address.turn_id, part.position),
                **said(part.text, buttons_of(part.buttons)),
            )
        except FAILURES as error:
            raise as_failure(error) from error
        if part.last:
            await self.statuses.end(client, target)

    async def find(self, address: Address, position: int) -> str | None:
        """Our message in the thread that carries the turn's id. A stream that was cut off carries nothing; as one
        answer at a time is written in a thread, it is known by that."""
        target = Target.read(address.target)
        client = await self._client(target)
        me = (await self._clients.installed(target.team)).bot_user
        try:
            answer = await client.conversations_replies(
                channel=target.channel,
                ts=target.root,
                oldest=target.asked,
                limit=PAGE,
                include_all_metadata=True,
            )
        except FAILURES as error:
            raise as_failure(error) from error
        unmarked = ""
        for message in answer.get("messages") or ():
            if message.get("user") != me or float(message["ts"]) <= float(target.asked):
                continue
            metadata = message.get("metadata") or {}
            kind, payload = metadata.get("event_type"), metadata.get("event_payload") or {}
            if kind == ANSWER_EVENT:
                if payload.get("turn") == address.turn_id and int(payload.get("position", -1)) == position:
                    return str(message["ts"])
            elif kind != NOTICE_EVENT:
                unmarked = str(message["ts"])
        return unmarked or None if position == 0 else None

    async def _client(self, target: Target) -> AsyncWebClient:
        try:
            return await self._clients.of(target.team)
        except NotAllowed as error:
            raise SendRefused(str(error)) from error
        except FAILURES as error:
            raise as_failure(error) from error

    async def _send_picture(self, client: AsyncWebClient, target: Target, address: Address, part: Part) -> str:
        uploaded = await client.files_upload_v2(content=part.picture, filename=part.picture_name, title=part.text[:200])
        file_id = str(uploaded["files"][0]["id"])
        for pause in (*_PICTURE_PAUSES_S, None):
            try:
                answer = await client.chat_postMessage(
                    channel=target.channel,
                    thread_ts=target.root,
                    metadata=answer_metadata(address.turn_id, part.position),
                    **pictured(part, file_id),
                )
                return str(answer["ts"])
            except SlackApiError as error:
                if pause is None or error_code(error) not in ("invalid_blocks", "file_not_found"):
                    raise
                await asyncio.sleep(pause)
        raise AssertionError("the loop ends by returning or raising")
