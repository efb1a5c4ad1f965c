"""Slack as a platform that answers are sent to."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bots.chat.follow import Cadence
from bots.chat.platform import Address, Part, SendFailed, SendRefused
from bots.chat.split import split
from bots.services import Services
from bots.slack import lookups
from bots.slack.blocks import (
    ANSWER_EVENT,
    CAPTION_CHARS,
    MESSAGE_CHARS,
    NOTICE_EVENT,
    answer_metadata,
    as_written,
    buttons_of,
    pictured,
    plainly_said,
    said,
)
from bots.slack.clients import Clients
from bots.slack.live import SlackLive, end_stream, spoken
from bots.slack.refusals import FAILURES, FORM_REFUSED, TOKEN_REFUSED, as_failure, error_code
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
    caption_units = CAPTION_CHARS

    def __init__(self, services: Services, clients: Clients) -> None:
        self._services = services
        self._clients = clients
        self.statuses = Statuses()

    def split(self, address: Address, text: str) -> Sequence[str]:
        """Parts of one message's Markdown each, in which nothing links or calls anybody; a human's words as they are,
        which call nobody when they are sent."""
        return [piece.shown for piece in split(text if address.by_human else spoken(text), MESSAGE_CHARS)]

    def in_our_name(self, address: Address) -> bool:
        """Slack has nothing else."""
        return True

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
            answer = await self._in_any_form(
                address,
                part,
                partial(
                    client.chat_postMessage,
                    channel=target.channel,
                    thread_ts=target.root,
                    unfurl_links=False,
                    unfurl_media=False,
                    metadata=answer_metadata(address.mark, part.position),
                ),
            )
        except FAILURES as error:
            raise self._failure(target, error) from error
        if part.last:
            await self.statuses.end(client, target, resumed=address.resumed)
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
            await self._in_any_form(
                address,
                part,
                partial(
                    client.chat_update,
                    channel=target.channel,
                    ts=post,
                    metadata=answer_metadata(address.mark, part.position),
                ),
            )
        except FAILURES as error:
            raise self._failure(target, error) from error
        if part.last:
            # Whoever began the message, here or elsewhere, has let go of its status.
            await self.statuses.end(client, target, resumed=True)

    async def find(self, address: Address, position: int) -> str | None:
        """Our message in the thread that carries the delivery's mark. A stream that was cut off carries nothing; as one
        answer at a time is written in a thread, it is known by that."""
        target = Target.read(address.target)
        client = await self._client(target)
        me = (await self._clients.installed(target.team)).bot_user
        unmarked = ""
        try:
            said_since = [
                message
                async for message in lookups.replies(
                    client, target.thread, oldest=target.asked, include_all_metadata=True
                )
            ]
        except FAILURES as error:
            raise self._failure(target, error) from error
        for message in said_since:
            if message.get("user") != me or float(message["ts"]) <= float(target.asked):
                continue
            metadata = message.get("metadata") or {}
            kind, payload = metadata.get("event_type"), metadata.get("event_payload") or {}
            if kind == ANSWER_EVENT:
                if payload.get("turn") == address.mark and int(payload.get("position", -1)) == position:
                    return str(message["ts"])
            elif kind != NOTICE_EVENT:
                unmarked = str(message["ts"])
        return unmarked or None if position == 0 and not address.spoken else None

    async def _client(self, target: Target) -> AsyncWebClient:
        try:
            return await self._clients.of(target.team)
        except NotAllowed as error:
            raise SendRefused(str(error)) from error
        except FAILURES as error:
            raise self._failure(target, error) from error

    async def quiet(self, target: Target) -> None:
        """Nothing will be said there: take away what shows that we are at work."""
        try:
            await self.statuses.end(await self._client(target), target, resumed=True, posted=False)
        except SendFailed as error:
            log.info("slack_status_left", error=str(error))

    async def _in_any_form(
        self, address: Address, part: Part, send: Callable[..., Awaitable[AsyncSlackResponse]]
    ) -> AsyncSlackResponse:
        """As Markdown, or as a human wrote it; letter by letter where Slack does not take that."""
        buttons = buttons_of(part.buttons)
        try:
            return await send(**(as_written(part.text, buttons) if address.by_human else said(part.text, buttons)))
        except SlackApiError as error:
            if error_code(error) not in FORM_REFUSED:
                raise
            log.warning("slack_markdown_refused", error=error_code(error))
            return await send(**plainly_said(part.text, buttons))

    def _failure(self, target: Target, error: Exception) -> SendFailed:
        if error_code(error) in TOKEN_REFUSED:
            self._clients.doubt(target.team)
        return as_failure(error)

    async def _send_picture(self, client: AsyncWebClient, target: Target, address: Address, part: Part) -> str:
        uploaded = await client.files_upload_v2(content=part.picture, filename=part.picture_name, title=part.text[:200])
        file_id = str(uploaded["files"][0]["id"])
        for pause in (*_PICTURE_PAUSES_S, None):
            try:
                answer = await client.chat_postMessage(
                    channel=target.channel,
                    thread_ts=target.root,
                    metadata=answer_metadata(address.mark, part.position),
                    unfurl_links=False,
                    unfurl_media=False,
                    **pictured(part, file_id, by_human=address.by_human),
                )
                return str(answer["ts"])
            except SlackApiError as error:
                if pause is None or error_code(error) not in ("invalid_blocks", "file_not_found"):
                    raise
                await asyncio.sleep(pause)
        raise AssertionError("the loop ends by returning or raising")
