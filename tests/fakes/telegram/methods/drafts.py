"""sendMessageDraft: a preview in a private chat that goes by itself after half a minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes.telegram.methods.rich import read_rich
from tests.fakes.telegram.methods.where import destination
from tests.fakes.telegram.methods.words import read_text
from tests.fakes.telegram.refusal import Refusal
from tests.fakes.telegram.state import Draft, DraftSeen, Json

if TYPE_CHECKING:
    from tests.fakes.telegram.fake import FakeTelegram

DRAFT_SECONDS = 30


def _text_draft(fake: FakeTelegram, arguments: Json) -> bool:
    # An empty one shows "Thinking…".
    return _show(fake, arguments, read_text(arguments, empty=True)[0])


def _rich_draft(fake: FakeTelegram, arguments: Json) -> bool:
    return _show(fake, arguments, read_rich(arguments["rich_message"])[1])


def _show(fake: FakeTelegram, arguments: Json, text: str) -> bool:
    chat, thread = destination(fake, arguments)
    number = arguments["draft_id"]
    if chat.kind != "private" or chat.connection is not None:
        raise Refusal("PEER_ID_INVALID", fault="a draft outside of a private chat")
    if not number:
        raise Refusal("draft_id must be non-zero", fault="draft_id 0")
    now, key = fake.clock.now(), (thread, number)
    stop = bool(arguments.get("can_stop"))
    if (chat.id, number) in fake.stopped:
        # Its Stop was pressed while this was on its way: nobody sees it.
        fake.drafts_after_stop.append((chat.id, number))
        return True
    chat.drafts[key] = Draft(number, text, now + DRAFT_SECONDS, thread, stop, bool(arguments.get("keep_on_stop")))
    chat.drafts_seen.append(DraftSeen(now, number, text, stop))
    return True


HANDLERS = {"sendMessageDraft": _text_draft, "sendRichMessageDraft": _rich_draft}
