"""What chat methods say: the checks and the reading that they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fakes.slack.blocks import check_blocks
from tests.fakes.slack.refusal import Refusal, invalid
from tests.fakes.slack.state import Channel, Json
from tests.fakes.slack.world import Caller

if TYPE_CHECKING:
    from tests.fakes.slack.fake import FakeSlack

MARKDOWN = 12_000
# The page of chat.update says so. Of chat.postMessage it is told that longer text is split into several messages or
# refused (slack-ruby/slack-ruby-client#259, seratch/ChatGPT-in-Slack#102), whatever is said of cutting at 40,000.
TEXT = 4_000


def read_content(fake: FakeSlack, arguments: Json) -> Json:
    """The text, blocks, attachments and metadata to store.

    Raises:
        Refusal: markdown_text_conflict, msg_too_long, invalid_blocks, …
    """
    content: Json = {}
    text, markdown = arguments.get("text"), arguments.get("markdown_text")
    if markdown is not None:
        if text is not None or "blocks" in arguments:
            raise Refusal("markdown_text_conflict", fault="markdown_text beside text or blocks")
        check_markdown(markdown)
        content |= {"text": markdown, "blocks": [{"type": "markdown", "text": markdown}] if markdown else []}
    if text is not None:
        if len(text) > TEXT:
            raise Refusal("msg_too_long", fault=f"text of {len(text)} characters, the most is {TEXT}")
        content["text"] = text
    if "blocks" in arguments:
        check_blocks(arguments["blocks"], file_exists=fake.file_exists)
        content["blocks"] = arguments["blocks"]
    if "attachments" in arguments:
        if len(arguments["attachments"]) > 100:
            raise Refusal("too_many_attachments", fault="more than 100 attachments")
        content["attachments"] = arguments["attachments"]
    if "metadata" in arguments:
        content["metadata"] = check_metadata(arguments["metadata"])
    return content


def require_text(content: Json) -> None:
    """Raises:
    Refusal: no_text, for a message that would show nothing.
    """
    if not any(content.get(name) for name in ("text", "blocks", "attachments")):
        raise Refusal("no_text", fault="a message without text, blocks and attachments")


def check_markdown(text: Any) -> None:
    """Raises:
    Refusal: msg_too_long, past the 12,000 characters of a call.
    """
    if len(text) > MARKDOWN:
        raise Refusal("msg_too_long", fault=f"markdown of {len(text)} characters, the most is {MARKDOWN}")


def check_metadata(metadata: Json) -> Json:
    """Raises:
    Refusal: invalid_metadata_format or metadata_too_large.
    """
    if metadata and (
        set(metadata) != {"event_type", "event_payload"} or not isinstance(metadata["event_payload"], dict)
    ):
        raise Refusal("invalid_metadata_format", fault="metadata is event_type and event_payload")
    if len(str(metadata)) > 16_000:
        raise Refusal("metadata_too_large", fault="more metadata than 16,000 characters")
    return metadata


def check_look(arguments: Json, caller: Caller) -> None:
    """Another name or picture for the bot takes a scope of its own.

    Raises:
        Refusal: missing_scope.
    """
    if any(arguments.get(name) for name in ("username", "icon_url", "icon_emoji")):
        need_scope(caller, "chat:write.customize")


def need_scope(caller: Caller, scope: str) -> None:
    """Raises:
    Refusal: missing_scope, with `needed` and `provided`.
    """
    if scope not in caller.grant.scopes:
        raise Refusal("missing_scope", needed=scope, provided=",".join(caller.grant.scopes))


def thread_of(fake: FakeSlack, channel: Channel, thread_ts: str | None) -> str:
    """The thread to answer in, "" for none.

    Raises:
        Refusal: thread_not_found, when the message is gone.
    """
    if not thread_ts:
        return ""
    found = channel.messages.get(thread_ts)
    if found is None and not any(m.thread_ts == thread_ts for m in channel.messages.values()):
        raise Refusal("thread_not_found")
    if found is not None and found.thread_ts:
        # "Avoid using a reply's ts value; use its parent instead": the answer would stand outside of the thread.
        fake.violation(f"thread_ts {thread_ts} is a reply's, not its thread's")
    return thread_ts


def check_view(view: Json, *, home: bool, file_exists: Any) -> None:
    """Raises:
    Refusal: invalid_arguments or what the blocks are refused with.
    """
    kind = "home" if home else "modal"
    if view.get("type") != kind:
        raise invalid("invalid_arguments", "/view/type", f"must be {kind}")
    known = {"type", "blocks", "private_metadata", "callback_id", "external_id"}
    known |= set() if home else {"title", "submit", "close", "clear_on_close", "notify_on_close", "submit_disabled"}
    for name in view:
        if name not in known:
            raise invalid("invalid_arguments", f"/view/{name}", "additional property not allowed")
    for name in ("title", "submit", "close"):
        part = view.get(name)
        if part is None and (home or name != "title"):
            continue
        if not isinstance(part, dict) or part.get("type") != "plain_text" or not 0 < len(part.get("text", "")) <= 24:
            raise invalid("invalid_arguments", f"/view/{name}", "must be plain_text of 1 to 24 characters")
    if len(view.get("private_metadata", "")) > 3_000 or len(view.get("callback_id", "")) > 255:
        raise invalid("invalid_arguments", "/view", "private_metadata or callback_id is too long")
    if "blocks" not in view:
        raise invalid("invalid_arguments", "/view/blocks", "missing required field: blocks")
    check_blocks(view["blocks"], file_exists=file_exists, where="/view/blocks", view=True)
    if any(block["type"] == "input" for block in view["blocks"]) and not home and "submit" not in view:
        raise invalid("invalid_arguments", "/view/submit", "missing required field: submit")
