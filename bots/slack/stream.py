"""One answer's message in a thread: streamed while that works, edited or posted where it does not.

Whatever goes wrong on the way, `finish` leaves exactly one message with the whole text, because it knows three things:
which message there is (`ts`), what it shows (`shown`), and whether that is certain.
"""

from collections.abc import Sequence
from typing import Any

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.web.async_chat_stream import AsyncChatStream
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.target import Target

log = structlog.get_logger(__name__)

# Characters that are collected before they are sent; below Slack's limits even with many answers at once.
BUFFER_CHARS = 128
# Slack's limit for one message's Markdown, less some room for what is added at the end.
MESSAGE_CHARS = 11_500
# Slack's own words for: somebody pressed Stop.
_STOPPED = {"stopped_by_user", "stream_stopped_by_user", "message_stopped_by_user"}
# The stream ended by itself, after some five minutes or a long silence. The message is there and can be edited.
_EXPIRED = {"message_not_in_streaming_state", "streaming_state_conflict", "stream_expired"}
FAILURES = (SlackApiError, SlackRequestError, aiohttp.ClientError, TimeoutError, OSError)
SESSION_ACTIVE = "active"


class StoppedByUser(Exception):
    """Somebody pressed Slack's own Stop button."""


def error_code(error: Exception) -> str:
    """Slack's word for what went wrong."""
    if isinstance(error, SlackApiError):
        said = error.response
        return str(said.get("error") or said.status_code) if hasattr(said, "get") else str(said)
    return type(error).__name__


class AnswerMessage:
    """The message of one turn. `ts` and `shown` are of an earlier try, if there was one."""

    def __init__(self, client: AsyncWebClient, target: Target, ts: str = "") -> None:
        self._client = client
        self._target = target
        self._stream: AsyncChatStream | None = None
        # Empty: there is no message yet.
        self.ts = ts
        self._shown = ""
        # False: Slack may show something else than `_shown`; the whole text has to be written anew.
        self._sure = not ts
        self._streams = not ts

    @property
    def streaming(self) -> bool:
        """Whether more text can be appended."""
        return self._streams

    async def append(self, text: str) -> None:
        """Show more text. What does not get through is made up for by `finish`.

        Raises:
            StoppedByUser: the person does not want more.
        """
        if not self._streams or not text:
            return
        if len(self._shown) + len(text) > MESSAGE_CHARS:
            # The rest comes in a message of its own, when it is known where to split.
            self._streams = False
            return
        try:
            if self._stream is None:
                self._stream = await self._client.chat_stream(
                    buffer_size=BUFFER_CHARS,
                    channel=self._target.channel,
                    thread_ts=self._target.root,
                    recipient_team_id=self._target.team,
                    recipient_user_id=self._target.user,
                )
            self._shown += text
            await self._stream.append(markdown_text=text)
            self.ts = self._stream.ts or self.ts
        except FAILURES as error:
            self._failed(error)

    async def finish(self, text: str, blocks: Sequence[dict[str, Any]], metadata: dict[str, Any]) -> str:
        """Make the message show `text` (at most `MESSAGE_CHARS`) and then `blocks`; its ts.

        Raises:
            SlackApiError, SlackRequestError, aiohttp.ClientError, TimeoutError: nobody knows what it shows. Try again
                with a new object and this one's `ts`.
        """
        if self._stream is not None and self._sure and self._streams and text.startswith(self._shown):
            try:
                said = await self._stream.stop(
                    markdown_text=text[len(self._shown) :],
                    blocks=list(blocks),
                    metadata=metadata,
                    session_status=SESSION_ACTIVE,
                )
                self.ts = str(said.get("ts") or self._stream.ts)
                return self.ts
            except FAILURES as error:
                self._failed(error, quietly=True)
        if self._stream is not None:
            self.ts = self._stream.ts or self.ts
        if self.ts:
            await self._end_stream()
            return await self._edit(text, blocks, metadata)
        return await self._post(text, blocks, metadata)

    def _failed(self, error: Exception, *, quietly: bool = False) -> None:
        code = error_code(error)
        if self._stream is not None:
            self.ts = self._stream.ts or self.ts
        log.info("slack_stream_failed", error=code, begun=bool(self.ts))
        self._streams = False
        self._sure = False
        if code in _STOPPED and not quietly:
            raise StoppedByUser

    async def _end_stream(self) -> None:
        """A message that is being streamed cannot be edited."""
        try:
            await self._client.chat_stopStream(channel=self._target.channel, ts=self.ts)
        except FAILURES as error:
            # Mostly because it has ended already.
            log.debug("slack_stream_had_ended", error=error_code(error))

    async def _edit(self, text: str, blocks: Sequence[dict[str, Any]], metadata: dict[str, Any]) -> str:
        try:
            await self._client.chat_update(
                channel=self._target.channel, ts=self.ts, **_content(text, blocks), metadata=metadata
            )
        except SlackApiError as error:
            if error_code(error) not in ("message_not_found", "cant_update_message", "edit_window_closed"):
                raise
            # Somebody deleted it, or the workspace allows no edits.
            return await self._post(text, blocks, metadata)
        return self.ts

    async def _post(self, text: str, blocks: Sequence[dict[str, Any]], metadata: dict[str, Any]) -> str:
        said = await self._client.chat_postMessage(
            channel=self._target.channel,
            thread_ts=self._target.root,
            unfurl_links=False,
            unfurl_media=False,
            metadata=metadata,
            **_content(text, blocks),
        )
        self.ts = str(said["ts"])
        return self.ts


def _content(text: str, blocks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Markdown as a block, and the plain words for notifications."""
    return {"text": text[:3000], "blocks": [{"type": "markdown", "text": text}, *blocks]}
