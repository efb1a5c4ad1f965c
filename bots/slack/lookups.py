"""Asking Slack for messages and files that an event did not bring."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.message import File, files_of
from bots.slack.target import Thread
from core.errors import PictureError

log = structlog.get_logger(__name__)

# An upload is attached to its message a moment after the message was sent.
PAUSES_S = (0.3, 0.7, 1.5)
# Asked for at once. Apps that are sold outside Slack's marketplace get 15, whatever they ask for.
PAGE = 200
# Threads with more are not read to their end, nor for longer than this: somebody waits.
MOST_MESSAGES = 1_000
MOST_PAGES = 70
PATIENCE_S = 20.0


async def message_files(client: AsyncWebClient, thread: Thread, ts: str, *, expected: bool) -> list[File]:
    """The files of a message. `expected`: it is said to have some, so that they are waited for a little.

    Raises:
        PictureError: Slack does not tell.
    """
    found: list[File] = []
    for pause in (*PAUSES_S, None):
        message = await _message(client, thread, ts)
        found = list(files_of(message)) if message is not None else []
        announced = message is None or message.get("subtype") == "file_share" or bool(message.get("upload"))
        if found or pause is None or not (expected or announced):
            return found
        await asyncio.sleep(pause)
    return found


@dataclass(frozen=True, slots=True)
class Earlier:
    """Files of a thread, of its root and of its replies. `whole`: the thread was read to its end."""

    root: list[File]
    replies: list[File]
    whole: bool


async def earlier_files(client: AsyncWebClient, thread: Thread, ts: str) -> Earlier:
    """What people have put into the thread before the message `ts`, in order.

    Raises:
        PictureError: Slack does not tell.
    """
    root: list[File] = []
    later: list[File] = []
    whole, read = False, 0
    try:
        async with asyncio.timeout(PATIENCE_S):
            async for message in replies(client, thread, latest=ts):
                read += 1
                at = str(message.get("ts") or "0")
                if float(at) < float(ts) and not message.get("bot_id"):
                    (root if at == thread.root else later).extend(files_of(message))
        # One page more than there are of the smallest ones would be needed to know better.
        whole = read < MOST_MESSAGES
    except SlackApiError as error:
        if not read:
            raise _untold(error) from error
    except TimeoutError:
        if not read:
            raise PictureError(
                "timeout", user_message="Slack is asked too often at the moment. Please send the picture again."
            ) from None
    return Earlier(root, later, whole)


async def replies(client: AsyncWebClient, thread: Thread, **asked: Any) -> AsyncGenerator[Mapping[str, Any], None]:
    """The thread's messages, oldest first and each once, as many as we read of one.

    Raises:
        SlackApiError, aiohttp.ClientError, TimeoutError: Slack does not tell (any further).
    """
    seen: set[str] = set()
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        said = await client.conversations_replies(
            channel=thread.channel, ts=thread.root, inclusive=True, limit=PAGE, cursor=cursor, **asked
        )
        for message in said.get("messages") or ():
            # Slack repeats the root on each page.
            if (ts := str(message.get("ts"))) not in seen and len(seen) < MOST_MESSAGES:
                seen.add(ts)
                yield message
        cursor = (said.get("response_metadata") or {}).get("next_cursor")
        if not cursor or len(seen) >= MOST_MESSAGES:
            return


async def root_text(client: AsyncWebClient, thread: Thread) -> str:
    """What the thread's root says, with Slack's markup; empty where Slack does not tell."""
    try:
        messages = await _replies(client, thread, limit=1)
    except PictureError:
        return ""
    return str(messages[0].get("text") or "") if messages else ""


async def file_info(client: AsyncWebClient, file_id: str) -> File:
    """All that Slack knows of a file. Files of Slack Connect come as an id only.

    Raises:
        PictureError: Slack does not tell.
    """
    try:
        said = await client.files_info(file=file_id)
    except SlackApiError as error:
        raise _untold(error) from error
    found: File = said["file"]
    return found


async def _message(client: AsyncWebClient, thread: Thread, ts: str) -> Mapping[str, Any] | None:
    messages = await _replies(client, thread, oldest=ts, latest=ts, limit=15)
    return next((message for message in messages if message.get("ts") == ts), None)


async def _replies(client: AsyncWebClient, thread: Thread, **asked: Any) -> list[Mapping[str, Any]]:
    try:
        said = await client.conversations_replies(channel=thread.channel, ts=thread.root, inclusive=True, **asked)
    except SlackApiError as error:
        raise _untold(error) from error
    return list(said.get("messages") or ())


def _untold(error: SlackApiError) -> PictureError:
    code = str(error.response.get("error") or error.response.status_code)
    log.warning("slack_lookup_failed", error=code)
    if code == "missing_scope":
        needed = str(error.response.get("needed") or "channels:history")
        return PictureError(
            code, user_message=f"Slack does not let me see it. An admin has to add the scope {needed} to the app."
        )
    if code in ("ratelimited", "429"):
        return PictureError(code, user_message="Slack is asked too often at the moment. Please send the picture again.")
    return PictureError(code, user_message=f"Slack does not hand it out ({code}). Please send the picture again.")
