"""An answer while it is written: Slack's own stream where that works, a message that is edited where it does not."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from enum import Enum, auto

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_chat_stream import AsyncChatStream
from slack_sdk.web.async_client import AsyncWebClient

from bots.chat.actions import Button
from bots.chat.defang import settled, without_links
from bots.chat.platform import Part, PostGone, SendRefused, Status
from bots.slack.blocks import MESSAGE_CHARS, answer_metadata, buttons_of, calling_nobody, said
from bots.slack.refusals import (
    FAILURES,
    FORM_REFUSED,
    NOT_HERE,
    NOT_IN_THIS_PLACE,
    STOPPED_BY_USER,
    STREAM_OVER,
    as_failure,
    error_code,
)
from bots.slack.status import Statuses
from bots.slack.target import Target

log = structlog.get_logger(__name__)

# Characters that the SDK collects before it sends them.
BUFFER_CHARS = 24
# Edits of a message may come less often than text of a stream.
EDIT_EVERY_S = 3.0


class _Way(Enum):
    STREAM = auto()
    EDIT = auto()
    # The stream was ended by somebody; what it shows stays until the end is known.
    CLOSED = auto()


class SlackLive:
    """The view on one turn's answer. `stop` is called when somebody pressed Slack's own Stop."""

    def __init__(
        self,
        open_client: Callable[[], Awaitable[AsyncWebClient]],
        target: Target,
        turn_id: str,
        statuses: Statuses,
        stop: Callable[[], Awaitable[object]],
        post: str | None,
    ) -> None:
        self._open_client = open_client
        self._target = target
        self._turn_id = turn_id
        self._statuses = statuses
        self._stop = stop
        self._stream: AsyncChatStream | None = None
        self._post = post or ""
        # A message that an earlier process began shows nobody knows what; it can only be written anew.
        self._way = _Way.EDIT if post else _Way.STREAM
        self._shown = ""
        self._edited_at = 0.0

    async def status(self, status: Status) -> str | None:
        """A status line under the thread, or a placeholder where there is none."""
        client = await self._client()
        if self._way is _Way.CLOSED:
            return self._post or None
        if self._post:
            return await self._edit(client, f"_{status.text}_", None)
        try:
            if await self._statuses.show(client, self._target, status.text):
                return None
            return await self._begin(client, f"_{status.text}_")
        except FAILURES as error:
            raise as_failure(error) from error

    async def write(self, text: str, thinking: str, stop: Button) -> str | None:
        """More of the answer, or another beginning of it."""
        client = await self._client()
        text = spoken(settled(text))
        if self._way is _Way.STREAM and not self._post and not self._statuses.streams(self._target):
            self._way = _Way.EDIT
        try:
            if self._way is _Way.STREAM:
                await self._append(client, text)
            if self._way is _Way.EDIT:
                return await self._edit(client, text[:MESSAGE_CHARS], stop)
        except FAILURES as error:
            raise as_failure(error) from error
        return self._post or None

    async def finish(self, part: Part) -> str:
        """End the stream with what is missing of the part and the buttons."""
        client = await self._client()
        if self._way is _Way.STREAM and part.text.startswith(self._shown) and self._statuses.streams(self._target):
            try:
                stream = await self._opened(client)
                answer = await stream.stop(
                    markdown_text=part.text[len(self._shown) :],
                    blocks=buttons_of(part.buttons),
                    metadata=answer_metadata(self._turn_id, part.position),
                    session_status="processing" if self._statuses.others(self._target) else "active",
                )
                self._statuses.ended(self._target)
                return str(answer.get("ts") or stream.ts)
            except FAILURES as error:
                self._note(error)
                failure = as_failure(error)
                # What refuses a stream may still take a message; if not, that says so.
                is_final = isinstance(failure, SendRefused) or error_code(error) in FORM_REFUSED
                if not is_final and error_code(error) not in STREAM_OVER | NOT_HERE | {STOPPED_BY_USER}:
                    raise failure from error
        raise PostGone("it cannot be finished as a stream")

    async def leave(self) -> None:
        """The stream stays as it is; whoever goes on ends it and writes the message anew. The status is theirs, too."""
        self._statuses.ended(self._target)

    async def _client(self) -> AsyncWebClient:
        return await self._open_client()

    async def _opened(self, client: AsyncWebClient) -> AsyncChatStream:
        if self._stream is None:
            self._stream = await client.chat_stream(
                buffer_size=BUFFER_CHARS,
                channel=self._target.channel,
                thread_ts=self._target.root,
                recipient_team_id=self._target.user_team or self._target.team,
                recipient_user_id=self._target.user,
            )
        return self._stream

    async def _append(self, client: AsyncWebClient, text: str) -> None:
        if not text.startswith(self._shown):
            # A new attempt: what a stream has shown cannot be taken back, but its message can be edited.
            await end_stream(client, self._target, self._post)
            self._way = _Way.EDIT if self._post else self._way
            self._stream, self._shown = None, ""
            if self._way is _Way.EDIT:
                return
        more = text[len(self._shown) :]
        if not more or len(text) > MESSAGE_CHARS:
            return
        stream = await self._opened(client)
        try:
            # The SDK keeps what did not get through and sends it with the next piece.
            self._shown = text
            await stream.append(markdown_text=more)
        except FAILURES as error:
            self._note(error)
            code = error_code(error)
            if code == STOPPED_BY_USER:
                await self._stop()
            elif code not in STREAM_OVER | NOT_HERE:
                raise
        if stream.ts and not self._post:
            self._statuses.began(self._target)
        self._post = stream.ts or self._post

    def _note(self, error: Exception) -> None:
        """Learn from a failure how to go on."""
        code = error_code(error)
        if self._stream is not None:
            self._post = self._stream.ts or self._post
        log.info("slack_stream_failed", error=code, begun=bool(self._post))
        if code in NOT_HERE:
            self._statuses.lack_streams(self._target.team, self._target.channel if code in NOT_IN_THIS_PLACE else "")
            self._way = _Way.EDIT
        elif code == STOPPED_BY_USER:
            self._way = _Way.CLOSED
        elif code in STREAM_OVER:
            self._way = _Way.EDIT
        elif not isinstance(error, asyncio.CancelledError) and code != "ratelimited":
            # Perhaps it got through, perhaps not: the message is written anew at the end.
            self._way = _Way.EDIT if self._post else _Way.CLOSED

    async def _edit(self, client: AsyncWebClient, text: str, stop: Button | None) -> str | None:
        if not self._post:
            return await self._begin(client, text, stop)
        if text == self._shown or time.monotonic() - self._edited_at < EDIT_EVERY_S:
            return self._post
        buttons = buttons_of([stop]) if stop is not None else []
        self._edited_at = time.monotonic()
        try:
            await end_stream(client, self._target, self._post)
            await client.chat_update(channel=self._target.channel, ts=self._post, **said(text, buttons))
        except FAILURES as error:
            raise as_failure(error) from error
        self._shown = text
        return self._post

    async def _begin(self, client: AsyncWebClient, text: str, stop: Button | None = None) -> str:
        """A message of our own in place of a stream."""
        try:
            answer = await client.chat_postMessage(
                channel=self._target.channel,
                thread_ts=self._target.root,
                unfurl_links=False,
                unfurl_media=False,
                metadata=answer_metadata(self._turn_id, 0),
                **said(text, buttons_of([stop]) if stop is not None else []),
            )
        except FAILURES as error:
            if not isinstance(error, SlackApiError):
                # Perhaps it is there: whoever finishes looks for it.
                self._way = _Way.CLOSED
            raise
        self._way = _Way.EDIT
        self._post, self._shown, self._edited_at = str(answer["ts"]), text, time.monotonic()
        return self._post


def spoken(text: str) -> str:
    """What of an answer is shown: words that link nowhere and call nobody."""
    return calling_nobody(without_links(text))


async def end_stream(client: AsyncWebClient, target: Target, post: str) -> None:
    """A message that is being streamed cannot be edited; that it has ended already is no error."""
    if not post:
        return
    try:
        await client.chat_stopStream(channel=target.channel, ts=post)
    except FAILURES as error:
        log.debug("slack_stream_had_ended", error=error_code(error))
